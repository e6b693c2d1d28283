//! Sessions and accounts that another process has ended, `vireo-server admin` for one: the database is asked for them
//! twice a second, so that their connections end. Those that this process ends are told to the board at once.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use vireo_protocol::{SessionId, UserId};

use crate::state::AppState;
use crate::store::{StoreError, now_ms};
use crate::switchboard::Command;

/// How often the database is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// How far back it is asked, in milliseconds: the clocks of two computers may differ, and a database may have been away.
const LOOK_BACK_MS: i64 = 60_000;

/// What is of no more use is deleted after so many questions.
const TIDY_EVERY: u32 = 1200;

/// What the board has been told of.
#[derive(Debug, Default)]
struct Told {
    sessions: HashSet<SessionId>,
    departures: HashSet<UserId>,
}

/// Ends the connections of sessions that have ended, and tidies up, until the server stops.
pub async fn follow(state: AppState) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    let mut asked = 0;
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = told.tell(&state).await {
            tracing::warn!(%error, "the database does not say which sessions have ended")
        }
        if asked % TIDY_EVERY == 0
            && let Err(error) = state.store.tidy().await
        {
            tracing::warn!(%error, "what is of no more use cannot be deleted");
        }
        asked += 1;
    }
}

impl Told {
    /// Tells the board of what it has not been told of, and keeps what may be read again.
    async fn tell(&mut self, state: &AppState) -> Result<(), StoreError> {
        let since = now_ms() - LOOK_BACK_MS;
        let ended = state.store.sessions_ended_since(since).await?;
        for session in &ended {
            if !self.sessions.contains(session) {
                state.end_session(session).await;
            }
        }
        self.sessions = ended.into_iter().collect();
        let departures = state.store.departures_since(since).await?;
        let users = departures.iter().map(|departure| departure.user.clone());
        let known = std::mem::replace(&mut self.departures, users.collect());
        for departure in departures {
            if !known.contains(&departure.user) {
                state.depart(departure).await?;
            }
        }
        Ok(())
    }
}

impl AppState {
    /// Closes the connections of a session that has ended.
    pub async fn end_session(&self, session: &SessionId) {
        let session = session.0.clone();
        self.switchboard.send(Command::EndSession { session }).await;
    }
}
