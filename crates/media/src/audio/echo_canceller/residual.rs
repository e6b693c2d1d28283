//! Reckons what the filter has left of the echo.

use super::spectrum::{BINS, Bins};

/// How fast is learnt what share of the echo is left, every 10 ms.
const RATE: f32 = 0.004;

/// A filter is never thought to leave less than this share: a loudspeaker that distorts sees to that.
const LEAST_SHARE: f32 = 0.003;

/// What reverberation is left of an echo after 10 ms.
const FADING: f32 = 0.6;

/// Samples this weak say nothing.
const SILENCE: f32 = 1e-9;

/// By how the power of what is left follows that of the echo: it does not follow somebody who speaks meanwhile (Valin, “On
/// adjusting the learning rate in frequency domain echo cancellation with double-talk”, 2007).
pub struct Residual {
    left_mean: Bins,
    echo_mean: Bins,
    covariance: Bins,
    variance: Bins,
    power: Bins,
}

impl Residual {
    pub fn new() -> Self {
        Self {
            left_mean: [0.0; BINS],
            echo_mean: [0.0; BINS],
            // All of it is left.
            covariance: [SILENCE; BINS],
            variance: [SILENCE; BINS],
            power: [0.0; BINS],
        }
    }

    /// The power of the residual echo at each frequency, given that of what is left in all, that of the echo as it was
    /// predicted and that of the filter's own doubts.
    pub fn estimate(&mut self, left: &Bins, echo: &Bins, doubted: &Bins) -> &Bins {
        for k in 0..BINS {
            // Little is learnt where little is played.
            let rate = RATE * (echo[k] / (left[k] + SILENCE)).clamp(0.05, 1.0);
            self.left_mean[k] += rate * (left[k] - self.left_mean[k]);
            self.echo_mean[k] += rate * (echo[k] - self.echo_mean[k]);
            let (left, echo) = (left[k] - self.left_mean[k], echo[k] - self.echo_mean[k]);
            self.covariance[k] += rate * (left * echo - self.covariance[k]);
            self.variance[k] += rate * (echo * echo - self.variance[k]);
        }
        let shares = self.shares();
        for (k, share) in shares.iter().enumerate() {
            let now = (share * echo[k]).max(doubted[k]);
            self.power[k] = now.max(FADING * self.power[k]);
        }
        &self.power
    }

    /// What was estimated last.
    pub const fn power(&self) -> &Bins {
        &self.power
    }

    /// How much of the echo the filter leaves, of all frequencies.
    pub fn share(&self) -> f32 {
        let shares = self.shares();
        let left: f32 = shares
            .iter()
            .zip(&self.echo_mean)
            .map(|(share, echo)| share * echo)
            .sum();
        let echo: f32 = self.echo_mean.iter().sum();
        (left + SILENCE) / (echo + SILENCE)
    }

    /// At each frequency, evened out over its neighbours.
    fn shares(&self) -> Bins {
        let shares: Bins = std::array::from_fn(|k| {
            (self.covariance[k] / (self.variance[k] + SILENCE * SILENCE)).clamp(0.0, 1.0)
        });
        std::array::from_fn(|k| {
            let around = &shares[k.saturating_sub(3)..(k + 4).min(BINS)];
            (around.iter().sum::<f32>() / around.len() as f32).max(LEAST_SHARE)
        })
    }
}
