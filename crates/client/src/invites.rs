//! What is done with somebody else's invitation.

use hyper::Method;
use vireo_protocol::{InviteLink, InviteLook, InviteToken};

use crate::account::json;
use crate::transport::Transport;
use crate::{Client, ClientError, Session};

impl Client {
    /// Whose server an invitation is for, and who invites. Nothing is used up, and nobody has to be signed in.
    ///
    /// # Errors
    /// [`ClientError::InvalidInvite`], [`ClientError::WrongServer`], [`ClientError::ServerUnreachable`] and what else a
    /// server can say.
    pub async fn look_at(invite: &InviteLink) -> Result<InviteLook, ClientError> {
        let transport = Transport::to(&invite.server.to_string())?;
        let token = InviteToken {
            token: invite.token.clone(),
        };
        let answer = transport.post("api/invites/look", None, &token).await?;
        answer.read("")
    }
}

impl Session {
    /// Makes the inviter a contact, for somebody who has an account on the invite's server already.
    ///
    /// # Errors
    /// [`ClientError::InvalidInvite`], [`ClientError::SignedOut`] and what else a server can say.
    pub async fn redeem(&self, token: &str) -> Result<(), ClientError> {
        let token = InviteToken {
            token: token.to_owned(),
        };
        let path = "api/invites/redeem";
        let answer = self.ask(Method::POST, path, json(&token)).await?;
        match answer.succeeded("") {
            Err(ClientError::OwnName) => Err(ClientError::Refused(
                "This is your own invitation. Give it to somebody else.".to_owned(),
            )),
            done => done,
        }
    }
}
