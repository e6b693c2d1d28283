//! Sessions: one for each device that somebody has signed in on.

use serde::{Deserialize, Serialize};

use crate::http::keep_out_of_logs;
use crate::{SessionId, User};

/// The answer to `POST /api/register`, `POST /api/sign-in` and `POST /api/refresh`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// Goes into the WebSocket handshake and into `Authorization` of other requests.
    pub access_token: String,
    /// Gets the next pair of tokens, once.
    pub refresh_token: String,
    /// How long the access token is good for, in seconds.
    pub expires_in_seconds: u32,
    /// Who has signed in.
    pub user: User,
}

/// What somebody may do on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// What everyone may.
    Member,
    /// Whoever runs the server: sees everyone's account and invites as well, says who else is an administrator, and signs
    /// people's devices out.
    Admin,
}

/// The body of `POST /api/refresh` and `POST /api/sign-out`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshToken {
    /// The last one that the server has given to this device.
    pub refresh_token: String,
}

/// The answer of `GET /api/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    /// The one that was used last comes first.
    pub sessions: Vec<SessionInfo>,
}

/// A device that is signed in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// Which.
    pub id: SessionId,
    /// What it called itself.
    pub device: String,
    /// When it signed in, in milliseconds since the epoch.
    pub created_at: i64,
    /// When it last asked for tokens, in milliseconds since the epoch.
    pub last_used_at: i64,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The body of `POST /api/account/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordChange {
    /// The password so far.
    pub old_password: String,
    /// The password from now on.
    pub new_password: String,
}

/// The body of `POST /api/account/delete`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDeletion {
    /// The account's password, since nothing brings the account back.
    pub password: String,
}

keep_out_of_logs!(
    SignedIn,
    RefreshToken,
    SessionInfo,
    PasswordChange,
    AccountDeletion
);
