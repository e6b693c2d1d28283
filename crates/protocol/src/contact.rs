//! People and whether they can be reached.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ChatId, UserId};

/// Whether a person can be reached now, as those see it who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// At least one device is connected and in use.
    Online,
    /// Devices are connected, and nobody uses them.
    Away,
    /// A call goes on or rings.
    InCall,
    /// The person does not wish to be called.
    DoNotDisturb,
    /// No device is connected, or this person may not see it: the two are not contacts, or one has blocked the other.
    Offline,
}

/// What a person says of themselves with one device; [`Presence`] is made of what all of them say. Not to be disturbed is
/// the person, whatever the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceStatus {
    /// The person is there; what holds until something else is said.
    #[default]
    Online,
    /// Nobody uses this device at the moment.
    Away,
}

/// How two people stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ContactStatus {
    /// Each has added the other; they share a chat and may call.
    Contact,
    /// You added them; they have not added you yet.
    Requested,
    /// They added you; accept to become contacts.
    Incoming,
    /// You have blocked them: they see you offline, and nothing of theirs reaches you.
    Blocked,
}

/// A person in somebody's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The person.
    pub user_id: UserId,
    /// Their name, unique on the server.
    pub name: String,
    /// The name they show; null where that is the same, or they have not added this person.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The ETag of their picture, `GET /api/users/{id}/avatar`; null where there is none, or they have not added this person.
    #[serde(default)]
    pub avatar: Option<String>,
    /// How the two stand to each other.
    pub status: ContactStatus,
    /// The chat they share; null until both have added each other.
    pub chat_id: Option<ChatId>,
    /// Whether they can be reached; `offline` until both have added each other.
    pub presence: Presence,
    /// When their last device went, in milliseconds since the Unix epoch. Null unless they are offline and this person may
    /// see when they are not.
    #[ts(type = "number | null")]
    pub last_seen_at: Option<i64>,
    /// True for a service of the server's own, such as the Echo test.
    #[serde(default)]
    pub service: bool,
}
