//! What to make of it when nothing is heard of what was sent.

use std::time::{Duration, Instant};

/// Feedback is late when it takes so much longer than a round trip: it comes every 50 ms, and a queue may have grown.
const PATIENCE: Duration = Duration::from_millis(200);

/// For each such time without feedback the rate is halved.
const HALVED_EVERY: Duration = Duration::from_millis(100);

/// With each feedback that comes again the rate grows by so much, until it is what is estimated.
const RECOVERS: f64 = 1.5;

/// No less than this share of what is estimated.
const LEAST: f64 = 1.0 / 64.0;

/// Slows down while no feedback comes: the path may have become so narrow that not even that gets through, and whatever is
/// sent stands in its way.
#[derive(Debug)]
pub(crate) struct Silence {
    round_trip: Duration,
    /// When the oldest packet left of which nothing has been heard, or feedback came since.
    waiting_since: Option<Instant>,
    halved_at: Option<Instant>,
    share: f64,
}

impl Silence {
    pub fn new() -> Self {
        Self {
            round_trip: Duration::from_millis(200),
            waiting_since: None,
            halved_at: None,
            share: 1.0,
        }
    }

    /// How much of what is estimated to send.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// A round trip has been measured.
    pub fn round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// A packet has left.
    pub fn sent(&mut self, at: Instant) {
        self.waiting_since.get_or_insert(at);
    }

    /// Feedback has come, and so much is still under way.
    pub fn feedback(&mut self, now: Instant, bytes_in_flight: usize) {
        self.waiting_since = (bytes_in_flight > 0).then_some(now);
        self.halved_at = None;
        self.share = (self.share * RECOVERS).min(1.0);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        let Some(since) = self.waiting_since else {
            return;
        };
        let late_from = since + self.round_trip + PATIENCE;
        let due = self.halved_at.map_or(late_from, |at| at + HALVED_EVERY);
        if now >= due {
            self.halved_at = Some(now);
            self.share = (self.share / 2.0).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slows_down_while_nothing_is_heard_and_recovers_soon() {
        let start = Instant::now();
        let mut silence = Silence::new();
        silence.round_trip(Duration::from_millis(40));
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        silence.sent(start);
        silence.tick(at(230));
        assert!((silence.share() - 1.0).abs() < 1e-9, "not yet");
        for millisecond in (240..=3_000).step_by(20) {
            silence.sent(at(millisecond));
            silence.tick(at(millisecond));
        }
        assert!((silence.share() - LEAST).abs() < 1e-9, "{silence:?}");
        for feedback in 0..11 {
            silence.feedback(at(3_000 + feedback * 50), 1_000);
            silence.tick(at(3_001 + feedback * 50));
        }
        assert!((silence.share() - 1.0).abs() < 1e-9, "{silence:?}");
    }

    #[test]
    fn who_sends_nothing_waits_for_nothing() {
        let start = Instant::now();
        let mut silence = Silence::new();
        silence.sent(start);
        silence.feedback(start + Duration::from_millis(50), 0);
        silence.tick(start + Duration::from_secs(60));
        assert!((silence.share() - 1.0).abs() < 1e-9);
    }
}
