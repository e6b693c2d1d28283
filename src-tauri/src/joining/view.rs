//! What the window shows of an invitation.

use serde::Serialize;
use ts_rs::TS;
use vireo_client::ClientError;
use vireo_protocol::UserId;

/// An invitation that somebody has opened here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Joining {
    /// Where its server is, as people write it: `192.0.2.1:7450`. Empty where it is no invitation at all.
    pub address: String,
    /// What has become of it.
    pub step: JoiningStep,
}

/// What has become of an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum JoiningStep {
    /// Its server is being asked.
    Looking,
    /// It can be taken.
    Invited {
        /// What the server calls itself.
        server: String,
        /// Who invites; null for the server's own first invitation.
        inviter: Option<String>,
        /// The name to join by, unless the person gives another one.
        name: String,
        /// What the person has there, and elsewhere.
        standing: Standing,
    },
    /// The person has joined, or knew the inviter already: the call is offered.
    Joined {
        /// The contact to call.
        inviter: UserId,
    },
    /// It is of no use, at the moment or at all.
    Failed {
        /// Why.
        problem: JoiningProblem,
    },
}

/// What the person has on the invitation's server, and elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Standing {
    /// No account at all.
    New,
    /// The account that is in use.
    Member,
    /// An account elsewhere is in use, which would be set aside.
    Elsewhere {
        /// Its name.
        name: String,
        /// Its server, as people write it; null for the one on this computer.
        server: Option<String>,
        /// Whether an account on the invitation's server was set aside before, and is taken up again.
        known: bool,
    },
    /// An account that was set aside, and is taken up again. None is in use.
    Known,
}

/// Why an invitation cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum JoiningProblem {
    /// It is no link of an invitation.
    NotALink,
    /// It has ended, was revoked, or others have used it up.
    UsedUp,
    /// The person has made it themselves.
    Own,
    /// Its server cannot be reached.
    Unreachable,
    /// Another server than the one it is for answers.
    WrongServer,
    /// Nobody vouches for the server.
    Untrusted,
    /// Something else than a Vireo server answers.
    NotAServer,
    /// The server speaks another version.
    Version,
    /// Too many have asked.
    RateLimited,
    /// Something else.
    Other,
}

impl From<ClientError> for JoiningProblem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::InvalidInvite => Self::UsedUp,
            ClientError::OwnName => Self::Own,
            ClientError::ServerUnreachable => Self::Unreachable,
            ClientError::WrongServer => Self::WrongServer,
            ClientError::UntrustedServer => Self::Untrusted,
            ClientError::NotAVireoServer | ClientError::InvalidServer(_) => Self::NotAServer,
            ClientError::VersionMismatch => Self::Version,
            ClientError::RateLimited => Self::RateLimited,
            _ => Self::Other,
        }
    }
}
