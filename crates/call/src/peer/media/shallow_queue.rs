//! Giving way a little where there is hardly a queue.

use std::time::{Duration, Instant};

use super::transport_cc::Fate;

/// The estimate has fallen by more than it wavers.
const FALLEN: f64 = 0.93;

/// Packets that waited no longer than this came through a queue that a little less empties just as well.
const SHALLOW: Duration = Duration::from_millis(35);

/// So much is kept of what was sent before.
const KEPT: f64 = 0.95;

/// What was found is worth something for so long.
const LASTS: Duration = Duration::from_secs(15);

/// The estimator falls by 15 % as soon as packets wait a little longer, and then takes ten seconds to come back by 1 % each. Pictures
/// that leave evenly make a queue of a few milliseconds only, which does no harm: there so much less suffices, for as long as
/// the queue stays that short and nothing gets lost in it.
#[derive(Debug, Default)]
pub(crate) struct ShallowQueue {
    last: f64,
    kept: Option<(f64, Instant)>,
}

impl ShallowQueue {
    /// Takes the estimate after each feedback, in bits a second, with the least time that one of the packets waited.
    pub fn feedback(&mut self, now: Instant, estimate: f64, fates: &[Fate], least_wait: Duration) {
        if estimate < self.last * FALLEN {
            self.kept = Some((self.last * KEPT, now));
        }
        self.last = estimate;
        let lost = fates.iter().any(|fate| fate.arrival.is_none());
        let harmless = least_wait <= SHALLOW && !lost;
        self.kept = self
            .kept
            .filter(|(_, since)| harmless && now.saturating_duration_since(*since) < LASTS);
    }

    /// What is to be made of the estimate, in bits a second.
    pub fn of(&self, estimate: f64) -> f64 {
        self.kept.map_or(estimate, |(kept, _)| estimate.max(kept))
    }

    /// The path is another one.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::media::transport_cc::SentPacket;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn little_is_given_up_until_the_queue_is_long_or_overflows() {
        let start = Instant::now();
        let packet = SentPacket {
            number: 1,
            at: start,
            bytes: 1_200,
            audio: false,
            probe: None,
        };
        let fate = |arrival| Fate { packet, arrival };
        let (came, lost) = (fate(Some(MILLISECOND)), fate(None));
        let mut queue = ShallowQueue::default();
        let mut after = |ms: u32, estimate, fate, wait: u32| {
            let now = start + MILLISECOND * ms;
            queue.feedback(now, estimate, &[fate], MILLISECOND * wait);
            queue.of(estimate)
        };
        assert_eq!(after(0, 1e6, came, 0), 1e6);
        assert_eq!(after(50, 0.85e6, came, 20), KEPT * 1e6);
        assert_eq!(after(100, 0.86e6, came, 20), KEPT * 1e6);
        assert_eq!(after(150, 0.97e6, came, 0), 0.97e6, "it has come back");
        assert_eq!(after(200, 0.8e6, came, 36), 0.8e6, "too long");
        assert_eq!(after(250, 0.8e6, came, 0), 0.8e6, "it is over");
        after(300, 1e6, came, 0);
        assert_eq!(after(350, 0.85e6, lost, 20), 0.85e6, "it overflows");
        after(400, 1e6, came, 0);
        after(450, 0.85e6, came, 0);
        assert_eq!(after(15_450, 0.85e6, came, 0), 0.85e6, "too old");
    }
}
