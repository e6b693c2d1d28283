//! `vireo-server admin invites …`

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use vireo_protocol::{InviteId, InviteInfo, InviteLink, MAX_INVITE_USES, ServerAddress, UserId};

use super::table::left;
use super::{Desk, failed};
use crate::secrets::{new_token, token_hash};
use crate::store::InviteError;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the invitations that can still be used, the newest first
    List,
    /// Makes an invitation and prints its link
    Create(New),
    /// Makes an invitation worthless
    Revoke {
        /// Which, as `list` shows it
        id: String,
    },
}

/// What an invitation is to be like.
#[derive(Debug, Args)]
pub struct New {
    /// Who invites, and becomes a contact of those who come [default: the first administrator]
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// How many people may use it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_INVITE_USES)))]
    uses: u32,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
}

pub async fn run(desk: &Desk, command: Command) -> Result<(), String> {
    match command {
        Command::List => list(desk).await,
        Command::Create(new) => create(desk, new).await,
        Command::Revoke { id } => revoke(desk, &id).await,
    }
}

async fn list(desk: &Desk) -> Result<(), String> {
    let invites = desk.store.invites(None).await.map_err(failed)?;
    let header = ["FROM", "LEFT", "ENDS IN", "ID"];
    desk.list(&invites, &header, |invite: &InviteInfo| {
        vec![
            invite.inviter.clone().unwrap_or("the server".to_owned()),
            format!("{} of {}", invite.uses_left, invite.uses),
            left(invite.expires_at),
            invite.id.0.clone(),
        ]
    });
    Ok(())
}

async fn create(desk: &Desk, new: New) -> Result<(), String> {
    let server = server(desk).await?;
    let token = new_token();
    let hash = token_hash(&token);
    let made = match inviter(desk, new.from.as_deref()).await? {
        Some(inviter) => {
            let lasts = Duration::from_secs(u64::from(new.days) * 24 * 60 * 60);
            let made = desk.store.create_invite(&inviter, &hash, new.uses, lasts);
            made.await.map_err(explain)?
        }
        None => first(desk, &hash).await?,
    };
    let link = InviteLink { server, token }.to_string();
    desk.answer(&link, &json!({"link": link, "invite": made}));
    Ok(())
}

/// Who invites; nobody where nobody has an account yet.
async fn inviter(desk: &Desk, name: Option<&str>) -> Result<Option<UserId>, String> {
    if let Some(name) = name {
        return Ok(Some(desk.person(name).await?.id));
    }
    if let Some(admin) = desk.store.first_admin().await.map_err(failed)? {
        return Ok(Some(admin.id));
    }
    match desk.store.people("", 1).await.map_err(failed)?.is_empty() {
        true => Ok(None),
        false => {
            Err("Nobody here is an administrator. Say who invites with --from NAME.".to_owned())
        }
    }
}

/// The server's own invitation, whose redeemer becomes its administrator.
async fn first(desk: &Desk, hash: &[u8]) -> Result<InviteInfo, String> {
    let busy = || "Somebody has just made the first account. Please try again.".to_owned();
    let made = desk.store.create_first_invite(hash).await.map_err(failed)?;
    let invite = desk.store.look_invite(hash).await.map_err(failed)?;
    invite.filter(|_| made).ok_or_else(busy)
}

/// Where people find the server.
async fn server(desk: &Desk) -> Result<ServerAddress, String> {
    let address = desk.store.address().await.map_err(failed)?;
    let address = address.and_then(|address| address.parse().ok());
    address.ok_or_else(|| {
        "The server has never run, so that nobody knows its address. Start it once, and try again.".to_owned()
    })
}

async fn revoke(desk: &Desk, id: &str) -> Result<(), String> {
    let id = InviteId(id.to_owned());
    match desk.store.revoke_invite(None, &id).await.map_err(failed)? {
        true => desk.answer("The invitation is worthless now.", &json!({"id": id})),
        false => {
            return Err(format!(
                "There is no invitation {id} that could still be used. `vireo-server admin invites list` shows all there are."
            ));
        }
    }
    Ok(())
}

fn explain(error: InviteError) -> String {
    match error {
        InviteError::Store(error) => failed(error),
        InviteError::TooMany => {
            "This person has too many invitations. Revoke some first: `vireo-server admin invites list` shows them.".to_owned()
        }
        InviteError::Invalid | InviteError::Own | InviteError::NameTaken => {
            "The invitation was revoked by somebody else at the same moment.".to_owned()
        }
    }
}
