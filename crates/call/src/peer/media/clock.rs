//! The clocks of RTP and RTCP.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds from 1900 to 1970.
const NTP_EPOCH_OFFSET: u64 = 2_208_988_800;

/// Ticks of the video clock in a second (RFC 6184, RFC 7741).
pub(crate) const VIDEO_CLOCK_RATE: u32 = 90_000;

/// Ticks of the audio clock in a second (RFC 7587).
pub(crate) const AUDIO_CLOCK_RATE: u32 = 48_000;

/// Relates this process's monotonic time to wall-clock time, once: a clock that is set during a call must not
/// look like delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    unix: Duration,
}

impl Clock {
    pub fn new(now: Instant, wall: SystemTime) -> Self {
        Self {
            start: now,
            unix: wall.duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// NTP time, 32.32 fixed point (RFC 3550).
    pub fn ntp(&self, now: Instant) -> u64 {
        let time = self.unix + now.saturating_duration_since(self.start);
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        (time.as_secs().wrapping_add(NTP_EPOCH_OFFSET) << 32) | fraction
    }

    /// How many ticks of a clock lie between the start and an instant, before or after it; wraps around.
    pub fn ticks(&self, at: Instant, rate: u32) -> u32 {
        let ticks =
            |duration: Duration| (duration.as_micros() * u128::from(rate) / 1_000_000) as u32;
        match at.checked_duration_since(self.start) {
            Some(after) => ticks(after),
            None => ticks(self.start - at).wrapping_neg(),
        }
    }
}

/// The middle 32 bits of NTP time, which is what reports carry.
pub(crate) fn compact(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// Turns 1/65536 s into time.
pub(crate) fn from_compact(ticks: u32) -> Duration {
    Duration::from_micros((u64::from(ticks) * 1_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_and_ticks() {
        let now = Instant::now();
        let clock = Clock::new(now, UNIX_EPOCH + Duration::from_secs(1));
        assert_eq!(clock.ntp(now) >> 32, NTP_EPOCH_OFFSET + 1);
        let later = now + Duration::from_millis(1_500);
        let elapsed = compact(clock.ntp(later)).wrapping_sub(compact(clock.ntp(now)));
        assert_eq!(from_compact(elapsed).as_millis(), 1_500);
        assert_eq!(clock.ticks(later, VIDEO_CLOCK_RATE), 135_000);
        let clock = Clock::new(later, UNIX_EPOCH);
        assert_eq!(
            clock.ticks(now, AUDIO_CLOCK_RATE),
            72_000_u32.wrapping_neg()
        );
    }
}
