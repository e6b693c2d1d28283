//! What a new board has to know from the database: the calls that went on before it was there, and who may see whom. Without
//! it people would stay invisible and calls without an end, so that a database which is away for a moment is asked again.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use vireo_protocol::UserId;

use super::board::SETTLE;
use super::{Asked, Command, Settings, clock};
use crate::store::{Store, StoreError};

/// A database that does not answer is asked again after so long.
const READ_AGAIN: Duration = Duration::from_secs(2);

/// Looks up what calls were going on that no board may know of. Where several servers work as one they are first given
/// time to say what they know.
pub(super) fn recover(settings: &Settings, own: mpsc::WeakSender<Asked>, several: bool) {
    let store = settings.store.clone();
    tokio::spawn(async move {
        // First, since whoever is alive writes that down.
        let alive_at = read_while_needed(&own, || store.alive_at()).await?;
        let alive_at_ms = alive_at.unwrap_or_else(|| clock().unix_ms);
        if several {
            sleep(SETTLE * 2).await;
        }
        let records = read_while_needed(&own, || store.unfinished_calls()).await?;
        let recover = Asked::Recover {
            records,
            alive_at_ms,
        };
        own.upgrade()?.send(recover).await.ok()
    });
}

/// Reads from the database what the board cannot do without, however long that is away. Nothing when nobody needs it any more.
async fn read_while_needed<T, F>(own: &mpsc::WeakSender<Asked>, read: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match read().await {
            Ok(read) => return Some(read),
            // The server has stopped.
            Err(StoreError::PoolClosed) => return None,
            Err(error) => tracing::warn!(%error, "the board waits for the database"),
        }
        own.upgrade()?;
        sleep(READ_AGAIN).await;
    }
}

/// Tells a new board who may see the presence of these people.
pub(super) fn read_watchers(store: &Store, users: BTreeSet<UserId>, own: mpsc::WeakSender<Asked>) {
    let store = store.clone();
    tokio::spawn(async move {
        for user in users {
            let read = read_while_needed(&own, || store.watchers(&user)).await?;
            let command = Command::watchers(user, read);
            own.upgrade()?.send(Asked::Command(command)).await.ok()?;
        }
        Some(())
    });
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_database_that_is_away_is_asked_again_while_there_is_a_board() {
        let (own, _inbox) = mpsc::channel(1);
        let asked = AtomicU32::new(0);
        let third = || match asked.fetch_add(1, Ordering::Relaxed) {
            2 => ready(Ok("there")),
            _ => ready(Err(StoreError::PoolTimedOut)),
        };
        let weak = own.downgrade();
        assert_eq!(read_while_needed(&weak, third).await, Some("there"));
        drop(own);
        let never = || ready(Err::<(), _>(StoreError::PoolTimedOut));
        assert_eq!(read_while_needed(&weak, never).await, None);
    }
}
