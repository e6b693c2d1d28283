//! A path that has become much narrower than it was a moment ago.

use std::time::{Duration, Instant};

/// The estimate is compared with what it was within so long.
const WINDOW: Duration = Duration::from_secs(1);

/// It has fallen to less than this share: not the wavering of an estimator, but another path.
const FALLEN: f64 = 0.4;

/// The path's queue is empty enough for a key frame once packets wait no longer than this in it,
const SHORT_QUEUE: Duration = Duration::from_millis(60);
/// or feedback has come for so long: then the way has become longer, and there may be no queue at all.
const HEARD_FOR: Duration = Duration::from_millis(500);

/// While pictures are held back and there is no sound either, one packet in so long shows whether something comes through.
const SIGN_OF_LIFE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Sending,
    /// Since when feedback has come again.
    Holding {
        heard_since: Option<Instant>,
    },
    /// Pictures without the key frame before them are of no use.
    AwaitingKeyFrame,
}

/// Notices it, and holds pictures back until the path's queue has run empty. What waits to be sent was made for the former
/// path, and would take longer than anybody waits.
#[derive(Debug)]
pub(crate) struct Collapse {
    /// The highest estimate of late.
    reference: f64,
    since: Instant,
    stage: Stage,
}

/// What to do with a new picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Send it.
    Whole,
    /// Send one packet of it.
    Sign,
    /// Drop it.
    None,
}

impl Collapse {
    pub fn new(now: Instant) -> Self {
        Self {
            reference: 0.0,
            since: now,
            stage: Stage::Sending,
        }
    }

    /// Takes the newest estimate. Whether the path has just collapsed: what waits is not to be sent any more.
    pub fn happened(&mut self, estimate: u32, now: Instant) -> bool {
        let estimate = f64::from(estimate);
        let collapsed = estimate < self.reference * FALLEN;
        let old = now.saturating_duration_since(self.since) >= WINDOW;
        if collapsed || old || estimate > self.reference {
            self.reference = estimate;
            self.since = now;
        }
        if collapsed {
            self.stage = Stage::Holding { heard_since: None };
        }
        collapsed
    }

    /// Feedback has come on packets of which the last waited so long. Whether to go on, with a key frame.
    pub fn is_over(&mut self, waited: Option<Duration>, now: Instant) -> bool {
        let (Stage::Holding { heard_since }, Some(waited)) = (&mut self.stage, waited) else {
            return false;
        };
        let heard_since = *heard_since.get_or_insert(now);
        let over = waited < SHORT_QUEUE || now.saturating_duration_since(heard_since) >= HEARD_FOR;
        if over {
            self.stage = Stage::AwaitingKeyFrame;
        }
        over
    }

    /// A picture has been coded, and nothing at all was sent for so long.
    pub fn admit(&mut self, key_frame: bool, idle: Duration) -> Admission {
        match self.stage {
            Stage::Sending => Admission::Whole,
            Stage::AwaitingKeyFrame if key_frame => {
                self.stage = Stage::Sending;
                Admission::Whole
            }
            Stage::AwaitingKeyFrame => Admission::None,
            Stage::Holding { .. } if idle >= SIGN_OF_LIFE => Admission::Sign,
            Stage::Holding { .. } => Admission::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Option<Duration> = Some(Duration::from_millis(150));
    const SHORT: Option<Duration> = Some(Duration::from_millis(20));

    #[test]
    fn a_steep_fall_is_told_from_a_slow_one() {
        let start = Instant::now();
        let mut collapse = Collapse::new(start);
        let mut at = |millisecond: u64, estimate: u32| {
            collapse.happened(estimate, start + Duration::from_millis(millisecond))
        };
        assert!(!at(0, 2_000_000));
        assert!(!at(100, 900_000));
        assert!(at(200, 790_000));
        assert!(!at(250, 700_000), "it is said once");
        assert!(at(300, 200_000));
        assert!(!at(400, 2_000_000));
        for tenth in 5..100 {
            assert!(!at(tenth * 100, 2_000_000 - tenth as u32 * 19_000));
        }
    }

    #[test]
    fn pictures_wait_until_the_queue_is_empty_and_begin_with_a_key_frame() {
        let start = Instant::now();
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        let mut collapse = Collapse::new(start);
        assert!(!collapse.is_over(SHORT, start));
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::Whole);
        assert!(!collapse.happened(2_000_000, start));
        assert!(collapse.happened(500_000, at(50)));
        assert_eq!(collapse.admit(false, at(99) - start), Admission::None);
        assert_eq!(collapse.admit(true, at(100) - start), Admission::Sign);
        assert!(!collapse.is_over(None, at(160)), "everything was lost");
        assert!(!collapse.is_over(LONG, at(170)));
        assert!(collapse.is_over(SHORT, at(200)));
        assert!(!collapse.is_over(SHORT, at(250)), "it is said once");
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::None);
        assert_eq!(collapse.admit(true, Duration::ZERO), Admission::Whole);
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::Whole);
    }

    #[test]
    fn a_way_that_has_become_longer_holds_nothing_back_for_ever() {
        let start = Instant::now();
        let mut collapse = Collapse::new(start);
        assert!(!collapse.happened(2_000_000, start));
        assert!(collapse.happened(500_000, start));
        let hearing = (0..20).map(|time| start + Duration::from_millis(time * 50));
        let over: Vec<_> = hearing.map(|now| collapse.is_over(LONG, now)).collect();
        assert_eq!(over.iter().position(|over| *over), Some(10));
    }
}
