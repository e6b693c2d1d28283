//! Giving way when packets begin to wait: a little where there is hardly a queue, and more the more of the path is ours.

use std::time::{Duration, Instant};

use super::transport_cc::Fate;

/// The estimate has fallen by more than it wavers.
const FALLEN: f64 = 0.93;

/// Packets that waited no longer than this came through a queue that a little less empties just as well.
const SHALLOW: Duration = Duration::from_millis(35);

/// So much is kept of what was sent before, where nobody knows what the path takes,
const KEPT: f64 = 0.95;
/// and is worth something for so long.
const LASTS: Duration = Duration::from_secs(15);

/// Where it is known, whoever has all of it gives up so much, and whoever has a part of it that part of this,
const GIVES_UP: f64 = 0.3;
/// once in so long at the most,
const GIVES_UP_EVERY: Duration = Duration::from_millis(250);
/// and takes so much of the whole again a second.
const TAKES: f64 = 0.05;

/// Bits a second that are sent whatever the estimator says.
#[derive(Debug, Clone, Copy)]
struct Kept {
    rate: f64,
    changed_at: Instant,
    fell_at: Instant,
}

/// The estimator falls by 15 % as soon as packets wait a little longer, and then takes ten seconds to come back by 1 % each. Pictures
/// that leave evenly make a queue of a few milliseconds only, which does no harm: there so much less suffices, for as long as
/// the queue stays that short and nothing gets lost in it.
///
/// Beside another call that would leave each with the share that chance gave it, or the smaller one with less and less, since
/// both fall and rise by a part of what they have. So where the path's rate is known, the larger one gives up more and both take the
/// same again, which makes shares equal (Chiu and Jain, Computer Networks 17, 1989).
#[derive(Debug)]
pub(crate) struct GivingWay {
    last: f64,
    most: f64,
    kept: Option<Kept>,
}

impl GivingWay {
    /// No more than `most` bits a second are ever kept.
    pub fn new(most: f64) -> Self {
        Self {
            last: 0.0,
            most,
            kept: None,
        }
    }

    /// Takes the estimate after each feedback, with the least time that one of the packets waited, and what the path takes, where
    /// that is known. All in bits a second.
    pub fn feedback(
        &mut self,
        now: Instant,
        estimate: f64,
        fates: &[Fate],
        least_wait: Duration,
        path: Option<f64>,
    ) {
        let fell = estimate < self.last * FALLEN;
        let short = least_wait <= SHALLOW;
        let lost = fates.iter().any(|fate| fate.arrival.is_none());
        match path {
            Some(path) => self.share(now, path, fell, short && !lost),
            None if fell => self.keep(now, self.last * KEPT),
            None => {}
        }
        self.last = estimate;
        let worth = |kept: &Kept| match path {
            // What gets lost without a queue says nothing of others.
            Some(_) => kept.rate > estimate && !(short && lost),
            None => short && !lost && now.saturating_duration_since(kept.fell_at) < LASTS,
        };
        self.kept = self.kept.filter(worth);
    }

    fn keep(&mut self, now: Instant, rate: f64) {
        self.kept = Some(Kept {
            rate: rate.min(self.most),
            changed_at: now,
            fell_at: now,
        });
    }

    /// Keeps a share of a path that others may use as well.
    fn share(&mut self, now: Instant, path: f64, fell: bool, harmless: bool) {
        let ours = self.of(self.last);
        let less = ours * (1.0 - GIVES_UP * (ours / path).min(1.0));
        let Some(kept) = &mut self.kept else {
            if fell {
                self.keep(now, less);
            }
            return;
        };
        let passed = now.saturating_duration_since(kept.changed_at);
        kept.changed_at = now;
        let again = now.saturating_duration_since(kept.fell_at) >= GIVES_UP_EVERY;
        if again && (fell || !harmless) {
            self.keep(now, less);
        } else if harmless {
            let taken = TAKES * path * passed.as_secs_f64();
            kept.rate = (kept.rate + taken).min(self.most);
        }
    }

    /// What is to be made of the estimate, in bits a second.
    pub fn of(&self, estimate: f64) -> f64 {
        self.kept.map_or(estimate, |kept| estimate.max(kept.rate))
    }

    /// The path is another one.
    pub fn forget(&mut self) {
        *self = Self::new(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::media::transport_cc::SentPacket;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn fate(arrival: Option<Duration>) -> Fate {
        Fate {
            packet: SentPacket {
                number: 1,
                at: Instant::now(),
                bytes: 1_200,
                audio: false,
                probe: None,
            },
            arrival,
        }
    }

    #[test]
    fn little_is_given_up_until_the_queue_is_long_or_overflows() {
        let start = Instant::now();
        let (came, lost) = (fate(Some(MILLISECOND)), fate(None));
        let mut way = GivingWay::new(4e6);
        let mut after = |ms: u32, estimate, fate, wait: u32| {
            let now = start + MILLISECOND * ms;
            way.feedback(now, estimate, &[fate], MILLISECOND * wait, None);
            way.of(estimate)
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

    /// What is kept of `rate` when the estimator gives nearly everything up, on a path that takes 2 Mbit/s: at once, and after so
    /// many milliseconds in which packets waited so long.
    fn kept(rate: f64, ms: u32, wait: u32) -> [f64; 2] {
        let start = Instant::now();
        let mut way = GivingWay::new(1.8e6);
        let mut after = |ms: u32, estimate, wait: u32| {
            let now = start + MILLISECOND * ms;
            let came = fate(Some(MILLISECOND));
            way.feedback(now, estimate, &[came], MILLISECOND * wait, Some(2e6));
            way.of(estimate)
        };
        after(0, rate, 0);
        let at_once = after(50, 0.1e6, 20);
        let later = (100..=50 + ms).step_by(50);
        [
            at_once,
            later
                .map(|ms| after(ms, 0.1e6, wait))
                .last()
                .unwrap_or(at_once),
        ]
    }

    #[test]
    fn the_larger_share_gives_up_more_and_both_take_the_same() {
        let near = |is: f64, wanted: f64| assert!((is / wanted - 1.0).abs() < 0.001, "{is}");
        let ([large, large_later], [small, small_later]) =
            (kept(1.6e6, 1_000, 0), kept(0.4e6, 1_000, 0));
        near(large, 1.6e6 * (1.0 - GIVES_UP * 0.8));
        near(small, 0.4e6 * (1.0 - GIVES_UP * 0.2));
        near(large_later, large + TAKES * 2e6);
        near(small_later, small + TAKES * 2e6);
        near(kept(1.6e6, 60_000, 0)[1], 1.8e6);
    }

    #[test]
    fn a_queue_that_stays_long_is_given_way_to_again_and_again() {
        let [at_once, later] = kept(1.6e6, 1_000, 100);
        assert!(later < at_once * 0.6, "{at_once} {later}");
    }

    #[test]
    fn what_gets_lost_without_a_queue_is_left_to_the_estimator() {
        let start = Instant::now();
        let mut way = GivingWay::new(4e6);
        for (ms, estimate) in [(0, 1e6), (50, 0.8e6)] {
            let now = start + MILLISECOND * ms;
            way.feedback(now, estimate, &[fate(None)], MILLISECOND, Some(2e6));
        }
        assert_eq!(way.of(0.8e6), 0.8e6);
    }
}
