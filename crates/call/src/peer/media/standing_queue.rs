//! A queue that does not run empty: everything that is sent through it comes later than it could.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::transport_cc::Fate;

/// When every packet of so long
const WINDOW: Duration = Duration::from_millis(250);
/// waited longer than this, the queue stands.
const STANDS: Duration = Duration::from_millis(35);
/// It has run empty when a packet waits no longer than this.
const EMPTY: Duration = Duration::from_millis(12);

/// How fast the queue lets packets through is measured over so long.
const MEASURED_OVER: Duration = Duration::from_millis(600);
/// So much of that is sent until it is empty,
const DRAINING: f64 = 0.8;
/// and so much from then on,
const AFTERWARDS: f64 = 0.97;
/// rising by so much a second.
const RISES: f64 = 0.02;

/// A queue that is still there after so long is somebody else's: whoever gives way to a download gets nothing in the end.
const GIVES_UP_AFTER: Duration = Duration::from_secs(1);
/// Then it is left to the estimator for so long.
const RESTS: Duration = Duration::from_secs(10);

/// So much faster than what is sent packets were let through: the path has become wider.
const WIDER: f64 = 1.6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Clear,
    Draining {
        since: Instant,
    },
    /// The queue was there although little was sent.
    Resting {
        until: Instant,
    },
}

/// Sends less than the path takes until the queue is empty, and then hardly more than the path takes. A delay gradient, which
/// the estimator goes by, does not see a queue that grows slowly.
#[derive(Debug)]
pub(crate) struct StandingQueue {
    stage: Stage,
    /// The least waiting time of each feedback of late.
    waits: VecDeque<(Instant, Duration)>,
    /// Arrivals by the receiver's clock and bytes.
    arrivals: VecDeque<(Duration, usize)>,
    /// Bits a second, and since when.
    ceiling: Option<(f64, Instant)>,
}

impl StandingQueue {
    pub fn new() -> Self {
        Self {
            stage: Stage::Clear,
            waits: VecDeque::new(),
            arrivals: VecDeque::new(),
            ceiling: None,
        }
    }

    /// What is left of the estimate, in bits a second.
    pub fn of(&self, estimate: f64, now: Instant) -> f64 {
        let Some((ceiling, since)) = self.ceiling else {
            return estimate;
        };
        let risen = match self.stage {
            Stage::Draining { .. } => 0.0,
            _ => now.saturating_duration_since(since).as_secs_f64() * RISES,
        };
        estimate.min(ceiling * (1.0 + risen))
    }

    /// Takes what became of some packets, the least time that one of them waited, and the rate at which the path has let
    /// packets through that left together.
    pub fn feedback(&mut self, now: Instant, fates: &[Fate], least_wait: Duration, seen: f64) {
        self.measure(fates);
        self.waits.push_back((now, least_wait));
        while self.waits.len() > 1 && now.saturating_duration_since(self.waits[1].0) >= WINDOW {
            self.waits.pop_front();
        }
        let oldest = self.waits.front().map_or(now, |(at, _)| *at);
        let stands = now.saturating_duration_since(oldest) >= WINDOW
            && self.waits.iter().all(|(_, wait)| *wait > STANDS);
        match self.stage {
            Stage::Clear if stands => self.drain(now),
            Stage::Draining { .. } if least_wait <= EMPTY => {
                self.stage = Stage::Clear;
                let ceiling = self.ceiling;
                self.ceiling = ceiling.map(|(ceiling, _)| (ceiling / DRAINING * AFTERWARDS, now));
            }
            Stage::Draining { since } if now.saturating_duration_since(since) >= GIVES_UP_AFTER => {
                self.stage = Stage::Resting { until: now + RESTS };
                self.ceiling = None;
            }
            Stage::Resting { until } if now >= until => self.stage = Stage::Clear,
            _ => {}
        }
        if self.stage == Stage::Clear {
            self.ceiling = self.ceiling.filter(|(ceiling, _)| seen < ceiling * WIDER);
        }
    }

    fn drain(&mut self, now: Instant) {
        if let Some(rate) = self.rate() {
            self.stage = Stage::Draining { since: now };
            self.ceiling = Some((rate * DRAINING, now));
        }
    }

    fn measure(&mut self, fates: &[Fate]) {
        let arrivals = fates
            .iter()
            .filter_map(|fate| Some((fate.arrival?, fate.packet.bytes)));
        self.arrivals.extend(arrivals);
        let Some((newest, _)) = self.arrivals.iter().max() else {
            return;
        };
        let oldest = newest.saturating_sub(MEASURED_OVER);
        self.arrivals.retain(|(at, _)| *at > oldest);
    }

    /// Bits a second that arrive.
    fn rate(&self) -> Option<f64> {
        let (first, first_bytes) = self.arrivals.iter().min()?;
        let (last, _) = self.arrivals.iter().max()?;
        let bytes: usize = self.arrivals.iter().map(|(_, bytes)| bytes).sum();
        let time = last.checked_sub(*first).filter(|time| !time.is_zero())?;
        Some((bytes - first_bytes) as f64 * 8.0 / time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::media::transport_cc::SentPacket;

    const RATE: f64 = 1e6;
    const ESTIMATE: f64 = 1.2e6;

    struct Line {
        queue: StandingQueue,
        start: Instant,
        elapsed: Duration,
    }

    impl Line {
        fn new() -> Self {
            Self {
                queue: StandingQueue::new(),
                start: Instant::now(),
                elapsed: Duration::ZERO,
            }
        }

        /// Feedback each 50 ms on packets that arrive at [`RATE`] and waited so many milliseconds. Gives what is left of the
        /// estimate after each.
        fn wait(&mut self, waits: &[u64]) -> Vec<f64> {
            let after = |wait: &u64| {
                self.elapsed += Duration::from_millis(50);
                let now = self.start + self.elapsed;
                let fates: Vec<_> = (0..5).map(|number| self.fate(number)).collect();
                let wait = Duration::from_millis(*wait);
                self.queue.feedback(now, &fates, wait, 0.0);
                self.queue.of(ESTIMATE, now)
            };
            waits.iter().map(after).collect()
        }

        fn fate(&self, number: u64) -> Fate {
            Fate {
                packet: SentPacket {
                    number,
                    at: self.start,
                    bytes: 1_250,
                    audio: false,
                    probe: None,
                },
                arrival: Some(self.elapsed + Duration::from_millis(10 * number)),
            }
        }
    }

    fn near(bits: f64, share: f64) -> bool {
        (bits / RATE - share).abs() < 0.03
    }

    #[test]
    fn a_queue_that_stands_is_emptied_and_stays_so() {
        let mut line = Line::new();
        assert_eq!(line.wait(&[10, 60, 60, 60, 60, 60]), [ESTIMATE; 6]);
        let draining = line.wait(&[60, 60, 40, 20]);
        assert!(
            draining.iter().all(|bits| near(*bits, DRAINING)),
            "{draining:?}"
        );
        let afterwards = line.wait(&[5])[0];
        assert!(near(afterwards, AFTERWARDS), "{afterwards}");
        let now = line.start + line.elapsed + Duration::from_secs(5);
        assert!(near(line.queue.of(ESTIMATE, now), AFTERWARDS * 1.1));
        line.queue.feedback(now, &[], Duration::ZERO, 5e6);
        let wider = line.queue.of(ESTIMATE, now);
        assert_eq!(wider, ESTIMATE, "packets come through much faster");
    }

    #[test]
    fn a_queue_that_others_fill_is_left_to_the_estimator() {
        let after = Line::new().wait(&[60; 100]);
        let slow = after.iter().filter(|bits| **bits < ESTIMATE).count();
        assert!((18..24).contains(&slow), "{slow} of 100");
        assert_eq!(after[99], ESTIMATE);
    }
}
