//! `join LINK`: becomes a member of the server that an invitation is for, or, for somebody who is one already, a contact of
//! whoever invites. Nothing is sent but the invitation itself before the person has agreed.

use std::io::{BufRead, IsTerminal};

use serde_json::json;
use vireo_client::{Client, ClientError};
use vireo_protocol::{InviteLink, InviteLook};

use crate::account::Identity;
use crate::args::JoinArguments;
use crate::failure::{Failure, Status};
use crate::output;

/// Shows the server, asks, and joins.
///
/// # Errors
/// An invite that is of no use, another server than the one it is for, or somebody who does not agree.
pub async fn run(identity: &Identity, join: &JoinArguments) -> Result<(), Failure> {
    let look = Client::look_at(&join.link).await?;
    show(&join.link, &look);
    if !join.yes && !agreed()? {
        return Err(Failure::new(Status::Declined, "Nothing has been done."));
    }
    let token = &join.link.token;
    let (event, session) = match identity.register(Some(token)).await {
        Ok(session) => ("registered", session),
        // Perhaps they are this person.
        Err(ClientError::NameTaken) => {
            let session = identity.sign_in().await.map_err(|error| match error {
                ClientError::WrongPassword => ClientError::NameTaken,
                error => error,
            })?;
            session.redeem(token).await?;
            ("joined", session)
        }
        Err(error) => return Err(error.into()),
    };
    let user = &session.user.name;
    output::line(&json!({"event": event, "user": user, "server": session.server}));
    Ok(())
}

fn show(link: &InviteLink, look: &InviteLook) {
    let fingerprint = link.server.fingerprint.map(|print| print.to_string());
    output::line(&json!({
        "event": "invited", "server": link.server.url, "fingerprint": fingerprint,
        "name": look.server, "inviter": look.inviter, "expiresAt": look.expires_at,
    }));
    let who = match &look.inviter {
        Some(inviter) => format!("{inviter} invites you"),
        None => "You are invited, as the one who runs it,".to_owned(),
    };
    let known = match &fingerprint {
        Some(fingerprint) => format!("its certificate's fingerprint is {fingerprint}"),
        None => "an authority vouches for it".to_owned(),
    };
    let (name, url) = (&look.server, &link.server.url);
    output::say(format!("{who} to the server “{name}” at {url}; {known}."));
}

/// Asks at the terminal.
fn agreed() -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let sentence = "Nobody is there to agree. Say --yes to join without being asked.";
        return Err(Failure::new(Status::Usage, sentence));
    }
    output::say("Join it? Type “yes” and press Enter:");
    let mut answer = String::new();
    // Whoever closes the terminal has not agreed.
    let _ = stdin.lock().read_line(&mut answer);
    Ok(["yes", "y", "да"].contains(&answer.trim().to_lowercase().as_str()))
}
