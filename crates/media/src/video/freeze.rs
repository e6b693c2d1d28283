//! Freezes, as W3C webrtc-stats defines them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The mean is taken over so many frames.
const WINDOW: usize = 30;

/// A gap this much longer than the mean is a freeze, however low the frame rate.
const MARGIN: Duration = Duration::from_millis(150);

/// Counts gaps between pictures of at least max(3 × mean, mean + 150 ms), the mean being that of the last 30 gaps.
#[derive(Debug, Default)]
pub struct FreezeDetector {
    last: Option<Instant>,
    gaps: VecDeque<Duration>,
    count: u64,
    total: Duration,
}

impl FreezeDetector {
    /// A picture is shown.
    pub fn frame(&mut self, now: Instant) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let gap = now.saturating_duration_since(last);
        if let Some(mean) = self.mean()
            && gap >= (mean * 3).max(mean + MARGIN)
        {
            self.count += 1;
            self.total += gap;
        }
        if self.gaps.len() == WINDOW {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
    }

    /// The other side switched its camera off: the gap until the next picture is no freeze.
    pub fn pause(&mut self) {
        self.last = None;
    }

    /// How many freezes there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How long they lasted together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }

    fn mean(&self) -> Option<Duration> {
        let gaps = u32::try_from(self.gaps.len())
            .ok()
            .filter(|gaps| *gaps > 0)?;
        Some(self.gaps.iter().sum::<Duration>() / gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detector that has seen frames with these gaps in milliseconds.
    fn seen(gaps: impl IntoIterator<Item = u64>) -> FreezeDetector {
        let mut detector = FreezeDetector::default();
        let mut now = Instant::now();
        detector.frame(now);
        for gap in gaps {
            now += Duration::from_millis(gap);
            detector.frame(now);
        }
        detector
    }

    #[test]
    fn an_even_stream_never_freezes() {
        assert_eq!(seen([33; 100]).count(), 0);
    }

    #[test]
    fn at_thirty_frames_a_second_the_margin_decides() {
        assert_eq!(seen([30, 30, 30, 179]).count(), 0);
        let frozen = seen([30, 30, 30, 180]);
        assert_eq!(frozen.count(), 1);
        assert_eq!(frozen.total(), Duration::from_millis(180));
    }

    #[test]
    fn at_low_rates_three_times_the_mean_decides() {
        assert_eq!(seen([200, 200, 200, 599]).count(), 0);
        assert_eq!(seen([200, 200, 200, 600]).count(), 1);
    }

    #[test]
    fn a_camera_that_was_off_is_no_freeze() {
        let mut detector = seen([33; 30]);
        detector.pause();
        detector.frame(Instant::now() + Duration::from_secs(60));
        assert_eq!(detector.count(), 0);
    }
}
