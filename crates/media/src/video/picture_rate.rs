//! How many pictures a camera really gives. In the dark many expose for longer, and give half of what they say.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many distances between pictures make a measurement: half a second's at 30 a second.
const DISTANCES: usize = 15;

/// After a hole like this it is measured anew: the camera was not there, or the computer slept.
const HOLE: Duration = Duration::from_secs(1);

/// By such a share another rate is another one; what is less is how punctual a camera is.
const IS_ANOTHER: f64 = 0.15;

/// Watches one camera.
#[derive(Debug, Default)]
pub(super) struct PictureRate {
    times: VecDeque<Instant>,
    rate: Option<f64>,
}

impl PictureRate {
    /// A picture has come.
    pub(super) fn saw(&mut self, captured_at: Instant) {
        let since = |before: &Instant| captured_at.saturating_duration_since(*before);
        if self.times.back().is_some_and(|before| since(before) > HOLE) {
            self.times.clear();
        }
        self.times.push_back(captured_at);
        if self.times.len() <= DISTANCES {
            return;
        }
        let first = self.times.pop_front();
        let took = first
            .as_ref()
            .map_or(0.0, |first| since(first).as_secs_f64());
        let measured = DISTANCES as f64 / took.max(0.001);
        let is_same = |rate: f64| (measured - rate).abs() <= IS_ANOTHER * rate;
        if !self.rate.is_some_and(is_same) {
            self.rate = Some(measured);
        }
    }

    /// Pictures a second; none before enough have come.
    pub(super) fn per_second(&self) -> Option<u32> {
        self.rate.map(|rate| rate.round().max(1.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_the_camera_and_not_its_jitter() {
        let mut rate = PictureRate::default();
        let mut now = Instant::now();
        let mut see = |pictures: u32, milliseconds: u64| {
            for number in 0..pictures {
                now += Duration::from_millis(milliseconds);
                // Every other one is late.
                rate.saw(now + Duration::from_millis(u64::from(number % 2) * 8));
            }
            rate.per_second()
        };
        assert_eq!(see(10, 33), None);
        assert_eq!(see(10, 33), Some(30));
        assert_eq!(see(100, 33), Some(30));
        let dark = see(20, 66).expect("it is known");
        assert!((15..=17).contains(&dark), "{dark}");
        let light = see(20, 33).expect("it is known");
        assert!((27..=31).contains(&light), "{light}");
        assert_eq!(see(1, 5_000), Some(light), "a hole says nothing");
    }
}
