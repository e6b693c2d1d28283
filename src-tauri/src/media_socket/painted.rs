//! What is known of the remote pictures once the window has painted them.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use vireo_call::PlaybackStats;
use vireo_media::video::{FreezeDetector, Stage};

/// No more pictures than this are on their way to the window; of those before them it will say nothing any more.
const MOST_UNDERWAY: usize = 64;

/// The remote pictures of one call.
#[derive(Debug, Default)]
pub struct Painted {
    /// The RTP time of each picture that the window has not painted yet, and when it was handed over.
    underway: VecDeque<(u32, Instant)>,
    decode: Stage,
    paint: Stage,
    /// In the decoder alone.
    decoding: Duration,
    freezes: FreezeDetector,
    first_at: Option<Instant>,
}

impl Painted {
    /// A picture goes to whoever decodes it.
    pub fn handed_over(&mut self, timestamp: u32, at: Instant) {
        if self.underway.len() == MOST_UNDERWAY {
            self.underway.pop_front();
        }
        self.underway.push_back((timestamp, at));
    }

    /// The window has just painted this picture, after so long in its decoder and so long painting.
    pub fn painted(
        &mut self,
        timestamp: u32,
        decoding: Duration,
        painting: Duration,
        now: Instant,
    ) {
        let mut underway = self.underway.iter();
        let Some(place) = underway.position(|(other, _)| *other == timestamp) else {
            return;
        };
        let since = now.saturating_duration_since(self.underway[place].1);
        self.underway.drain(..=place);
        // The window's figures cannot be longer than what has passed.
        let painting = painting.min(since);
        self.decode.add(since - painting, now);
        self.paint.add(painting, now);
        self.decoding += decoding.min(since);
        self.freezes.frame(now);
        self.first_at.get_or_insert(now);
    }

    /// The other side's camera went off: the gap that follows is no freeze.
    pub fn pause(&mut self) {
        self.freezes.pause();
    }

    /// How many pictures have been painted.
    pub fn count(&self) -> u64 {
        self.paint.count()
    }

    /// How long a picture usually takes until it is painted.
    pub fn until_seen(&mut self, now: Instant) -> Duration {
        let usual = [&mut self.decode, &mut self.paint].map(|stage| stage.times(now).p50);
        let ms: f64 = usual.into_iter().flatten().sum();
        Duration::from_secs_f64(ms / 1_000.0)
    }

    /// The counters so far, and the figures of the last second; sizes and rates are others' matter.
    pub fn stats(&mut self, now: Instant) -> PlaybackStats {
        PlaybackStats {
            frames_decoded: self.count(),
            freeze_count: self.freezes.count(),
            total_freezes_duration: self.freezes.total().as_secs_f64(),
            first_decoded_at: self.first_at,
            total_decode_time: self.decoding,
            decode: self.decode.times(now),
            paint: self.paint.times(now),
            ..PlaybackStats::default()
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
    fn decoding_and_painting_are_what_passed_since_a_picture_was_handed_over() {
        let start = Instant::now();
        let mut painted = Painted::default();
        painted.handed_over(7, start);
        painted.handed_over(3_007, start + ms(33));
        // The first was dropped on its way.
        painted.painted(3_007, ms(4), ms(2), start + ms(43));
        painted.painted(7, ms(4), ms(2), start + ms(44));
        let stats = painted.stats(start + ms(50));
        assert_eq!(stats.frames_decoded, 1);
        assert_eq!(
            (stats.decode.mean, stats.paint.mean),
            (Some(8.0), Some(2.0))
        );
        assert_eq!(stats.total_decode_time, ms(4));
        assert_eq!(stats.first_decoded_at, Some(start + ms(43)));
        assert_eq!(painted.until_seen(start + ms(50)), ms(10));
    }

    #[test]
    fn what_a_window_says_is_bounded() {
        let start = Instant::now();
        let mut painted = Painted::default();
        for timestamp in 0..1_000 {
            painted.handed_over(timestamp, start);
        }
        assert_eq!(painted.underway.len(), MOST_UNDERWAY);
        painted.painted(999, ms(1_000_000), ms(1_000_000), start + ms(5));
        let stats = painted.stats(start + ms(5));
        assert_eq!(stats.total_decode_time, ms(5));
        assert_eq!(stats.paint.mean, Some(5.0));
    }
}
