//! Questions about calls that are over.

use vireo_protocol::{ErrorCode, HistoryId, ServerMessage};

use super::Session;
use crate::store::StoreError;

/// Calls in an answer to `calls:history` that does not say how many.
const HISTORY_PAGE: u32 = 50;

/// Calls in such an answer, whatever it says.
const MOST_HISTORY: u32 = 200;

impl Session {
    /// Calls that are over.
    pub(super) async fn history(
        &self,
        id: u64,
        before: Option<HistoryId>,
        limit: Option<u32>,
    ) -> Result<(), StoreError> {
        if before.as_ref().is_some_and(|id| !id.is_well_formed()) {
            let sentence = "\"before\" has to be the id of an entry.";
            self.refuse(Some(id), ErrorCode::InvalidMessage, sentence);
            return Ok(());
        }
        let limit = limit.unwrap_or(HISTORY_PAGE).min(MOST_HISTORY);
        let me = &self.account.user.id;
        let calls = self.state.store.call_history(me, before.as_ref(), limit);
        let calls = calls.await?;
        self.queue.push(ServerMessage::Calls { id, calls });
        Ok(())
    }
}
