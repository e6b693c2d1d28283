//! Calls that are over.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CallId, CallOutcome, ChatId, HistoryId, UserId};

/// Which way a call went, as the person sees it who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CallDirection {
    /// This person called.
    Outgoing,
    /// This person was called.
    Incoming,
}

/// A call that is over, as one of its two sides sees it. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PastCall {
    /// The entry's own identifier, by which older ones are asked for.
    pub id: HistoryId,
    /// The call, as its caller named it.
    pub call_id: CallId,
    /// Its chat.
    pub chat_id: ChatId,
    /// The other side.
    pub user_id: UserId,
    /// The other side's name; null when their account is gone.
    pub name: Option<String>,
    /// Who called whom.
    pub direction: CallDirection,
    /// When it began to ring.
    #[ts(type = "number")]
    pub started_at: i64,
    /// When it was answered; null when it was not.
    #[ts(type = "number | null")]
    pub answered_at: Option<i64>,
    /// When it ended.
    #[ts(type = "number")]
    pub ended_at: i64,
    /// How it went.
    pub outcome: CallOutcome,
    /// From the answer to the end, in whole seconds; 0 where there was no answer.
    #[ts(type = "number")]
    pub duration_seconds: u64,
}
