//! What is done about an encoder that fails again and again: it is given time, the log one line, and the user a sentence.

use std::time::{Duration, Instant};

use crate::MediaError;

/// A single picture that cannot be coded is nothing to tell anybody.
const TELL_AFTER: Duration = Duration::from_secs(1);
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the user is told.
pub(super) const SENTENCE: &str = "This computer cannot encode your camera's picture, so nobody sees you. Close other programs, or restart Vireo.";

/// Whether the encoder works.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<Streak>);

/// Failures without a coded picture between them.
#[derive(Debug)]
struct Streak {
    since: Instant,
    pause: Duration,
    next_try: Instant,
    told: bool,
}

impl Trouble {
    /// Whether it is time to code a picture.
    pub(super) fn may_try(&self, now: Instant) -> bool {
        self.0.as_ref().is_none_or(|streak| now >= streak.next_try)
    }

    /// The encoder has failed. True when that has gone on for so long that the user is to be told; told again and again,
    /// since the camera may have been switched off and on meanwhile.
    pub(super) fn failed(&mut self, now: Instant, problem: &MediaError) -> bool {
        let streak = self.0.get_or_insert_with(|| {
            tracing::warn!(%problem, "pictures cannot be coded");
            Streak {
                since: now,
                pause: FIRST_PAUSE,
                next_try: now,
                told: false,
            }
        });
        streak.next_try = now + streak.pause;
        streak.pause = (streak.pause * 2).min(LONGEST_PAUSE);
        streak.told |= now.saturating_duration_since(streak.since) >= TELL_AFTER;
        streak.told
    }

    /// A picture has been coded. True when the user had been told that none can be.
    pub(super) fn over(&mut self) -> bool {
        self.0.take().is_some_and(|streak| streak.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rare_and_the_user_hears_of_it_after_a_second() {
        let start = Instant::now();
        let mut trouble = Trouble::default();
        let problem = MediaError::Codec("no memory".into());
        let (mut attempts, mut told_at) = (0, None);
        for milliseconds in 0..10_000 {
            let now = start + Duration::from_millis(milliseconds);
            if trouble.may_try(now) {
                attempts += 1;
                if trouble.failed(now, &problem) {
                    told_at.get_or_insert(milliseconds);
                }
            }
        }
        assert!((5..12).contains(&attempts), "{attempts} attempts in 10 s");
        assert_eq!(told_at, Some(1_500));
        assert!(trouble.over());
        assert!(trouble.may_try(start), "all is well");
        assert!(!trouble.failed(start, &problem), "once is no trouble");
        assert!(!trouble.over());
    }
}
