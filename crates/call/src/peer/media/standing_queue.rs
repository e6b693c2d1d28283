//! A queue that does not run empty: everything that is sent through it comes later than it could.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{pairs::Seen, transport_cc::Fate};

/// When every packet of so long
const WINDOW: Duration = Duration::from_millis(250);
/// waited longer than is usual by this much, the queue stands.
const STANDS: Duration = Duration::from_millis(15);
/// It has run empty when a packet waits no longer than this.
const EMPTY: Duration = Duration::from_millis(6);

/// How fast the queue lets packets through is measured over so long.
const MEASURED_OVER: Duration = Duration::from_millis(600);
/// So much of that is sent until it is empty,
const DRAINING: f64 = 0.75;
/// and so much from then on,
const AFTERWARDS: f64 = 0.97;
/// rising by so much a second.
const RISES: f64 = 0.02;

/// A queue that is not half as long after so much time
const GIVES_UP_AFTER: Duration = Duration::from_secs(1);
/// and lets less than this share of what it did before through of ours is somebody else's: whoever gives way to a download gets
/// nothing in the end.
const OURS: f64 = 0.9;
/// For so long no less than what came through is sent,
const HOLDS_OUT: Duration = Duration::from_secs(10);
/// growing by so much of it a second,
const GROWS: f64 = 0.08;
/// or by so much of the path, where that is known,
const GROWS_OF_PATH: f64 = 0.05;
/// and falling to so much of it when the queue overflows, but not twice within so long: TCP does much the same.
const YIELDS: f64 = 0.85;
const YIELDS_EVERY: Duration = Duration::from_millis(500);

/// So much faster than what is sent packets were let through: the path has become wider.
const WIDER: f64 = 1.6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Clear,
    Draining {
        since: Instant,
        /// The waiting time then.
        wait: Duration,
    },
    /// The queue was there although little was sent: this much is kept, in bits a second.
    HoldingOut {
        since: Instant,
        share: f64,
        changed_at: Instant,
        fell_at: Instant,
    },
}

/// Sends less than the path takes until the queue is empty, and then hardly more than the path takes. A delay gradient, which
/// the estimator goes by, does not see a queue that grows slowly. Where others keep the queue full it goes by losses, as they do
/// (compare Copa's two modes: Arun and Balakrishnan, NSDI 2018).
#[derive(Debug)]
pub(crate) struct StandingQueue {
    stage: Stage,
    /// The least waiting time of each feedback of late.
    waits: VecDeque<(Instant, Duration)>,
    /// Arrivals by the receiver's clock and bytes.
    arrivals: VecDeque<(Duration, usize)>,
    /// The share that was kept last, in bits a second, and until when.
    kept: (f64, Instant),
    /// Bits a second, and since when.
    ceiling: Option<(f64, Instant)>,
}

impl StandingQueue {
    pub fn new(now: Instant) -> Self {
        Self {
            kept: (0.0, now),
            stage: Stage::Clear,
            waits: VecDeque::new(),
            arrivals: VecDeque::new(),
            ceiling: None,
        }
    }

    /// What is to be made of the estimate, in bits a second.
    pub fn of(&self, estimate: f64, now: Instant) -> f64 {
        if let Stage::HoldingOut { share, .. } = self.stage {
            return estimate.max(share);
        }
        let Some((ceiling, since)) = self.ceiling else {
            return estimate;
        };
        let risen = match self.stage {
            Stage::Draining { .. } => 0.0,
            _ => now.saturating_duration_since(since).as_secs_f64() * RISES,
        };
        estimate.min(ceiling * (1.0 + risen))
    }

    /// Takes what became of some packets, by how much the one that waited least waited longer than is usual, and what is known of the path.
    pub fn feedback(&mut self, now: Instant, fates: &[Fate], least_wait: Duration, seen: Seen) {
        self.measure(fates);
        self.waits.push_back((now, least_wait));
        while self.waits.len() > 1 && now.saturating_duration_since(self.waits[1].0) >= WINDOW {
            self.waits.pop_front();
        }
        let oldest = self.waits.front().map_or(now, |(at, _)| *at);
        let stands = now.saturating_duration_since(oldest) >= WINDOW
            && self.waits.iter().all(|(_, wait)| *wait > STANDS);
        match self.stage {
            Stage::Clear if stands => self.drain(least_wait, now),
            Stage::Draining { .. } if least_wait <= EMPTY => {
                self.stage = Stage::Clear;
                let ceiling = self.ceiling;
                self.ceiling = ceiling.map(|(ceiling, _)| (ceiling / DRAINING * AFTERWARDS, now));
            }
            Stage::Draining { since, wait }
                if now.saturating_duration_since(since) >= GIVES_UP_AFTER =>
            {
                match least_wait < wait / 2 || self.is_ours() {
                    true => self.drain(least_wait, now),
                    false => self.hold_out(now),
                }
            }
            Stage::HoldingOut { since, share, .. }
                if now.saturating_duration_since(since) >= HOLDS_OUT =>
            {
                self.kept = (share, now);
                self.stage = Stage::Clear;
            }
            Stage::HoldingOut { .. } => self.compete(fates, now, seen.path),
            _ => {}
        }
        if self.stage == Stage::Clear {
            self.ceiling = self
                .ceiling
                .filter(|(ceiling, _)| seen.rate < ceiling * WIDER);
        }
    }

    fn drain(&mut self, wait: Duration, now: Instant) {
        if let Some(rate) = self.rate() {
            self.stage = Stage::Draining { since: now, wait };
            self.ceiling = Some((rate * DRAINING, now));
        }
    }

    /// Although less is sent as much comes through: there is nobody else in the queue.
    fn is_ours(&self) -> bool {
        let before = self.ceiling.map(|(ceiling, _)| ceiling / DRAINING);
        self.rate() >= before.map(|before| before * OURS)
    }

    fn hold_out(&mut self, now: Instant) {
        self.ceiling = None;
        let (kept, until) = self.kept;
        let again = now.saturating_duration_since(until) < 3 * GIVES_UP_AFTER;
        self.stage = match self.rate() {
            None => Stage::Clear,
            Some(rate) => Stage::HoldingOut {
                since: now,
                // What was given up to see whether they are still there is taken back.
                share: if again { rate.max(kept) } else { rate },
                changed_at: now,
                fell_at: now,
            },
        };
    }

    fn compete(&mut self, fates: &[Fate], now: Instant, path: Option<f64>) {
        let Stage::HoldingOut {
            share,
            changed_at,
            fell_at,
            ..
        } = &mut self.stage
        else {
            return;
        };
        let passed = now.saturating_duration_since(*changed_at).as_secs_f64();
        *changed_at = now;
        let grows = path.map_or(GROWS * *share, |path| GROWS_OF_PATH * path);
        *share += grows * passed;
        let overflowed = fates.iter().any(|fate| fate.arrival.is_none());
        if overflowed && now.saturating_duration_since(*fell_at) >= YIELDS_EVERY {
            *share *= YIELDS;
            *fell_at = now;
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

    const NOTHING: Seen = Seen {
        rate: 0.0,
        path: None,
    };
    const RATE: f64 = 1e6;
    const ESTIMATE: f64 = 1.2e6;

    struct Line {
        queue: StandingQueue,
        start: Instant,
        elapsed: Duration,
        bytes: usize,
        seen: Seen,
    }

    impl Line {
        fn new() -> Self {
            let start = Instant::now();
            Self {
                queue: StandingQueue::new(start),
                start,
                elapsed: Duration::ZERO,
                bytes: 1_250,
                seen: NOTHING,
            }
        }

        /// Feedback each 50 ms on packets that arrive, at [`RATE`] at first, and waited so many milliseconds. Gives what is left of the
        /// estimate after each.
        fn wait(&mut self, waits: &[u64]) -> Vec<f64> {
            let after = |wait: &u64| {
                self.elapsed += Duration::from_millis(50);
                let now = self.start + self.elapsed;
                let fates: Vec<_> = (0..5).map(|number| self.fate(number)).collect();
                let wait = Duration::from_millis(*wait);
                self.queue.feedback(now, &fates, wait, self.seen);
                self.queue.of(ESTIMATE, now)
            };
            waits.iter().map(after).collect()
        }

        fn fate(&self, number: u64) -> Fate {
            Fate {
                packet: SentPacket {
                    number,
                    at: self.start,
                    bytes: self.bytes,
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
        let fast = Seen {
            rate: 5e6,
            ..NOTHING
        };
        line.queue.feedback(now, &[], Duration::ZERO, fast);
        let wider = line.queue.of(ESTIMATE, now);
        assert_eq!(wider, ESTIMATE, "packets come through much faster");
    }

    #[test]
    fn a_queue_that_is_only_slow_to_empty_is_not_taken_for_that_of_others() {
        let mut line = Line::new();
        line.wait(&[60; 100]);
        let slow = line.queue.of(ESTIMATE, line.start + line.elapsed);
        assert!(near(slow, DRAINING), "{slow}");
    }

    #[test]
    fn where_others_fill_the_queue_a_share_is_kept() {
        let mut line = Line::new();
        line.wait(&[60; 8]);
        line.bytes = 1_000;
        line.wait(&[60; 20]);
        let share = line.queue.of(0.1e6, line.start + line.elapsed);
        assert!(near(share, 0.8), "{share}");
        line.wait(&[60; 80]);
        let grown = line.queue.of(0.1e6, line.start + line.elapsed);
        assert!((1.03e6..1.12e6).contains(&grown), "{grown}");
        let now = line.start + line.elapsed + Duration::from_millis(1);
        let lost = Fate {
            arrival: None,
            ..line.fate(9)
        };
        for _ in 0..3 {
            let wait = Duration::from_millis(60);
            line.queue.feedback(now, &[lost], wait, NOTHING);
        }
        let fallen = line.queue.of(0.1e6, now);
        assert!((fallen / grown - YIELDS).abs() < 0.01, "{fallen}");
        line.wait(&[5; 120]);
        let now = line.start + line.elapsed;
        assert_eq!(line.queue.of(0.1e6, now), 0.1e6, "they have gone");
    }

    #[test]
    fn the_smaller_share_grows_faster_where_the_path_is_known() {
        let mut line = Line::new();
        line.seen.path = Some(4e6);
        line.wait(&[60; 8]);
        line.bytes = 1_000;
        line.wait(&[60; 20]);
        let share = line.queue.of(0.1e6, line.start + line.elapsed);
        line.wait(&[60; 40]);
        let grown = line.queue.of(0.1e6, line.start + line.elapsed) - share;
        assert!((0.38e6..0.42e6).contains(&grown), "{grown} in two seconds");
    }
}
