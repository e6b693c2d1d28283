//! What administrators see of the server's people, and change.

use serde::{Deserialize, Serialize};

use crate::http::keep_out_of_logs;
use crate::{Role, UserId};

/// The answer of `GET /api/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserList {
    /// In the order of their names; those of the server's own services are not among them.
    pub users: Vec<UserInfo>,
}

/// An account as administrators see it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// The account.
    pub id: UserId,
    /// The name to sign in with.
    pub name: String,
    /// The name shown to others; null where that is the same.
    pub display_name: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// When the account was made, in milliseconds since the epoch.
    pub created_at: i64,
    /// When one of the person's devices was last heard of, in milliseconds since the epoch; null for never.
    pub last_seen_at: Option<i64>,
}

/// The body of `PUT /api/users/{id}/role`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChange {
    /// What the person may do from now on.
    pub role: Role,
}

keep_out_of_logs!(UserInfo);
