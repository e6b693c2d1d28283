//! Sound only, where pictures would take the room that the sound needs, and the way back from there.

use std::time::{Duration, Instant};

use super::{Path, climb::Lasting, steps::LEAST_BITS};

/// The path must have been too narrow for so long.
const PAUSE_AFTER: Duration = Duration::from_secs(4);
/// The other side reports more often than this. Where it does not, the path is gone for a while rather than narrow, and what
/// was measured before says nothing of what comes after.
const SILENT: Duration = Duration::from_secs(6);
/// Pictures come back where the path carries so much more than they need,
const ROOM: f64 = 1.3;
/// for so long; for twice as long after each time that they did not stay.
const BACK_AFTER: Duration = Duration::from_secs(2);
/// The first test of the path comes after this pause; each further one after twice the pause before.
const FIRST_TEST: Duration = Duration::from_secs(10);
/// Either is doubled so many times at most.
const MOST_DOUBLINGS: u32 = 4;
/// A test takes this long, unless there seems to be room.
const TEST: Duration = Duration::from_secs(8);
/// A test ends when so much more is lost than before it,
const MORE_LOSS: f64 = 0.1;
/// or the round trip takes so much longer.
const LONGER_ROUND_TRIP: Duration = Duration::from_millis(250);
/// Pictures that have been back for this long were no failure.
const FORGIVEN_AFTER: Duration = Duration::from_secs(30);
/// Pictures that the user wants all the same stay for so long.
const KEPT: Duration = Duration::from_secs(60);

/// What goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Pictures, as large as fits.
    Sending,
    /// Nothing but sound.
    Paused { since: Instant },
    /// Least pictures, which nobody is shown, to see whether the path carries them.
    Testing {
        since: Instant,
        loss: f64,
        round_trip: Option<Duration>,
    },
}

/// Whether pictures are sent at all.
#[derive(Debug, Clone)]
pub(super) struct Pause {
    /// What pictures need, in bits a second, and what there has to be for them to come back.
    least: u32,
    room: u32,
    stage: Stage,
    narrow: Lasting,
    roomy: Lasting,
    reported_at: Option<Instant>,
    back_at: Option<Instant>,
    /// How often in a row pictures came back and did not stay.
    relapses: u32,
    /// How often in a row a test has found no room.
    failed_tests: u32,
    kept_until: Option<Instant>,
}

impl Pause {
    /// Where pictures get no more than this, that is no reason to call the path narrow.
    pub(super) fn new(max_bitrate: u32) -> Self {
        let room = f64::from(LEAST_BITS) * ROOM;
        Self {
            least: LEAST_BITS.min(max_bitrate),
            room: (room as u32).min(max_bitrate),
            stage: Stage::Sending,
            narrow: Lasting::default(),
            roomy: Lasting::default(),
            reported_at: None,
            back_at: None,
            relapses: 0,
            failed_tests: 0,
            kept_until: None,
        }
    }

    /// The user wants pictures all the same, or leaves it to the policy again.
    pub(super) fn keep(&mut self, kept: bool, now: Instant) {
        self.kept_until = kept.then(|| now + KEPT);
    }

    /// What goes out now. A path that says nothing is not called narrow: when it is back, pictures are at once.
    pub(super) fn update(&mut self, camera: bool, path: &Path, now: Instant) -> Stage {
        let kept = self.kept_until.is_some_and(|until| now < until);
        if !camera || kept {
            self.narrow = Lasting::default();
            self.stage = Stage::Sending;
            return self.stage;
        }
        let is_roomy = path.for_pictures >= self.room;
        let patience = BACK_AFTER * (1 << self.relapses);
        let back = self.roomy.holds(is_roomy, patience, now);
        self.stage = match self.stage {
            Stage::Sending => self.sending(path, now),
            Stage::Paused { .. } | Stage::Testing { .. } if back => {
                self.back_at = Some(now);
                self.failed_tests = 0;
                Stage::Sending
            }
            Stage::Paused { since } => self.paused(since, path, now),
            Stage::Testing {
                since,
                loss,
                round_trip,
            } => {
                let longer = |before| {
                    path.round_trip
                        .is_some_and(|new| new > before + LONGER_ROUND_TRIP)
                };
                let hurts = path.loss > loss + MORE_LOSS || round_trip.is_some_and(longer);
                let long = now.saturating_duration_since(since) >= TEST;
                if hurts || (long && !is_roomy) {
                    self.failed_tests = (self.failed_tests + 1).min(MOST_DOUBLINGS);
                    Stage::Paused { since: now }
                } else {
                    self.stage
                }
            }
        };
        self.stage
    }

    fn sending(&mut self, path: &Path, now: Instant) -> Stage {
        let is_narrow = path.for_pictures < self.least;
        if is_narrow && !path.reported {
            return Stage::Sending;
        }
        let was_silent = self
            .reported_at
            .is_none_or(|at| now.saturating_duration_since(at) > SILENT);
        if path.reported {
            self.reported_at = Some(now);
        }
        let lasts = self
            .narrow
            .holds(is_narrow && !was_silent, PAUSE_AFTER, now);
        if !lasts {
            return Stage::Sending;
        }
        self.narrow = Lasting::default();
        self.relapses = match self.back_at.take() {
            Some(at) if now.saturating_duration_since(at) < FORGIVEN_AFTER => {
                (self.relapses + 1).min(MOST_DOUBLINGS)
            }
            Some(_) | None => 0,
        };
        Stage::Paused { since: now }
    }

    fn paused(&self, since: Instant, path: &Path, now: Instant) -> Stage {
        if now.saturating_duration_since(since) < FIRST_TEST * (1 << self.failed_tests) {
            return self.stage;
        }
        Stage::Testing {
            since: now,
            loss: path.loss,
            round_trip: path.round_trip,
        }
    }
}
