//! `invites`: one's own invitations to the server.

use std::time::Duration;

use serde_json::json;
use vireo_protocol::InviteId;

use crate::account::Identity;
use crate::args::InvitesCommand;
use crate::failure::Failure;
use crate::output;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lists one's invitations, makes one, or makes one worthless.
///
/// # Errors
/// The exit status and the sentence.
pub async fn run(identity: &Identity, command: &InvitesCommand) -> Result<(), Failure> {
    let session = identity.sign_in().await?;
    match command {
        InvitesCommand::List => session.invites().await?.iter().for_each(output::line),
        InvitesCommand::Create { uses, days } => {
            let made = session.invite(*uses, DAY * *days).await?;
            let (link, id) = (made.link, made.invite.id);
            output::line(&json!({"event": "created", "link": link, "id": id}));
        }
        InvitesCommand::Revoke { id } => {
            session.revoke_invite(&InviteId(id.clone())).await?;
            output::line(&json!({"event": "revoked", "id": id}));
        }
    }
    Ok(())
}
