//! Down soon, up when it has held: how steps are changed without flapping.

use std::time::{Duration, Instant};

/// Whoever has to go down so soon after going up has gone up too early.
const FAILED_WITHIN: Duration = Duration::from_secs(10);
/// After this long without having to go down, earlier failures are forgotten.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);
/// The wait before going up doubles with each failure, so many times at most.
const MOST_DOUBLINGS: u32 = 3;

/// A step in use, 0 being the best.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    step: usize,
    /// What is one step too much may last so long: pictures get a little coarser. What is more than that may not.
    tolerance: Duration,
    too_much_since: Option<Instant>,
    /// How long a better step must have been possible,
    patience: Patience,
    /// and one that is several steps better.
    patience_for_several: Patience,
    rising: Option<Better>,
    /// Several steps at once.
    leaping: Option<Better>,
    risen: Option<Rise>,
}

/// A wait that is doubled by each attempt that fails.
#[derive(Debug, Clone, Copy)]
struct Patience {
    first: Duration,
    failures: u32,
}

impl Patience {
    fn new(first: Duration) -> Self {
        Self { first, failures: 0 }
    }

    fn wait(self) -> Duration {
        self.first * (1 << self.failures)
    }

    fn failed(&mut self) {
        self.failures = (self.failures + 1).min(MOST_DOUBLINGS);
    }

    fn forgive(&mut self) {
        self.failures = 0;
    }
}

/// The last change to a better step.
#[derive(Debug, Clone, Copy)]
struct Rise {
    at: Instant,
    /// By several steps, because it has been possible for long enough for that.
    leapt: bool,
}

impl Rise {
    fn age(self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }
}

/// Since when a better step has been possible without a break, and the least of those that were.
#[derive(Debug, Clone, Copy)]
struct Better {
    since: Instant,
    step: usize,
}

impl Better {
    /// This one is possible now.
    fn go_on(before: Option<Self>, step: usize, now: Instant) -> Self {
        before.map_or(Self { since: now, step }, |before| Self {
            step: before.step.max(step),
            ..before
        })
    }

    /// The step, once it has been possible for so long.
    fn after(self, long: Duration, now: Instant) -> Option<usize> {
        (now.saturating_duration_since(self.since) >= long).then_some(self.step)
    }
}

/// The best steps that are possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Possible {
    /// By what is known now,
    pub now: usize,
    /// with room to spare,
    pub with_room: usize,
    /// and where that is a first guess.
    pub surely: usize,
}

impl Possible {
    /// No better than this, by a measure that does not waver.
    pub(super) fn no_better_than(step: usize) -> Self {
        Self {
            now: step,
            with_room: step,
            surely: step,
        }
    }
}

impl Climb {
    /// Begins at this step.
    pub(super) fn new(
        step: usize,
        tolerance: Duration,
        wait: Duration,
        wait_for_several: Duration,
    ) -> Self {
        Self {
            step,
            tolerance,
            too_much_since: None,
            patience: Patience::new(wait),
            patience_for_several: Patience::new(wait_for_several),
            rising: None,
            leaping: None,
            risen: None,
        }
    }

    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Takes what steps are possible; gives the one to use.
    pub(super) fn follow(&mut self, possible: &Possible, now: Instant) -> usize {
        if possible.now > self.step {
            self.endure(possible, now);
        } else {
            self.too_much_since = None;
            self.rise(possible.with_room, now);
        }
        self.step
    }

    fn endure(&mut self, possible: &Possible, now: Instant) {
        (self.rising, self.leaping) = (None, None);
        let since = *self.too_much_since.get_or_insert(now);
        if possible.now > self.step + 1 {
            self.fall(possible.surely, now);
        } else if now.saturating_duration_since(since) >= self.tolerance {
            self.fall(possible.now, now);
        }
    }

    fn rise(&mut self, with_room: usize, now: Instant) {
        if with_room >= self.step {
            (self.rising, self.leaping) = (None, None);
            return self.forgive(now);
        }
        let rising = Better::go_on(self.rising, with_room, now);
        // Where several steps are won at once it is another path, and a step that failed on the former says nothing. Several
        // steps that failed say that it only looks so.
        let several = with_room + 1 < self.step;
        let leaping = several.then(|| Better::go_on(self.leaping, with_room, now));
        let leap = leaping.and_then(|leap| leap.after(self.patience_for_several.wait(), now));
        let better = leap.or_else(|| rising.after(self.patience.wait(), now));
        (self.rising, self.leaping) = (Some(rising), leaping);
        if let Some(step) = better {
            self.step = step;
            (self.rising, self.leaping) = (None, None);
            self.risen = Some(Rise {
                at: now,
                leapt: leap.is_some(),
            });
        }
    }

    fn fall(&mut self, step: usize, now: Instant) {
        self.step = step;
        self.too_much_since = None;
        // Falling in several steps is one failure.
        let Some(rise) = self
            .risen
            .take()
            .filter(|rise| rise.age(now) < FAILED_WITHIN)
        else {
            return;
        };
        self.patience.failed();
        if rise.leapt {
            self.patience_for_several.failed();
        }
    }

    fn forgive(&mut self, now: Instant) {
        if self
            .risen
            .is_some_and(|rise| rise.age(now) >= FORGIVEN_AFTER)
        {
            self.risen = None;
            self.patience.forgive();
            self.patience_for_several.forgive();
        }
    }
}

/// Since when something has been so without a break.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lasting(Option<Instant>);

impl Lasting {
    /// Whether it is so now and has been for this long.
    pub(super) fn holds(&mut self, so: bool, long: Duration, now: Instant) -> bool {
        if !so {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert(now);
        now.saturating_duration_since(since) >= long
    }
}
