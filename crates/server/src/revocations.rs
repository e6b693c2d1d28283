//! Sessions that another process has ended, `vireo-server admin` for one: the database is asked for them each second, so
//! that their connections end. Those that this process ends are told to the board at once.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use vireo_protocol::SessionId;

use crate::state::AppState;
use crate::store::now_ms;
use crate::switchboard::Command;

/// How often the database is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How far back it is asked, in milliseconds: the clocks of two computers may differ, and a database may have been away.
const LOOK_BACK_MS: i64 = 60_000;

/// What is of no more use is deleted after so many questions.
const TIDY_EVERY: u32 = 600;

/// Ends the connections of sessions that have ended, and tidies up, until the server stops.
pub async fn follow(state: AppState) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = HashSet::new();
    let mut asked = 0;
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match state
            .store
            .sessions_ended_since(now_ms() - LOOK_BACK_MS)
            .await
        {
            Ok(ended) => told = tell(&state, ended, &told).await,
            Err(error) => {
                tracing::warn!(%error, "the database does not say which sessions have ended")
            }
        }
        if asked % TIDY_EVERY == 0
            && let Err(error) = state.store.forget_ended_sessions().await
        {
            tracing::warn!(%error, "ended sessions cannot be deleted");
        }
        asked += 1;
    }
}

/// Tells the board of those that it has not been told of. Returns all of them.
async fn tell(
    state: &AppState,
    ended: Vec<SessionId>,
    told: &HashSet<SessionId>,
) -> HashSet<SessionId> {
    for session in ended.iter().filter(|session| !told.contains(session)) {
        state.end_session(session).await;
    }
    ended.into_iter().collect()
}

impl AppState {
    /// Closes the connections of a session that has ended.
    pub async fn end_session(&self, session: &SessionId) {
        let session = session.0.clone();
        self.switchboard.send(Command::EndSession { session }).await;
    }
}
