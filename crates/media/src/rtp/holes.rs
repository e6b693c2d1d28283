//! Which packets are missing, since when, and when to ask for them (again).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A packet is asked for so often at most; who has not answered by then has forgotten it.
const MAX_REQUESTS: u8 = 8;
/// Two requests for one packet are at least so far apart.
const MIN_INTERVAL: Duration = Duration::from_millis(15);

#[derive(Debug)]
struct Hole {
    since: Instant,
    asked_at: Option<Instant>,
    asked: u8,
}

impl Hole {
    /// When to ask for the packet (again); None when it has been asked for often enough.
    fn due_at(&self, round_trip: Duration) -> Option<Instant> {
        let again = |asked| asked + round_trip.max(MIN_INTERVAL);
        (self.asked < MAX_REQUESTS).then(|| self.asked_at.map_or(self.since, again))
    }
}

/// The missing packets by their extended sequence number.
#[derive(Debug, Default)]
pub(super) struct Holes {
    holes: BTreeMap<i64, Hole>,
}

impl Holes {
    pub(super) fn open(&mut self, numbers: std::ops::Range<i64>, now: Instant) {
        self.holes.extend(numbers.map(|number| {
            (
                number,
                Hole {
                    since: now,
                    asked_at: None,
                    asked: 0,
                },
            )
        }));
    }

    pub(super) fn fill(&mut self, number: i64) {
        self.holes.remove(&number);
    }

    pub(super) fn len(&self) -> usize {
        self.holes.len()
    }

    /// How many packets are missing from this number on.
    pub(super) fn count_from(&self, number: i64) -> usize {
        self.holes.range(number..).count()
    }

    /// Forgets everything before the number, and says how many packets that were.
    pub(super) fn forget_before(&mut self, number: i64) -> usize {
        let kept = self.holes.split_off(&number);
        std::mem::replace(&mut self.holes, kept).len()
    }

    /// Since when the first packet from this number on has been missing.
    pub(super) fn first_since(&self, number: i64) -> Option<Instant> {
        self.holes
            .range(number..)
            .next()
            .map(|(_, hole)| hole.since)
    }

    /// When there is something to ask for next.
    pub(super) fn next_due(&self, round_trip: Duration) -> Option<Instant> {
        let holes = self.holes.values();
        holes.filter_map(|hole| hole.due_at(round_trip)).min()
    }

    /// What to ask for now; counts as asked.
    pub(super) fn due(&mut self, now: Instant, round_trip: Duration) -> Vec<u16> {
        let due = |hole: &Hole| hole.due_at(round_trip).is_some_and(|due| due <= now);
        let mut numbers = Vec::new();
        for (&number, hole) in self.holes.iter_mut().filter(|(_, hole)| due(hole)) {
            hole.asked += 1;
            hole.asked_at = Some(now);
            numbers.push(number as u16);
        }
        numbers
    }
}
