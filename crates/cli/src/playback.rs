//! What is known of the remote pictures once they are decoded: how many, how even, how old.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vireo_call::{LatencyStats, PlaybackStats};
use vireo_media::video::{FreezeDetector, Stage};

use crate::latency::Histogram;

/// “The last second.”
const SECOND: Duration = Duration::from_secs(1);

/// The decoded pictures of one call.
#[derive(Debug, Default)]
pub struct Playback {
    frames: u64,
    width: u32,
    height: u32,
    first_at: Option<Instant>,
    freezes: FreezeDetector,
    /// The pictures of the last second, with their latencies where the time code could be read.
    second: VecDeque<(Instant, Option<f64>)>,
    call: Histogram,
    decode: Stage,
    paint: Stage,
}

impl Playback {
    /// A picture has been decoded. Returns its number, from 1.
    pub fn frame(&mut self, width: u32, height: u32, latency: Option<f64>, now: Instant) -> u64 {
        self.frames += 1;
        (self.width, self.height) = (width, height);
        self.first_at.get_or_insert(now);
        self.freezes.frame(now);
        if let Some(latency) = latency {
            self.call.add(latency);
        }
        self.second.push_back((now, latency));
        self.forget(now);
        self.frames
    }

    /// So long the last picture took from being handed over to being decoded, and from there until its time code was read,
    /// which stands for painting it.
    pub fn took(&mut self, decode: Duration, paint: Duration, now: Instant) {
        self.decode.add(decode, now);
        self.paint.add(paint, now);
    }

    /// How long a picture usually takes for both.
    pub fn until_seen(&mut self, now: Instant) -> Duration {
        let usual = [&mut self.decode, &mut self.paint].map(|stage| stage.times(now).p50);
        let ms: f64 = usual.into_iter().flatten().sum();
        Duration::from_secs_f64(ms / 1_000.0)
    }

    /// The other side's camera went off: the gap that follows is no freeze.
    pub fn pause(&mut self) {
        self.freezes.pause();
    }

    /// The counters so far, and the figures of the last second.
    pub fn stats(&mut self, now: Instant) -> PlaybackStats {
        self.forget(now);
        let mut latencies: Vec<f64> = self.second.iter().filter_map(|(_, age)| *age).collect();
        PlaybackStats {
            frames_decoded: self.frames,
            frames_per_second: self.second.len() as f64,
            frame_width: self.width,
            frame_height: self.height,
            freeze_count: self.freezes.count(),
            total_freezes_duration: self.freezes.total().as_secs_f64(),
            latency_ms: LatencyStats::of(&mut latencies),
            first_decoded_at: self.first_at,
            total_decode_time: self.decode.total(),
            decode: self.decode.times(now),
            paint: self.paint.times(now),
        }
    }

    /// How many pictures have been decoded.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Percentiles of the whole call.
    pub fn whole_call(&self) -> LatencyStats {
        self.call.percentiles()
    }

    fn forget(&mut self, now: Instant) {
        while let Some((at, _)) = self.second.front()
            && now.saturating_duration_since(*at) >= SECOND
        {
            self.second.pop_front();
        }
    }
}

/// Statistics are plain numbers: what a thread that panicked left behind is still good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_the_second_forget_and_those_of_the_call_do_not() {
        let mut playback = Playback::default();
        let start = Instant::now();
        let gap = Duration::from_millis(50);
        for frame in 0..40 {
            let latency = if frame < 20 { 20.0 } else { 10.0 };
            playback.frame(1280, 720, Some(latency), start + gap * frame);
        }
        let stats = playback.stats(start + gap * 39);
        assert_eq!(stats.frames_decoded, 40);
        assert_eq!(stats.latency_ms.count, 20);
        assert_eq!(stats.frames_per_second, 20.0);
        assert_eq!(stats.latency_ms.p99, Some(10.0));
        assert_eq!(playback.whole_call().p99, Some(20.0));
        assert_eq!(playback.whole_call().count, 40);
        assert_eq!(stats.first_decoded_at, Some(start));
    }

    #[test]
    fn a_picture_without_time_code_is_counted_and_not_measured() {
        let mut playback = Playback::default();
        let now = Instant::now();
        assert_eq!(playback.frame(640, 480, None, now), 1);
        let stats = playback.stats(now);
        assert_eq!((stats.frames_decoded, stats.latency_ms.count), (1, 0));
        assert_eq!(stats.latency_ms.p50, None);
    }
}
