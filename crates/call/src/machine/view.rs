//! From the state to what a user interface shows.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::{Call, CallState};
use crate::{CallView, Phase, Speaking};

/// Turns the machine's time into the calendar's. Both are read once, so that the same moment always gives the same figure.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    instant: Instant,
    unix_ms: u64,
}

impl Calendar {
    /// A calendar in which `instant` is `unix_ms`.
    #[must_use]
    pub fn new(instant: Instant, unix_ms: u64) -> Self {
        Self { instant, unix_ms }
    }

    /// Reads the system's clocks.
    #[must_use]
    #[allow(
        clippy::disallowed_methods,
        reason = "asked once, by whoever drives the machine and hands it the time"
    )]
    pub fn of_system() -> Self {
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::new(
            Instant::now(),
            u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        )
    }

    /// The moment in Unix milliseconds.
    #[must_use]
    pub fn unix_ms(&self, moment: Instant) -> u64 {
        let after = moment.saturating_duration_since(self.instant).as_millis();
        let before = self.instant.saturating_duration_since(moment).as_millis();
        let shifted = i128::from(self.unix_ms) + after as i128 - before as i128;
        u64::try_from(shifted).unwrap_or(0)
    }
}

impl Call {
    /// What a user interface shows; none when there is no call.
    #[must_use]
    pub fn view(&self, calendar: &Calendar) -> Option<CallView> {
        let call = self.state().details()?;
        let phase = self.state().phase()?;
        let (since, ended_at) = match self.state() {
            CallState::Connected { since, .. } | CallState::Reconnecting { since, .. } => {
                (Some(*since), None)
            }
            CallState::Ended { since, at, .. } => (*since, Some(*at)),
            CallState::Idle
            | CallState::Offering { .. }
            | CallState::Calling { .. }
            | CallState::Ringing { .. }
            | CallState::Incoming { .. }
            | CallState::Answering { .. }
            | CallState::Connecting { .. } => (None, None),
        };
        Some(CallView {
            call_id: call.call_id.clone(),
            chat_id: call.chat_id.clone(),
            peer: call.peer.clone(),
            direction: call.direction,
            phase,
            local: call.local(),
            remote: call.remote,
            speaking: match phase {
                Phase::Connected => call.audible(),
                _ => Speaking::default(),
            },
            microphone_hint: call
                .fitting_hint()
                .filter(|_| self.state().can_use_devices()),
            connection: call.connection,
            connected_at_ms: since.map(|moment| calendar.unix_ms(moment)),
            ended_at_ms: ended_at.map(|moment| calendar.unix_ms(moment)),
            server_reachable: self.server_reachable(),
            notices: call.notices.clone(),
        })
    }
}
