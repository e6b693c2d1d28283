//! What to make of it when nothing is heard of what was sent.

use std::time::{Duration, Instant};

/// So often feedback comes while something is sent: from us every 50 ms, from libwebrtc more rarely where little is sent.
const INTERVAL: std::ops::RangeInclusive<f64> = 0.05..=0.3;
/// How much a new interval counts for the average.
const NEW: f64 = 0.1;

/// It is late when it should have come so long ago,
const PATIENCE: Duration = Duration::from_millis(40);
/// and the time that so many bytes take: feedback comes behind the other side's pictures, and its way is thought to be as
/// narrow as ours;
const BEFORE_IT: f64 = 4_000.0;

/// unless so many in a row may well have got lost: it would have to be as rare as this.
const RARE: f64 = 0.001;
/// At least and at most this loss is reckoned with.
const LOSS: std::ops::RangeInclusive<f64> = 0.03..=0.5;

/// Then the rate falls to this share, and again after each such time.
const FALLS: f64 = 1.0 / 3.0;
const FALLS_EVERY: Duration = Duration::from_millis(50);

/// With each feedback that comes again the ceiling rises by so much, until it is what is estimated.
const RISES: f64 = 1.5;
/// and where the queue is still full by so much.
const RISES_WHEN_FULL: f64 = 1.1;
/// Those that come together, having waited in the same queue, count as one.
const RISES_EVERY: Duration = Duration::from_millis(40);

/// No less than this share of what is estimated.
const LEAST: f64 = 1.0 / 64.0;

/// Slows down while no feedback comes: the path may have become so narrow that not even that gets through, and whatever is
/// sent stands in its way.
#[derive(Debug)]
pub(crate) struct Silence {
    round_trip: Duration,
    /// When the oldest packet left of which nothing has been heard, or feedback came since.
    waiting_since: Option<Instant>,
    /// It is the former: its feedback is a round trip away.
    is_first: bool,
    fell_at: Option<Instant>,
    rose_at: Option<Instant>,
    /// Between one feedback and the next, on average, in seconds.
    interval: f64,
    /// Bits a second that are not to be exceeded; none when all is well.
    ceiling: Option<f64>,
    loss: f64,
}

impl Silence {
    pub fn new() -> Self {
        Self {
            round_trip: Duration::from_millis(200),
            waiting_since: None,
            is_first: false,
            fell_at: None,
            rose_at: None,
            interval: *INTERVAL.start(),
            ceiling: None,
            loss: 0.0,
        }
    }

    /// What is left of the estimate, in bits a second.
    pub fn of(&self, estimate: f64) -> f64 {
        self.ceiling
            .map_or(estimate, |ceiling| ceiling.min(estimate))
    }

    /// Whether nothing was heard for a while, and the rate is not back yet.
    pub fn lasts(&self) -> bool {
        self.ceiling.is_some()
    }

    /// A round trip has been measured.
    pub fn round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// A packet has left.
    pub fn sent(&mut self, at: Instant) {
        if self.waiting_since.is_none() {
            self.waiting_since = Some(at);
            self.is_first = true;
        }
    }

    /// Feedback has come, so much is still under way, and so much is estimated now; the path's queue may be full.
    pub fn feedback(&mut self, now: Instant, bytes_in_flight: usize, estimate: f64, full: bool) {
        if let Some(since) = self.waiting_since.filter(|_| !self.is_first) {
            let interval = now.saturating_duration_since(since).as_secs_f64();
            let interval = interval.clamp(*INTERVAL.start(), *INTERVAL.end());
            self.interval += (interval - self.interval) * NEW;
        }
        self.waiting_since = (bytes_in_flight > 0).then_some(now);
        self.is_first = false;
        self.fell_at = None;
        let rose = self.rose_at.map(|at| now.saturating_duration_since(at));
        if rose.is_none_or(|ago| ago >= RISES_EVERY) {
            self.rose_at = Some(now);
            let rises = if full { RISES_WHEN_FULL } else { RISES };
            self.ceiling = self.ceiling.map(|ceiling| ceiling * rises);
        }
        self.ceiling = self.ceiling.filter(|ceiling| *ceiling < estimate);
    }

    /// Such a share of packets gets lost by chance.
    pub fn loss(&mut self, share: f64) {
        self.loss = share;
    }

    /// For how long nothing may be heard.
    fn patience(&self, estimate: f64) -> Duration {
        let in_a_row = RARE.ln() / self.loss.clamp(*LOSS.start(), *LOSS.end()).ln();
        let before_it = BEFORE_IT * 8.0 / estimate.max(1.0);
        Duration::from_secs_f64(self.interval * in_a_row.ceil() + before_it) + PATIENCE
    }

    /// Time has passed, and so much is estimated. Whether the rate has to fall.
    pub fn tick(&mut self, now: Instant, estimate: f64) -> bool {
        let Some(since) = self.waiting_since else {
            return false;
        };
        let way = match self.is_first {
            true => self.round_trip,
            false => Duration::ZERO,
        };
        let late_from = since + way + self.patience(estimate);
        let due = self.fell_at.map_or(late_from, |at| at + FALLS_EVERY);
        let falls = now >= due;
        if falls {
            self.fell_at = Some(now);
            self.ceiling = Some((self.of(estimate) * FALLS).max(estimate * LEAST));
        }
        falls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATE: f64 = 2_000_000.0;

    /// After three seconds in which nothing was heard, beginning at the time given.
    fn silent(start: Instant) -> Silence {
        let mut silence = Silence::new();
        silence.round_trip(Duration::from_millis(40));
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        silence.sent(start);
        silence.tick(at(170), ESTIMATE);
        assert!((silence.of(ESTIMATE) - ESTIMATE).abs() < 1.0, "not yet");
        for millisecond in (180..=3_000).step_by(20) {
            silence.sent(at(millisecond));
            silence.tick(at(millisecond), ESTIMATE);
        }
        assert!(
            (silence.of(ESTIMATE) - ESTIMATE * LEAST).abs() < 1.0,
            "{silence:?}"
        );
        silence
    }

    #[test]
    fn slows_down_while_nothing_is_heard_and_recovers_soon() {
        let start = Instant::now();
        let mut silence = silent(start);
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        for feedback in 0..11 {
            silence.feedback(at(3_000 + feedback * 50), 1_000, ESTIMATE, false);
            silence.tick(at(3_001 + feedback * 50), ESTIMATE);
        }
        assert!((silence.of(ESTIMATE) - ESTIMATE).abs() < 1.0, "{silence:?}");
    }

    #[test]
    fn a_queue_that_is_still_full_makes_it_recover_slowly() {
        let start = Instant::now();
        let [through_full, through_empty] = [true, false].map(|full| {
            let mut silence = silent(start);
            for feedback in 0..5 {
                let now = start + Duration::from_millis(3_000 + feedback * 50);
                silence.feedback(now, 1_000, ESTIMATE, full);
                silence.feedback(now, 1_000, ESTIMATE, full);
            }
            silence.of(ESTIMATE)
        });
        assert!(through_empty > 7.0 * ESTIMATE * LEAST, "{through_empty}");
        assert!(through_full < 2.0 * ESTIMATE * LEAST, "{through_full}");
        assert!(through_full > ESTIMATE * LEAST, "not for ever");
    }

    #[test]
    fn who_reports_rarely_is_not_taken_for_silent_for_long() {
        let start = Instant::now();
        let mut silence = Silence::new();
        let mut falls = 0;
        for millisecond in (0..10_000_u64).step_by(10) {
            let now = start + Duration::from_millis(millisecond);
            silence.sent(now);
            if millisecond % 250 == 240 {
                silence.feedback(now, 1_000, ESTIMATE, false);
            }
            silence.tick(now, ESTIMATE);
            if silence.fell_at == Some(now) {
                falls += 1;
            }
        }
        assert!(falls < 12, "{falls}");
        assert!(!silence.lasts());
    }

    #[test]
    fn who_sends_nothing_waits_for_nothing() {
        let start = Instant::now();
        let mut silence = Silence::new();
        silence.sent(start);
        silence.feedback(start + Duration::from_millis(50), 0, ESTIMATE, false);
        silence.tick(start + Duration::from_secs(60), ESTIMATE);
        assert!((silence.of(ESTIMATE) - ESTIMATE).abs() < 1.0);
    }
}
