//! The clock of sources that have none.

use std::thread;
use std::time::{Duration, Instant};

/// Gives frames their time, evenly; one that is late by more than a frame's time is left out rather than caught up with.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Option<Instant>,
    rate: u32,
    next: u64,
}

impl Pace {
    pub(crate) fn new(frames_per_second: u32) -> Self {
        Self {
            start: None,
            rate: frames_per_second.max(1),
            next: 0,
        }
    }

    /// Waits for the next frame's time and gives its number, counted from 0.
    pub(crate) fn wait(&mut self) -> u64 {
        let now = Instant::now();
        let start = *self.start.get_or_insert(now);
        let period = u128::from(self.rate);
        let elapsed = (now.duration_since(start).as_micros() * period / 1_000_000) as u64;
        let number = self.next.max(elapsed);
        let due = start + Duration::from_micros(number * 1_000_000 / u64::from(self.rate));
        thread::sleep(due.saturating_duration_since(now));
        self.next = number + 1;
        number
    }
}
