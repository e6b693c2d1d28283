//! How much more than usual what is before the camera needs.

use std::mem;
use std::time::{Duration, Instant};

use vireo_media::video::LeftOut;

/// An encoder that leaves out more of the pictures than this has too few bits for pictures of that size.
const TOO_MANY: f64 = 0.04;
/// A little more than what turned out to be too little is needed,
const BEYOND: f64 = 1.1;
/// but never so many times what is usual.
const MOST: f64 = 4.0;
/// It may have been a moment of movement: after so long without
const EASES_EVERY: Duration = Duration::from_secs(60);
/// the need is taken to be so much of what it was. Where it was not, finding that out costs seconds of pictures that come late,
/// and is tried again after twice as long,
const EASES: f64 = 0.7;
/// up to this.
const EASES_AT_LEAST_EVERY: Duration = Duration::from_secs(8 * 60);
/// A path that gives so many times what was too little is another one. How much the pictures need is found out anew there: with
/// so few bits it was what the smallest sizes need, of which every pixel takes more.
const ANOTHER_PATH: f64 = 2.0;

/// A face before a wall needs few bits, leaves in the wind many. An encoder that does not get them leaves pictures out, and those that
/// it sends vary in size, so that some come late: fewer pixels look better then.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    factor: f64,
    /// The most that turned out to be too little, in bits a second.
    too_little: f64,
    changed_at: Option<Instant>,
    /// After so long it eases.
    patience: Duration,
    /// Whether it has since the encoder lacked bits last.
    eased: bool,
}

impl Demand {
    pub(super) fn new() -> Self {
        Self {
            factor: 1.0,
            too_little: 0.0,
            changed_at: None,
            patience: EASES_EVERY,
            eased: false,
        }
    }

    /// Takes what is left out of the pictures, where it is known, what is usual for their size and what is there for them, both
    /// in bits a second. Gives how many times what is usual they need.
    pub(super) fn update(
        &mut self,
        left_out: Option<LeftOut>,
        usual: f64,
        available: f64,
        now: Instant,
    ) -> f64 {
        if self.factor > 1.0 && available >= ANOTHER_PATH * self.too_little {
            *self = Self::new();
        }
        let changed_at = *self.changed_at.get_or_insert(now);
        let given = left_out
            .filter(|left_out| left_out.share > TOO_MANY)
            .map(|left_out| f64::from(left_out.bits_per_second));
        if let Some(given) = given.filter(|given| available < ANOTHER_PATH * given) {
            self.too_little = self.too_little.max(given);
            self.factor = self.factor.max((given / usual * BEYOND).min(MOST));
            self.changed_at = Some(now);
            if mem::take(&mut self.eased) {
                self.patience = (self.patience * 2).min(EASES_AT_LEAST_EVERY);
            }
        } else if now.saturating_duration_since(changed_at) >= self.patience {
            self.changed_at = Some(now);
            self.eased = self.factor > 1.0;
            if !self.eased {
                self.patience = EASES_EVERY;
            }
            self.factor = (self.factor * EASES).max(1.0);
        }
        self.factor
    }
}
