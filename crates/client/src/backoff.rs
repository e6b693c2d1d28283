//! How long to wait before the server is tried again: a pure policy.

use std::time::Duration;

/// The wait after the first failure.
pub(crate) const SHORTEST: Duration = Duration::from_millis(500);

/// The longest wait; somebody who plugs the network in again should not have to wait for more.
pub(crate) const LONGEST: Duration = Duration::from_secs(15);

/// The wait after `failures` failures in a row (1 for the first): doubled each time, up to [`LONGEST`], and shortened by up to
/// a half as `jitter` (0 to 1) says, so that a server that comes back is not met by everyone at once.
pub(crate) fn wait(failures: u32, jitter: f64) -> Duration {
    let doubled = SHORTEST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled
        .min(LONGEST)
        .mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_longest() {
        let waits: Vec<f64> = (0..8).map(|n| wait(n, 0.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]);
        assert_eq!(wait(u32::MAX, 0.0), LONGEST);
    }

    #[test]
    fn jitter_shortens_by_up_to_a_half() {
        assert_eq!(wait(3, 1.0), Duration::from_secs(1));
        assert_eq!(wait(3, 7.0), Duration::from_secs(1));
        assert_eq!(wait(3, -7.0), Duration::from_secs(2));
    }
}
