//! A clock that ticks once a frame, for sources and sinks that have none of their own.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long a frame lasts.
pub const FRAME_DURATION: Duration = Duration::from_millis(10);

/// Behind by more than this, the clock gives up catching up: a computer that slept must not hear a burst.
const GIVE_UP: Duration = Duration::from_millis(200);

/// Ticks every 10 ms without drifting.
#[derive(Debug)]
pub(crate) struct Pace {
    next: Option<Instant>,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { next: None }
    }

    /// Waits for the next tick. The first one is 10 ms after the first call.
    pub(crate) fn wait(&mut self) {
        let now = Instant::now();
        let due = match self.next {
            Some(next) if now < next + GIVE_UP => next,
            _ => now + FRAME_DURATION,
        };
        if let Some(ahead) = due.checked_duration_since(now) {
            thread::sleep(ahead);
        }
        self.next = Some(due + FRAME_DURATION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_drift() {
        let mut pace = Pace::new();
        let start = Instant::now();
        for _ in 0..20 {
            pace.wait();
        }
        assert!(start.elapsed() >= Duration::from_millis(200));
    }
}
