//! How long sound should wait for its successors: the play-out delay, learnt from how packets arrive.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What is remembered, in samples: 5 s.
const WINDOW: u32 = 240_000;

/// All but this share of the packets should be there in time.
const LATE_SHARE: f64 = 0.02;

/// On top of the jitter that was seen: threads wake up late even on a clean link.
const MARGIN: Duration = Duration::from_millis(3);

/// The budget: more jitter than this is not waited for, because people begin to talk at the same time.
pub(crate) const MAX_TARGET: Duration = Duration::from_millis(200);

/// A packet this far from its place in time belongs to another clock (the sender was suspended, say).
const OTHER_CLOCK: Duration = Duration::from_millis(1_500);

/// Compares the times at which packets arrive with the times that they carry.
#[derive(Debug, Default)]
pub(crate) struct DelayEstimator {
    origin: Option<Instant>,
    /// Microseconds of arrival minus RTP time, of the last packets.
    transit: VecDeque<i64>,
    fastest: i64,
    target: Duration,
}

/// RTP time in microseconds.
const fn media_micros(timestamp: i64) -> i64 {
    timestamp * 125 / 6
}

impl DelayEstimator {
    /// Takes notice of a packet of so many samples. False when its time does not fit those before: everything was forgotten.
    pub(crate) fn observe(&mut self, timestamp: i64, samples: u32, arrival: Instant) -> bool {
        let transit = self.transit_at(timestamp, arrival);
        let fits = self.transit.is_empty()
            || (transit - self.fastest).unsigned_abs() < OTHER_CLOCK.as_micros() as u64;
        if !fits {
            self.transit.clear();
        }
        self.transit.push_back(transit);
        let window = (WINDOW / samples.max(1)) as usize;
        while self.transit.len() > window.max(1) {
            self.transit.pop_front();
        }
        self.fastest = self.transit.iter().copied().min().unwrap_or(transit);
        self.target = self.late_bound();
        fits
    }

    /// The wanted delay between the earliest possible arrival of a packet and its playing.
    pub(crate) const fn target(&self) -> Duration {
        self.target
    }

    /// How much later than at its earliest possible arrival a packet would be played now, in microseconds; negative
    /// when it would be played earlier than it could be expected.
    pub(crate) fn delay_at(&self, timestamp: i64, now: Instant) -> i64 {
        match self.origin {
            Some(origin) => micros_since(origin, now) - media_micros(timestamp) - self.fastest,
            None => 0,
        }
    }

    fn transit_at(&mut self, timestamp: i64, arrival: Instant) -> i64 {
        let origin = *self.origin.get_or_insert(arrival);
        micros_since(origin, arrival) - media_micros(timestamp)
    }

    /// The jitter that all but a few packets stay under.
    fn late_bound(&self) -> Duration {
        let mut sorted: Vec<i64> = self.transit.iter().copied().collect();
        let allowed_late = (sorted.len() as f64 * LATE_SHARE) as usize;
        let index = sorted.len() - 1 - allowed_late.min(sorted.len() - 1);
        let (_, bound, _) = sorted.select_nth_unstable(index);
        let jitter = Duration::from_micros((*bound - self.fastest).unsigned_abs());
        (jitter + MARGIN).min(MAX_TARGET)
    }
}

fn micros_since(origin: Instant, at: Instant) -> i64 {
    match at.checked_duration_since(origin) {
        Some(after) => after.as_micros() as i64,
        None => -(origin.duration_since(at).as_micros() as i64),
    }
}
