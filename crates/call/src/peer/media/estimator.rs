//! How much the path takes.

use std::time::{Duration, Instant};

use super::{
    pacer::Probe,
    transport_cc::{Fate, SentPacket},
};

/// What feedback shows beside the fates of single packets.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct PathState {
    /// How long the last packet that arrived waited in queues.
    pub waited: Option<Duration>,
    /// How long the one of these packets that waited least did so.
    pub least_waited: Option<Duration>,
    /// The share of packets that get lost although no queue is full.
    pub lost_by_chance: f64,
}

/// Watches what is sent and what becomes of it.
pub(crate) trait BandwidthEstimator: Send {
    /// A packet has left.
    fn sent(&mut self, packet: &SentPacket, bytes_in_flight: usize);

    /// Feedback about single packets has come (transport-wide congestion control).
    fn feedback(&mut self, now: Instant, fates: &[Fate], bytes_in_flight: usize, path: PathState);

    /// A round trip has been measured.
    fn round_trip(&mut self, now: Instant, round_trip: Duration);

    /// The other side reports the share of packets lost since its last report.
    fn loss(&mut self, now: Instant, share: f64);

    /// The other side wants no more than this, in bits a second (REMB).
    fn limit(&mut self, now: Instant, bits_per_second: u32);

    /// Time has passed. To be called several times a second.
    fn tick(&mut self, now: Instant);

    /// The estimate, in bits a second, everything on the wire counted.
    fn estimate(&self) -> u32;

    /// What the narrowest place of the path takes, in bits a second, where that is known.
    fn path_rate(&self) -> Option<f64>;

    /// A probe that should be carried out.
    fn take_probe(&mut self) -> Option<Probe>;
}

/// For a peer that gives no feedback about single packets: more while nothing is lost, less when much is, and never
/// more than the receiver says.
#[derive(Debug)]
pub(crate) struct LossBased {
    estimate: f64,
    min: f64,
    max: f64,
    limit: f64,
}

impl LossBased {
    /// Less loss than this is noise.
    const LOW_LOSS: f64 = 0.02;
    /// More than this means the path is full.
    const HIGH_LOSS: f64 = 0.1;
    /// Growth with each report (one a second).
    const INCREASE: f64 = 1.15;

    /// All in bits a second.
    pub fn new(start: u32, min: u32, max: u32) -> Self {
        Self {
            estimate: f64::from(start),
            min: f64::from(min),
            max: f64::from(max),
            limit: f64::INFINITY,
        }
    }
}

impl BandwidthEstimator for LossBased {
    fn sent(&mut self, _packet: &SentPacket, _bytes_in_flight: usize) {}

    fn feedback(
        &mut self,
        _now: Instant,
        _fates: &[Fate],
        _bytes_in_flight: usize,
        _path: PathState,
    ) {
    }

    fn round_trip(&mut self, _now: Instant, _round_trip: Duration) {}

    fn loss(&mut self, _now: Instant, share: f64) {
        if share > Self::HIGH_LOSS {
            self.estimate *= 1.0 - share / 2.0;
        } else if share < Self::LOW_LOSS {
            self.estimate *= Self::INCREASE;
        }
        self.estimate = self.estimate.clamp(self.min, self.max);
    }

    fn limit(&mut self, _now: Instant, bits_per_second: u32) {
        self.limit = f64::from(bits_per_second);
    }

    fn tick(&mut self, _now: Instant) {}

    fn estimate(&self) -> u32 {
        self.estimate.min(self.limit).max(self.min) as u32
    }

    fn path_rate(&self) -> Option<f64> {
        None
    }

    fn take_probe(&mut self) -> Option<Probe> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_feedback_loss_and_the_receiver_decide() {
        let now = Instant::now();
        let mut estimator = LossBased::new(1_000_000, 50_000, 2_000_000);
        for _ in 0..10 {
            estimator.loss(now, 0.0);
        }
        assert_eq!(estimator.estimate(), 2_000_000);
        estimator.loss(now, 0.05);
        assert_eq!(estimator.estimate(), 2_000_000);
        estimator.loss(now, 0.5);
        assert_eq!(estimator.estimate(), 1_500_000);
        estimator.limit(now, 400_000);
        assert_eq!(estimator.estimate(), 400_000);
        for _ in 0..100 {
            estimator.loss(now, 1.0);
        }
        assert_eq!(estimator.estimate(), 50_000);
    }
}
