//! What a speaker asks for, and what follows from it: how much sound is kept ready, and how large its own buffer should be.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// A first callback that asks for a huge buffer (to fill it once) must not make everything late for ever.
const MAX_PERIOD: usize = 4_096;

/// Of 5 ms each.
const MAX_RESERVE_STEPS: usize = 16;

/// A reserve that was not needed for so long becomes smaller.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(10);

/// Within so long a device asks often enough to see how late it is.
const LOOK: Duration = Duration::from_millis(500);

/// A device that is later than ever by so many seconds has left out some sound. No clock is that wrong.
const HOLE: f64 = 0.004;

/// A device's clock may be so much faster than this computer's: what was late once is not for ever.
const CLOCK: f64 = 0.001;

/// So many holes...
const HOLES: usize = 3;

/// ...within so long are too many: its buffer is too short for how busy this computer is.
const TOGETHER: Duration = Duration::from_secs(10);

/// A speaker that is opened anew is silent for some 40 ms. In a pause of this length nobody hears that...
const PAUSE: Duration = Duration::from_millis(100);

/// ...but where there is none for so long, the holes are worse.
const NO_PAUSE: Duration = Duration::from_secs(2);

/// Below this a sample is not heard (−40 dBFS).
const QUIET: f32 = 0.01;

/// What the callback has asked for, all in samples.
#[derive(Debug, Default)]
pub(super) struct Demand {
    calls: AtomicUsize,
    /// The most at once.
    period: AtomicUsize,
    /// All of it; wraps around.
    asked: AtomicUsize,
    /// What was not there; wraps around.
    missed: AtomicUsize,
}

impl Demand {
    pub(super) fn new(period: usize) -> Self {
        Self {
            period: AtomicUsize::new(period),
            ..Self::default()
        }
    }

    /// From the callback: so much is wanted, so much is there.
    pub(super) fn note(&self, wanted: usize, there: usize) {
        // The first call fills the device's whole buffer; and before the first frame nothing can be missing.
        if self.calls.fetch_add(1, Relaxed) > 0 {
            self.period.fetch_max(wanted.min(MAX_PERIOD), Relaxed);
        }
        self.asked.fetch_add(wanted, Relaxed);
        if there > 0 && there < wanted {
            self.missed.fetch_add(wanted - there, Relaxed);
        }
    }

    /// Whether the device has asked for anything yet.
    pub(super) fn has_begun(&self) -> bool {
        self.calls.load(Relaxed) > 0
    }

    /// Whether it has asked again after the first time, when it may have filled its whole buffer ahead of its beginning.
    fn goes_on(&self) -> bool {
        self.calls.load(Relaxed) > 1
    }

    pub(super) fn period(&self) -> usize {
        self.period.load(Relaxed)
    }
}

/// How much sound is kept ready on top of the next callback, in samples: nothing, until the ring has run dry because this
/// computer was too busy to run our thread in time. Given back when that has not happened for a while.
#[derive(Debug)]
pub(super) struct Reserve {
    samples: usize,
    step: usize,
    missed: usize,
    since: Instant,
}

impl Reserve {
    pub(super) const fn new(rate: u32, now: Instant) -> Self {
        Self {
            samples: 0,
            step: (rate / 200) as usize,
            missed: 0,
            since: now,
        }
    }

    /// The reserve in samples, after a look at what was missed.
    pub(super) fn follow(&mut self, demand: &Demand, now: Instant) -> usize {
        let missed = demand.missed.load(Relaxed);
        if missed != self.missed {
            self.missed = missed;
            self.samples = (self.samples + self.step).min(MAX_RESERVE_STEPS * self.step);
            self.since = now;
        } else if now.duration_since(self.since) > GIVE_BACK_AFTER {
            self.samples = self.samples.saturating_sub(self.step);
            self.since = now;
        }
        self.samples
    }
}

/// Counts the holes: moments at which a device has run dry on its side. It takes what would have followed later from then on, so
/// that it is later than ever before.
#[derive(Debug)]
pub(super) struct Holes {
    rate: u32,
    /// When the device was seen to run, and what it had asked for.
    began: Option<(Instant, usize)>,
    /// How many seconds late it was at the least, since when.
    least: (f64, Instant),
    /// How late it has ever been. None until the stream has run for a while: beginning takes its time.
    latest: Option<f64>,
    holes: VecDeque<Instant>,
}

impl Holes {
    pub(super) const fn new(rate: u32, now: Instant) -> Self {
        Self {
            rate,
            began: None,
            least: (f64::INFINITY, now),
            latest: None,
            holes: VecDeque::new(),
        }
    }

    /// Whether there are too many, after a look at what was asked for.
    pub(super) fn are_many(&mut self, demand: &Demand, now: Instant) -> bool {
        if !demand.goes_on() {
            return false;
        }
        let asked = demand.asked.load(Relaxed);
        let (began, first) = *self.began.get_or_insert((now, asked));
        let taken = asked.wrapping_sub(first) as f64 / f64::from(self.rate);
        let late = now.duration_since(began).as_secs_f64() - taken;
        let (least, since) = self.least;
        if now.duration_since(since) < LOOK {
            self.least = (least.min(late), since);
            return false;
        }
        self.least = (late, now);
        if self.latest.is_some_and(|latest| least - latest > HOLE) {
            self.holes.push_back(now);
        }
        let faded = self
            .latest
            .map_or(least, |latest| latest - CLOCK * LOOK.as_secs_f64());
        self.latest = Some(faded.max(least));
        self.holes
            .retain(|hole| now.duration_since(*hole) < TOGETHER);
        self.holes.len() >= HOLES
    }
}

/// Finds the moment at which a speaker that has too many holes is opened anew.
#[derive(Debug)]
pub(super) struct Moment {
    /// When it was first found to have too many.
    wanted: Option<Instant>,
    loud_at: Instant,
}

impl Moment {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            wanted: None,
            loud_at: now,
        }
    }

    /// Whether it is now, before these samples are played.
    pub(super) fn has_come(&mut self, is_wanted: bool, samples: &[f32], now: Instant) -> bool {
        if samples.iter().any(|sample| sample.abs() > QUIET) {
            self.loud_at = now;
        }
        if is_wanted {
            self.wanted.get_or_insert(now);
        }
        self.wanted.is_some_and(|wanted| {
            now.duration_since(self.loud_at) >= PAUSE || now.duration_since(wanted) >= NO_PAUSE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_grows_when_the_ring_ran_dry_and_shrinks_again() {
        let start = Instant::now();
        let demand = Demand::new(480);
        let mut reserve = Reserve::new(48_000, start);
        assert_eq!(reserve.follow(&demand, start), 0);
        for _ in 0..100 {
            demand.note(480, 100);
            reserve.follow(&demand, start);
        }
        assert_eq!(reserve.samples, 80 * 48);
        assert_eq!(reserve.follow(&demand, start + GIVE_BACK_AFTER), 80 * 48);
        let mut now = start;
        for _ in 0..MAX_RESERVE_STEPS {
            now += GIVE_BACK_AFTER + Duration::from_millis(1);
            reserve.follow(&demand, now);
        }
        assert_eq!(reserve.samples, 0);
    }

    #[test]
    fn the_period_is_what_is_asked_for_at_most_but_not_at_first() {
        let demand = Demand::new(480);
        demand.note(96_000, 0);
        assert_eq!(demand.period(), 480);
        demand.note(1_024, 1_024);
        demand.note(512, 512);
        assert_eq!(demand.period(), 1_024);
        demand.note(96_000, 0);
        assert_eq!(demand.period(), MAX_PERIOD);
    }

    #[test]
    fn a_device_that_takes_too_little_has_holes() {
        let judge = |share: f64| {
            let start = Instant::now();
            let demand = Demand::new(480);
            let mut holes = Holes::new(48_000, start);
            (1..=400).any(|tick| {
                demand.note((480.0 * share) as usize, 480);
                holes.are_many(&demand, start + Duration::from_millis(10 * tick))
            })
        };
        assert!(!judge(1.0) && !judge(0.995));
        assert!(judge(0.98) && judge(0.9) && judge(0.5));
    }

    #[test]
    fn a_device_that_takes_seconds_to_begin_has_no_holes() {
        let start = Instant::now();
        let demand = Demand::new(480);
        let mut holes = Holes::new(48_000, start);
        let at = |tick: u64| start + Duration::from_millis(10 * tick);
        demand.note(480, 480);
        assert!((1..=200).all(|tick| !holes.are_many(&demand, at(tick))));
        assert!((201..=800).all(|tick| {
            demand.note(480, 480);
            !holes.are_many(&demand, at(tick))
        }));
    }

    /// It asks for a second's worth now and then, as those may that the sound reaches by radio.
    #[test]
    fn a_device_that_asks_seldom_has_no_holes() {
        let start = Instant::now();
        let demand = Demand::new(480);
        let mut holes = Holes::new(48_000, start);
        demand.note(480, 480);
        assert!((1..=3_000_u64).all(|tick| {
            if tick % 100 == 0 {
                demand.note(48_000, 480);
            }
            !holes.are_many(&demand, start + Duration::from_millis(10 * tick))
        }));
    }

    /// Whether so many holes of 6 ms, so far apart, are too many for a device whose clock is wrong by this share.
    fn are_many(holes: usize, apart: Duration, wrong: f64) -> bool {
        let start = Instant::now();
        let demand = Demand::new(240);
        let mut watch = Holes::new(48_000, start);
        (1..=8_000_u32).any(|tick| {
            let at = Duration::from_millis(5) * tick;
            let due = (at.as_secs_f64() * 48_000.0 * (1.0 - wrong)) as usize;
            let begun = (at.as_millis() / apart.as_millis()) as usize;
            let left_out = begun.min(holes) * 288;
            let asked = demand.asked.load(Relaxed);
            demand.note(due.saturating_sub(left_out).saturating_sub(asked), 240);
            watch.are_many(&demand, start + at)
        })
    }

    #[test]
    fn three_holes_within_ten_seconds_are_too_many() {
        let second = Duration::from_secs(1);
        assert!(are_many(3, 2 * second, 0.0));
        assert!(!are_many(2, 2 * second, 0.0));
        assert!(!are_many(9, 6 * second, 0.0));
        assert!(!are_many(0, second, 0.001));
    }

    #[test]
    fn a_speaker_is_opened_anew_in_a_pause_but_does_not_wait_for_long() {
        let (start, frame) = (Instant::now(), Duration::from_millis(10));
        let opened_after = |is_loud: fn(u32) -> bool| {
            let mut moment = Moment::new(start);
            // Nothing before there are holes, not even in a pause.
            assert!((0..50).all(|at| !moment.has_come(false, &[0.0], start + at * frame)));
            (50..500).find(|at| {
                let samples = [0.0, if is_loud(*at) { -0.1 } else { 0.005 }];
                moment.has_come(*at == 50, &samples, start + *at * frame)
            })
        };
        assert_eq!(opened_after(|_| false), Some(50));
        assert_eq!(opened_after(|at| at < 100), Some(109));
        // Between two syllables there is no pause.
        assert_eq!(opened_after(|at| (at - 50) % 9 == 0), Some(250));
    }
}
