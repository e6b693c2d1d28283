//! Invites: whoever has one may make an account, and becomes a contact of the person who gave it to them.

use serde::{Deserialize, Serialize};

use crate::InviteId;
use crate::http::keep_out_of_logs;

/// How many people one invite may let in.
pub const MAX_INVITE_USES: u32 = 100;

/// How long an invite may last, in seconds: thirty days.
pub const MAX_INVITE_SECONDS: u32 = 30 * 24 * 60 * 60;

/// The shortest time an invite may last, in seconds.
pub const MIN_INVITE_SECONDS: u32 = 60;

/// The body of `POST /api/invites`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRequest {
    /// How many people may use it: 1 to [`MAX_INVITE_USES`].
    pub uses: u32,
    /// How long it lasts: [`MIN_INVITE_SECONDS`] to [`MAX_INVITE_SECONDS`].
    pub expires_in_seconds: u32,
}

/// The answer of `POST /api/invites`. The token is not to be had a second time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvite {
    /// The secret part of the link.
    pub token: String,
    /// What to give to people, by the address that leads to the server from as far away as it knows: see
    /// [`InviteLink`](crate::InviteLink).
    pub link: String,
    /// What is listed of it.
    pub invite: InviteInfo,
}

/// The answer of `GET /api/invites`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteList {
    /// Those that can still be used, the newest first.
    pub invites: Vec<InviteInfo>,
}

/// An invite that can still be used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteInfo {
    /// Which.
    pub id: InviteId,
    /// The name of the person who made it; null for the server's own first one.
    pub inviter: Option<String>,
    /// When it was made, in milliseconds since the epoch.
    pub created_at: i64,
    /// When it ends, in milliseconds since the epoch.
    pub expires_at: i64,
    /// How many people it was made for.
    pub uses: u32,
    /// How many may still use it.
    pub uses_left: u32,
}

/// The body of `POST /api/invites/look` and `POST /api/invites/redeem`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteToken {
    /// The secret part of the link.
    pub token: String,
}

/// The answer of `POST /api/invites/look`. Looking uses nothing up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteLook {
    /// What the server calls itself.
    pub server: String,
    /// Who invites; null for the server's own first invite, which makes an administrator.
    pub inviter: Option<String>,
    /// When the invite ends, in milliseconds since the epoch.
    pub expires_at: i64,
}

keep_out_of_logs!(NewInvite, InviteInfo, InviteToken, InviteLook);
