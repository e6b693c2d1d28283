//! Chance, with a fixed seed: the same packets meet the same fates in every run.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::Loss;

/// Decides for each packet.
#[derive(Debug)]
pub struct Fate {
    random: StdRng,
    in_burst: bool,
}

impl Fate {
    pub fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            in_burst: false,
        }
    }

    /// True once in so many times.
    pub fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    /// Anything from 0 to 1.
    pub fn share(&mut self) -> f64 {
        self.random.random()
    }

    /// Whether the next packet gets lost.
    pub fn loses(&mut self, loss: Loss) -> bool {
        match loss {
            Loss::None => false,
            Loss::Random(share) => self.happens(share),
            Loss::Bursts { share, length } => {
                // A burst ends with 1 / length; what begins one follows from the share of packets that lie in bursts.
                let ends = 1.0 / length.max(1.0);
                let begins = ends * share / (1.0 - share).max(f64::EPSILON);
                let changes = if self.in_burst { ends } else { begins };
                self.in_burst ^= self.happens(changes);
                self.in_burst
            }
        }
    }
}
