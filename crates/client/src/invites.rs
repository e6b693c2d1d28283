//! Invitations: one's own, and what is done with somebody else's.

use std::time::Duration;

use hyper::Method;
use vireo_protocol::{
    InviteId, InviteInfo, InviteLink, InviteList, InviteLook, InviteRequest, InviteToken, NewInvite,
};

use crate::account::json;
use crate::transport::{Content, Transport};
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
    /// Makes an invitation for so many people, that lasts so long. The server says by which address it is reached from
    /// outside, which may be another one than this client's.
    ///
    /// # Errors
    /// [`ClientError::SignedOut`], [`ClientError::ServerUnreachable`] and what else a server can say, here and below.
    pub async fn invite(&self, uses: u32, lasts: Duration) -> Result<NewInvite, ClientError> {
        let request = InviteRequest {
            uses,
            expires_in_seconds: lasts.as_secs().try_into().unwrap_or(u32::MAX),
        };
        let answer = self.ask(Method::POST, "api/invites", json(&request)).await;
        answer?.read("")
    }

    /// The invitations that can still be used, the newest first; everybody's for an administrator.
    ///
    /// # Errors
    /// As [`Session::invite`].
    pub async fn invites(&self) -> Result<Vec<InviteInfo>, ClientError> {
        let answer = self.ask(Method::GET, "api/invites", Content::Nothing).await;
        Ok(answer?.read::<InviteList>("")?.invites)
    }

    /// Makes an invitation worthless.
    ///
    /// # Errors
    /// Where there is none that could still be used, or it is somebody else's.
    pub async fn revoke_invite(&self, invite: &InviteId) -> Result<(), ClientError> {
        if !invite.is_well_formed() {
            let problem = "There is no such invite. Look at the list of yours.";
            return Err(ClientError::Refused(problem.to_owned()));
        }
        let path = format!("api/invites/{invite}");
        let answer = self.ask(Method::DELETE, &path, Content::Nothing).await?;
        answer.succeeded("")
    }

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
