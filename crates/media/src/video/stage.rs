//! How long pictures take for a part of their way.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is remembered of the last second: no more pictures than this, however fast they come.
const MOST: usize = 240;

/// “The last second.”
const SECOND: Duration = Duration::from_secs(1);

/// A part of the way, such as coding. Sans-IO: it is told how long each picture took and when that was.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    recent: VecDeque<(Instant, Duration)>,
    total: Duration,
    count: u64,
}

/// How long the pictures of the last second took, in milliseconds; nothing where there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageTimes {
    /// On average: those of the stages of a way add up to that of the way.
    pub mean: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// Of a hundred, 95 are quicker.
    pub p95: Option<f64>,
}

impl Stage {
    /// A picture took so long, and has just come out.
    pub fn add(&mut self, took: Duration, now: Instant) {
        self.total += took;
        self.count += 1;
        if self.recent.len() == MOST {
            self.recent.pop_front();
        }
        self.recent.push_back((now, took));
        self.forget(now);
    }

    /// The figures of the last second.
    pub fn times(&mut self, now: Instant) -> StageTimes {
        self.forget(now);
        let mut sorted: Vec<f64> = self
            .recent
            .iter()
            .map(|(_, took)| took.as_secs_f64() * 1_000.0)
            .collect();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            let index = (sorted.len() * percent).div_ceil(100).max(1) - 1;
            sorted.get(index).copied()
        };
        StageTimes {
            mean: (!sorted.is_empty()).then(|| sorted.iter().sum::<f64>() / sorted.len() as f64),
            p50: rank(50),
            p95: rank(95),
        }
    }

    /// How long all pictures took together.
    #[must_use]
    pub const fn total(&self) -> Duration {
        self.total
    }

    /// How many pictures there were.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    fn forget(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) >= SECOND)
        {
            self.recent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn figures_are_of_the_last_second_and_sums_of_all_of_it() {
        let mut stage = Stage::default();
        let start = Instant::now();
        for picture in 0..40 {
            let took = if picture < 20 { ms(50) } else { ms(picture) };
            stage.add(took, start + ms(50) * picture as u32);
        }
        let times = stage.times(start + ms(50 * 39));
        assert_eq!(times.mean, Some(29.5));
        assert_eq!((times.p50, times.p95), (Some(29.0), Some(38.0)));
        assert_eq!(stage.count(), 40);
        assert_eq!(stage.total(), ms(20 * 50 + 590));
        assert_eq!(stage.times(start + ms(4_000)), StageTimes::default());
    }

    #[test]
    fn a_flood_is_not_remembered() {
        let mut stage = Stage::default();
        let now = Instant::now();
        for _ in 0..10_000 {
            stage.add(ms(1), now);
        }
        assert_eq!(stage.recent.len(), MOST);
        assert_eq!(stage.count(), 10_000);
    }
}
