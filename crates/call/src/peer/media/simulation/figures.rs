//! What somebody sees of the other side's pictures.

use std::time::{Duration, Instant};

/// A picture that came through.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub captured_at: Instant,
    pub at: Instant,
}

/// Some seconds of pictures.
#[derive(Debug)]
pub struct Figures {
    pub p50: Duration,
    pub p95: Duration,
    pub frames_per_second: f64,
    /// Share of the time in freezes, as W3C defines them: gaps over the larger of 3 × the mean and the mean + 150 ms.
    pub frozen: f64,
    pub longest_gap: Duration,
    /// When the first picture came that was captured in this time.
    pub first: Option<Duration>,
}

impl Figures {
    pub fn of(shown: &[Shown], from: Instant, until: Instant) -> Self {
        let within: Vec<_> = shown
            .iter()
            .filter(|shown| (from..until).contains(&shown.at))
            .collect();
        let mut ages: Vec<_> = within
            .iter()
            .map(|shown| shown.at - shown.captured_at)
            .collect();
        ages.sort();
        let age = |share: f64| {
            let rank = (ages.len() as f64 * share) as usize;
            ages.get(rank).copied().unwrap_or(until - from)
        };
        let time = until - from;
        let ends = within.iter().map(|shown| shown.at).chain([until]);
        let begins = [from]
            .into_iter()
            .chain(within.iter().map(|shown| shown.at));
        let gaps: Vec<_> = ends.zip(begins).map(|(end, begin)| end - begin).collect();
        let mean = time / gaps.len() as u32;
        let freeze = (3 * mean).max(mean + Duration::from_millis(150));
        let frozen: Duration = gaps.iter().filter(|&&gap| gap > freeze).sum();
        Self {
            p50: age(0.5),
            p95: age(0.95),
            frames_per_second: within.len() as f64 / time.as_secs_f64(),
            frozen: frozen.as_secs_f64() / time.as_secs_f64(),
            longest_gap: gaps.into_iter().max().unwrap_or(time),
            first: shown
                .iter()
                .find(|shown| shown.captured_at >= from)
                .map(|shown| shown.at - from),
        }
    }
}
