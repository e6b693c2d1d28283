//! Percentiles of the latency of a whole call, however long, in bounded memory.

use vireo_call::LatencyStats;

/// The time code's resolution is a tenth of a millisecond, so that is a bucket.
const BUCKETS_PER_MS: f64 = 10.0;

/// An age of more than 10 s is no latency but an unreadable time code.
const MAX_MS: f64 = 10_000.0;

/// A histogram of ages from 0 to 10 s in steps of 0.1 ms.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: Vec<u32>,
    count: u64,
}

impl Histogram {
    /// Adds an age in milliseconds. Ages outside 0–10 s are left out.
    pub fn add(&mut self, ms: f64) {
        if !(0.0..=MAX_MS).contains(&ms) {
            return;
        }
        let bucket = (ms * BUCKETS_PER_MS).round() as usize; // At most 100,000.
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
    }

    /// The percentiles so far, by nearest rank.
    pub fn percentiles(&self) -> LatencyStats {
        LatencyStats {
            p50: self.percentile(0.50),
            p95: self.percentile(0.95),
            p99: self.percentile(0.99),
            count: self.count,
        }
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let rank = (share * self.count as f64).ceil() as u64;
        let mut below = 0;
        self.buckets
            .iter()
            .position(|bucket| {
                below += u64::from(*bucket);
                below >= rank.max(1)
            })
            .map(|bucket| bucket as f64 / BUCKETS_PER_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_null_not_zero() {
        let nothing = Histogram::default().percentiles();
        assert_eq!(nothing, LatencyStats::default());
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut histogram = Histogram::default();
        for ms in (1..=100).rev() {
            histogram.add(f64::from(ms));
        }
        let percentiles = histogram.percentiles();
        assert_eq!(percentiles.p50, Some(50.0));
        assert_eq!(percentiles.p95, Some(95.0));
        assert_eq!(percentiles.p99, Some(99.0));
        assert_eq!(percentiles.count, 100);
    }

    #[test]
    fn ages_outside_ten_seconds_are_no_latency() {
        let mut histogram = Histogram::default();
        for ms in [-0.1, 10_000.1, f64::NAN, f64::INFINITY] {
            histogram.add(ms);
        }
        histogram.add(10_000.0);
        assert_eq!(histogram.percentiles().count, 1);
    }
}
