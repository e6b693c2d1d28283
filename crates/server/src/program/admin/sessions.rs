//! `vireo-server admin sessions …`

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use vireo_protocol::{SessionId, UserId};

use super::table::utc;
use super::{Desk, failed};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the devices that people are signed in on, the one that was used last first
    List {
        /// Only this person's
        name: Option<String>,
    },
    /// Signs a device out, or all of a person's, at once
    Revoke(Which),
}

/// Which devices to sign out.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The session, as `list` shows it
    id: Option<String>,
    /// Every session of this person
    #[arg(long, value_name = "NAME")]
    all_of: Option<String>,
}

/// A session as scripts read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    user: String,
    id: SessionId,
    device: String,
    created_at: i64,
    last_used_at: i64,
}

pub async fn run(desk: &Desk, command: Command) -> Result<(), String> {
    match command {
        Command::List { name } => list(desk, name.as_deref()).await,
        Command::Revoke(which) => match (which.id, which.all_of) {
            (Some(id), _) => revoke(desk, SessionId(id)).await,
            (None, name) => revoke_all(desk, &name.unwrap_or_default()).await,
        },
    }
}

async fn list(desk: &Desk, name: Option<&str>) -> Result<(), String> {
    let user: Option<UserId> = match name {
        Some(name) => Some(desk.person(name).await?.id),
        None => None,
    };
    let sessions = desk.store.sessions_of_people(user.as_ref()).await;
    let sessions = sessions.map_err(failed)?.into_iter();
    let listed = sessions.map(|(user, session)| Listed {
        user,
        id: session.id,
        device: session.device,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
    });
    let header = ["NAME", "DEVICE", "SIGNED IN (UTC)", "LAST USED (UTC)", "ID"];
    desk.list(&listed.collect::<Vec<_>>(), &header, |session| {
        vec![
            session.user.clone(),
            session.device.clone(),
            utc(session.created_at),
            utc(session.last_used_at),
            session.id.0.clone(),
        ]
    });
    Ok(())
}

async fn revoke(desk: &Desk, id: SessionId) -> Result<(), String> {
    if !desk.store.end_session(None, &id).await.map_err(failed)? {
        return Err(format!(
            "There is no session {id}, or it has ended already. `vireo-server admin sessions list` shows all there are."
        ));
    }
    desk.answer("The device is signed out.", &json!({"ended": [id]}));
    Ok(())
}

async fn revoke_all(desk: &Desk, name: &str) -> Result<(), String> {
    let person = desk.person(name).await?;
    let ended = desk.store.end_sessions(&person.id, None).await;
    let ended = ended.map_err(failed)?;
    let sentence = match ended.len() {
        0 => format!("{} was not signed in anywhere.", person.name),
        1 => format!("The one device of {} is signed out.", person.name),
        many => format!("All {many} devices of {} are signed out.", person.name),
    };
    desk.answer(&sentence, &json!({"ended": ended}));
    Ok(())
}
