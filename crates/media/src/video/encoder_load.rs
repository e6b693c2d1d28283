//! How busy the encoder's thread is.

use std::time::Duration;

/// So many pictures make a measurement: half a second's at 30 a second.
const PICTURES: u32 = 15;

/// The share of the time between two pictures that one of them takes.
#[derive(Debug, Default)]
pub(super) struct EncoderLoad {
    busy: Duration,
    wanted: Duration,
    pictures: u32,
    share: Option<f64>,
}

impl EncoderLoad {
    /// A picture took so long; none is due before `interval` has passed, or the picture was not wanted at all (None).
    pub(super) fn took(&mut self, time: Duration, interval: Option<Duration>) {
        self.busy += time;
        let Some(interval) = interval else {
            return;
        };
        self.wanted += interval;
        self.pictures += 1;
        if self.pictures >= PICTURES {
            let share = self.busy.as_secs_f64() / self.wanted.as_secs_f64();
            *self = Self {
                share: Some(share),
                ..Self::default()
            };
        }
    }

    /// 1 means that the encoder just keeps up; none before enough was measured.
    pub(super) fn share(&self) -> Option<f64> {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_that_of_the_last_half_second() {
        let ms = Duration::from_millis;
        let mut load = EncoderLoad::default();
        let mut measure = |time, between| {
            for _ in 0..PICTURES {
                load.took(ms(time), Some(ms(40)));
                load.took(ms(between), None);
            }
            load.share()
        };
        assert_eq!(measure(10, 0), Some(0.25));
        let slow = measure(50, 10).expect("measured");
        assert!((1.4..1.6).contains(&slow), "{slow}");
        let again = measure(10, 0).expect("measured");
        assert!(again < 0.3, "{again}");
        assert_eq!(EncoderLoad::default().share(), None);
    }
}
