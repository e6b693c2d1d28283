//! How much more than usual what is before the camera needs.

use std::time::{Duration, Instant};

/// An encoder that leaves out more of the pictures than this has too few bits for pictures of that size.
const TOO_MANY: f64 = 0.04;
/// A little more than what turned out to be too little is needed,
const BEYOND: f64 = 1.1;
/// but never so many times what is usual.
const MOST: f64 = 4.0;
/// It may have been a moment of movement: after so long without
const EASES_EVERY: Duration = Duration::from_secs(20);
/// the need is taken to be so much of what it was.
const EASES: f64 = 0.85;

/// A face before a wall needs few bits, leaves in the wind many. An encoder that does not get them leaves pictures out, and those that
/// it sends vary in size, so that some come late: fewer pixels look better then.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    factor: f64,
    changed_at: Option<Instant>,
}

impl Demand {
    pub(super) fn new() -> Self {
        Self {
            factor: 1.0,
            changed_at: None,
        }
    }

    /// Takes the share of the pictures that are left out, where it is known, and how many times what is usual for their size
    /// they get. Gives how many times what is usual they need.
    pub(super) fn update(&mut self, left_out: Option<f64>, given: f64, now: Instant) -> f64 {
        let changed_at = *self.changed_at.get_or_insert(now);
        if left_out.is_some_and(|share| share > TOO_MANY) {
            self.factor = self.factor.max((given * BEYOND).min(MOST));
            self.changed_at = Some(now);
        } else if now.saturating_duration_since(changed_at) >= EASES_EVERY {
            self.factor = (self.factor * EASES).max(1.0);
            self.changed_at = Some(now);
        }
        self.factor
    }
}
