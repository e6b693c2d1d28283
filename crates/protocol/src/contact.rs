//! People and whether they can be reached.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ChatId, UserId};

/// Whether a person can be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// At least one device is connected.
    Online,
    /// No device is connected, or the two are not contacts.
    Offline,
}

/// How two people stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ContactStatus {
    /// Each has added the other; they share a chat and may call.
    Contact,
    /// You added them; they have not added you yet.
    Requested,
    /// They added you; add them to become contacts.
    Incoming,
}

/// A person in somebody's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The person.
    pub user_id: UserId,
    /// Their name, unique on the server.
    pub name: String,
    /// How the two stand to each other.
    pub status: ContactStatus,
    /// The chat they share; null until both have added each other.
    pub chat_id: Option<ChatId>,
    /// Whether they can be reached; `offline` until both have added each other.
    pub presence: Presence,
    /// True for a service of the server's own, such as the Echo test.
    #[serde(default)]
    pub service: bool,
}
