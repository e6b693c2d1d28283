//! How long to wait before the server is tried again: a pure policy.
//!
//! A server that is updated is away for seconds, and whoever is called in that time should not miss it: in the first minute a
//! client is back within a second of the server's return. After that it asks less and less often.

use std::time::Duration;

/// The wait after the connection was lost: most often another server, or the next process, is there already.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait within the first minute.
const EARLY: Duration = Duration::from_millis(700);

/// The longest wait of all; somebody who plugs the network in again should not have to wait for more.
const LONGEST: Duration = Duration::from_secs(15);

/// Later on the longest wait is this part of the time that has passed already.
const SHARE: u32 = 80;

/// The wait before the next try, after so many that failed since the connection was lost (0: none yet), that long ago. It is
/// shortened by up to a half (the first one by up to four fifths) as `jitter` (0 to 1) says, so that a server that comes back is
/// not met by everyone at once.
pub(crate) fn wait(tries: u32, lost_for: Duration, jitter: f64) -> Duration {
    let jitter = jitter.clamp(0.0, 1.0);
    match tries {
        0 => FIRST.mul_f64(1.0 - 0.8 * jitter),
        _ => (lost_for / SHARE)
            .clamp(EARLY, LONGEST)
            .mul_f64(1.0 - 0.5 * jitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_first_try_comes_soon_and_not_for_everyone_at_once() {
        let millis = |jitter| wait(0, MINUTE, jitter).as_millis();
        assert_eq!([millis(0.0), millis(0.5), millis(1.0)], [250, 150, 50]);
        assert_eq!([millis(-7.0), millis(7.0)], [250, 50]);
    }

    #[test]
    fn tries_are_frequent_for_a_minute_and_get_rarer_after_it() {
        let longest = |minutes| wait(3, minutes * MINUTE, 0.0).as_secs_f64();
        let waits: Vec<f64> = [0, 1, 2, 10, 20, 600].into_iter().map(longest).collect();
        assert_eq!(waits, [0.7, 0.75, 1.5, 7.5, 15.0, 15.0]);
        assert_eq!(wait(u32::MAX, Duration::MAX, 0.0), LONGEST);
        assert_eq!(wait(1, MINUTE / 2, 1.0), Duration::from_millis(350));
    }

    /// A thousand clients, a server that is away for a time up to a minute: from its return on until each tries.
    #[test]
    fn nearly_everybody_is_back_within_a_second_of_the_servers_return() {
        let mut seed: u64 = 7;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let mut late: Vec<Duration> = (0..1_000)
            .map(|_| {
                let away = MINUTE.mul_f64(random());
                let (mut tried, mut tries) = (wait(0, Duration::ZERO, random()), 1);
                while tried < away {
                    tried += wait(tries, tried, random());
                    tries += 1;
                }
                tried - away
            })
            .collect();
        late.sort();
        // Connecting and greeting take some of the second as well.
        assert!(late[989] < Duration::from_millis(700), "{:?}", late[989]);
    }
}
