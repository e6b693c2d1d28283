//! Which packets are missing, since when, and when to ask for them (again).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A packet is asked for in so many rounds at most; who has not answered by then has forgotten it.
const MAX_ROUNDS: u8 = 8;
/// After so many nothing is asked for again until something has come since: a path that has become so narrow, or is gone, needs no
/// requests in the way of what is to come.
const UNHEARD_ROUNDS: u8 = 2;
/// Two rounds are at least so far apart.
const MIN_INTERVAL: Duration = Duration::from_millis(15);
/// Where requests get lost themselves each is made a second time after half a round trip, and so long at least and at most:
/// long enough to lie in no burst of losses with the first.
const SECOND_REQUEST: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_millis(25);

#[derive(Debug)]
struct Hole {
    since: Instant,
    asked_at: Option<Instant>,
    rounds: u8,
    /// Of this round's two requests the first has been made.
    once: bool,
}

/// How packets are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    pub round_trip: Duration,
    /// Each request is made twice.
    pub twice: bool,
    /// When the last packet came.
    pub newest_at: Option<Instant>,
}

impl Rhythm {
    fn second(self) -> Duration {
        let (least, most) = (*SECOND_REQUEST.start(), *SECOND_REQUEST.end());
        (self.round_trip / 2).clamp(least, most)
    }

    /// From the last request to the next round.
    fn next_round(self) -> Duration {
        let round = self.round_trip.max(MIN_INTERVAL);
        match self.twice {
            true => round.saturating_sub(self.second()).max(MIN_INTERVAL),
            false => round,
        }
    }
}

impl Hole {
    /// When to ask for the packet (again); None when it has been asked for often enough.
    fn due_at(&self, rhythm: Rhythm) -> Option<Instant> {
        let unheard = self.asked_at >= rhythm.newest_at;
        if self.rounds >= MAX_ROUNDS || self.rounds >= UNHEARD_ROUNDS && unheard {
            return None;
        }
        Some(match self.asked_at {
            None => self.since,
            Some(asked) if rhythm.twice && self.once => asked + rhythm.second(),
            Some(asked) => asked + rhythm.next_round(),
        })
    }

    fn asked(&mut self, now: Instant, rhythm: Rhythm) {
        self.once = rhythm.twice && !self.once;
        self.rounds += u8::from(!self.once);
        self.asked_at = Some(now);
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
                    rounds: 0,
                    once: false,
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
    pub(super) fn next_due(&self, rhythm: Rhythm) -> Option<Instant> {
        let holes = self.holes.values();
        holes.filter_map(|hole| hole.due_at(rhythm)).min()
    }

    /// What to ask for now; counts as asked.
    pub(super) fn due(&mut self, now: Instant, rhythm: Rhythm) -> Vec<u16> {
        let due = |hole: &Hole| hole.due_at(rhythm).is_some_and(|due| due <= now);
        let mut numbers = Vec::new();
        for (&number, hole) in self.holes.iter_mut().filter(|(_, hole)| due(hole)) {
            hole.asked(now, rhythm);
            numbers.push(number as u16);
        }
        numbers
    }
}
