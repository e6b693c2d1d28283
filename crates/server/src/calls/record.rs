//! What is kept of a call when it is over.

use serde::{Deserialize, Serialize};
use vireo_protocol::{CallId, CallOutcome, ChatId, UserId};

/// One attempt at a call, for the history. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Made by the server, in the order in which calls began (UUIDv7): a client may use its own `callId` twice.
    pub id: String,
    /// What the caller named it.
    pub call_id: CallId,
    /// Where.
    pub chat_id: ChatId,
    /// Who called.
    pub caller: UserId,
    /// Who was called.
    pub callee: UserId,
    /// When it began to ring.
    pub started_at: i64,
    /// When it was accepted, if it was.
    pub answered_at: Option<i64>,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// How it went; known once it is over.
    pub outcome: Option<CallOutcome>,
}

impl CallRecord {
    /// A call that begins now.
    pub(super) fn new(
        call_id: &CallId,
        chat_id: &ChatId,
        caller: &UserId,
        callee: &UserId,
        now_ms: i64,
    ) -> Self {
        Self {
            id: uuid::Uuid::now_v7().to_string(),
            call_id: call_id.clone(),
            chat_id: chat_id.clone(),
            caller: caller.clone(),
            callee: callee.clone(),
            started_at: now_ms,
            answered_at: None,
            ended_at: None,
            outcome: None,
        }
    }

    /// The call as it is remembered once it is over. Clocks can be set back; a call cannot end before it began.
    pub(super) fn ended(mut self, outcome: CallOutcome, at_ms: i64) -> Self {
        let begun = self.answered_at.unwrap_or(self.started_at);
        self.ended_at = Some(at_ms.max(begun));
        self.outcome = Some(outcome);
        self
    }
}
