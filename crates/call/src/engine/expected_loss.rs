//! How much loss the sound is made ready for.

/// Each packet of sound carries a copy of the one before when loss is to be expected, and it always is: the first packet
/// that gets lost shall be made up as well.
const FLOOR: f64 = 0.03;

/// What a report weighs that shows less loss than the ones before. Losses come in bursts, so a report without any does
/// not mean that it is over.
const DECLINE: f64 = 0.05;

/// The loss that the newest reports let expect.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExpectedLoss {
    share: f64,
}

impl ExpectedLoss {
    /// Takes the share of packets lost by the newest report, 0 to 1. Gives what to expect, in percent.
    pub(super) fn update(&mut self, share: f64) -> u8 {
        let share = share.clamp(0.0, 1.0);
        self.share = share.max(self.share + (share - self.share) * DECLINE);
        (self.share.max(FLOOR) * 100.0).round() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_declines_slowly_and_never_ends() {
        let mut expected = ExpectedLoss::default();
        assert_eq!(expected.update(0.0), 3);
        assert_eq!(expected.update(0.2), 20);
        assert_eq!(expected.update(0.0), 19);
        let later: Vec<u8> = (0..100).map(|_| expected.update(0.0)).collect();
        assert!(
            later.is_sorted_by(|a, b| a >= b) && later[5] > 5,
            "{later:?}"
        );
        assert_eq!(later[99], 3);
        assert_eq!(expected.update(7.0), 100);
    }
}
