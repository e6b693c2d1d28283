//! How much loss the sound is made ready for.

use std::time::Instant;

/// Each packet of sound carries a copy of the one before when loss is to be expected, and it always is: the first packet
/// that gets lost shall be made up as well.
const FLOOR: f64 = 0.03;

/// How much of what was expected is forgotten in a second in which less was lost. Losses come in bursts, so a report
/// without any does not mean that it is over.
const DECLINE: f64 = 0.05;

/// The loss that the newest reports let expect.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExpectedLoss {
    share: f64,
    at: Option<Instant>,
}

impl ExpectedLoss {
    /// Takes the share of packets lost by the newest report, 0 to 1. Gives what to expect, in percent.
    pub(super) fn update(&mut self, share: f64, now: Instant) -> u8 {
        let share = share.clamp(0.0, 1.0);
        let passed = self
            .at
            .map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        self.at = Some(now);
        let kept = (1.0 - DECLINE).powf(passed);
        self.share = share.max(share + (self.share - share) * kept);
        (self.share.max(FLOOR) * 100.0).round() as u8
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to begin somewhere"
    )]
    fn rises_at_once_declines_slowly_and_never_ends() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut expected = ExpectedLoss::default();
        assert_eq!(expected.update(0.0, at(0)), 3);
        assert_eq!(expected.update(0.2, at(1)), 20);
        assert_eq!(expected.update(0.0, at(2)), 19);
        let later: Vec<u8> = (3..103).map(|s| expected.update(0.0, at(s))).collect();
        assert!(
            later.is_sorted_by(|a, b| a >= b) && later[5] > 5,
            "{later:?}"
        );
        assert_eq!(later[99], 3);
        assert_eq!(expected.update(7.0, at(103)), 100);
    }
}
