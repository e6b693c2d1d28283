//! A path that has become much narrower than it was a moment ago.

use std::time::{Duration, Instant};

/// The estimate is compared with what it was within so long.
const WINDOW: Duration = Duration::from_secs(1);

/// It has fallen to less than this share: not the wavering of an estimator, but another path.
const FALLEN: f64 = 0.4;

/// Packets that waited so long came through the queue that the collapse has left behind.
const LONG_QUEUE: Duration = Duration::from_millis(80);

/// The key frame is asked for so long before the queue has run empty: making it takes a moment, and it may well wait behind the
/// last of what is there.
const AHEAD: Duration = Duration::from_millis(60);

/// While pictures are held back and there is no sound either, one packet in so long shows whether something comes through.
const SIGN_OF_LIFE: Duration = Duration::from_millis(60);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Sending,
    Holding {
        since: Instant,
    },
    /// Pictures without the key frame before them are of no use.
    AwaitingKeyFrame,
}

/// The newest packet that is known to have arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Newest {
    pub sent_at: Instant,
    /// For so long, in queues.
    pub waited: Duration,
}

impl Newest {
    /// There is no queue left.
    pub fn waited_nowhere(self) -> bool {
        self.waited < LONG_QUEUE
    }
}

/// Notices it, and holds pictures back until those that were sent before have left the path's queue: a packet that was sent since
/// has arrived, with hardly more than sound behind it, or the queue is known and has had the time. What waits to be sent was
/// made for the former path, and would take longer than anybody waits.
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
        if collapsed && !matches!(self.stage, Stage::Holding { .. }) {
            self.stage = Stage::Holding { since: now };
        }
        collapsed
    }

    /// Feedback has come. Whether to go on, with a key frame.
    pub fn is_over(&mut self, newest: Option<Newest>, now: Instant) -> bool {
        let (Stage::Holding { since }, Some(newest)) = (self.stage, newest) else {
            return false;
        };
        let waited = newest.waited;
        let through =
            waited >= LONG_QUEUE && now.saturating_duration_since(since) + AHEAD >= waited;
        let over = through || newest.sent_at > since;
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
    fn pictures_wait_until_the_old_ones_are_through_and_begin_with_a_key_frame() {
        let start = Instant::now();
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        let mut collapse = Collapse::new(start);
        let newest = |sent, waited| {
            Some(Newest {
                sent_at: at(sent),
                waited: Duration::from_millis(waited),
            })
        };
        assert!(!collapse.is_over(newest(0, 0), start));
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::Whole);
        assert!(!collapse.happened(2_000_000, start));
        assert!(collapse.happened(500_000, at(50)));
        assert_eq!(collapse.admit(false, at(59) - start), Admission::None);
        assert_eq!(collapse.admit(true, at(60) - start), Admission::Sign);
        assert!(!collapse.is_over(None, at(160)), "everything was lost");
        assert!(
            !collapse.is_over(newest(40, 5), at(170)),
            "it was sent before"
        );
        assert!(collapse.is_over(newest(60, 5), at(180)));
        assert!(!collapse.is_over(newest(80, 5), at(190)), "it is said once");
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::None);
        assert_eq!(collapse.admit(true, Duration::ZERO), Admission::Whole);
        assert_eq!(collapse.admit(false, Duration::ZERO), Admission::Whole);
    }

    #[test]
    fn pictures_go_on_when_a_queue_that_is_known_has_run_empty() {
        let start = Instant::now();
        let at = |millisecond: u64| start + Duration::from_millis(millisecond);
        let mut collapse = Collapse::new(start);
        assert!(!collapse.happened(2_000_000, start));
        assert!(collapse.happened(500_000, at(100)));
        assert!(collapse.happened(100_000, at(150)), "it goes on");
        let newest = Some(Newest {
            sent_at: at(50),
            waited: Duration::from_millis(200),
        });
        assert!(!collapse.is_over(newest, at(230)));
        assert!(collapse.is_over(newest, at(240)), "hardly anything is left");
    }
}
