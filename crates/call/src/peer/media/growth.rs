//! Looking for room above the estimate.

use std::time::{Duration, Instant};

use super::{pacer::Probe, pairs::Seen};

/// How much more than the estimate is tried.
const STEP: f64 = 2.5;

/// A probe lasts so long, if that is enough to measure anything.
const PROBE: Duration = Duration::from_millis(20);

/// So few bytes and packets say nothing.
const MIN_BYTES: usize = 3_600;
const MIN_PACKETS: usize = 3;

/// After a probe that found room the next one follows soon, after one that found none later and later.
const SOON: Duration = Duration::from_millis(400);
const LATEST: Duration = Duration::from_secs(4);
/// One that found room after many that did not may have been mistaken, where packets arrive unevenly: what is sent from then on
/// shows it within so long.
const SURPRISING: Duration = Duration::from_secs(1);

/// A probe that finds no room fills the path's queue, and what it costs takes seconds to come back. So after one the next one
/// waits for a sign of room: packets that were let through at so many times the estimate,
const ROOM: f64 = 1.6;
/// or so long without one.
const BLIND: Duration = Duration::from_secs(15);

/// After the estimate has fallen the path has time to come to rest.
const REST: Duration = Duration::from_millis(1_200);

/// The estimate has risen or fallen by more than it wavers.
const RISEN: f64 = 1.15;
const FALLEN: f64 = 0.93;

/// This close to the maximum there is nothing to look for.
const NEAR: f64 = 0.95;

/// The controller's own probes are counted from one.
const FIRST_ID: i32 = 1 << 24;

/// Plans probes. The controller's own are planned for the start and for senders that have little to send; after a narrow place
/// it climbs by 8 % a second, which takes half a minute for what two probes find in one.
#[derive(Debug)]
pub(crate) struct Growth {
    rests_until: Instant,
    planned_at: Instant,
    /// From one probe that found no room to the next one.
    interval: Duration,
    blind_at: Instant,
    next_id: i32,
    /// The estimate when the last probe was planned.
    probed_at: f64,
    last: f64,
}

impl Growth {
    pub fn new(now: Instant) -> Self {
        Self {
            // The controller's own first probes come before.
            rests_until: now + REST,
            planned_at: now,
            interval: SOON,
            blind_at: now,
            next_id: FIRST_ID,
            probed_at: f64::INFINITY,
            last: 0.0,
        }
    }

    /// To be asked again and again. Gives a probe when it is time for one. In bits a second.
    pub fn probe(&mut self, now: Instant, estimate: u32, seen: Seen, max: u32) -> Option<Probe> {
        let (estimate, max) = (f64::from(estimate), f64::from(max));
        if estimate < self.last * FALLEN {
            self.rests_until = now + REST;
        }
        self.last = estimate;
        let found = estimate > self.probed_at * RISEN;
        let wait = if found {
            self.interval.min(SURPRISING)
        } else {
            self.interval
        };
        if estimate >= max * NEAR || now < self.rests_until.max(self.planned_at + wait) {
            return None;
        }
        if seen.path.is_some() {
            self.blind_at = now + BLIND;
        }
        let nothing_new = now < self.blind_at;
        if !found && seen.rate < estimate * ROOM && nothing_new {
            return None;
        }
        self.interval = match found {
            true => SOON,
            false => (self.interval * 2).min(LATEST),
        };
        self.probed_at = estimate;
        self.blind_at = now + BLIND;
        self.planned_at = now;
        self.next_id += 1;
        let bits_per_second = (estimate * STEP).min(max);
        let bytes = (bits_per_second / 8.0 * PROBE.as_secs_f64()) as usize;
        Some(Probe {
            id: self.next_id,
            bits_per_second,
            bytes: bytes.max(MIN_BYTES),
            packets: MIN_PACKETS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates of the probes in so many seconds, on a path that takes `capacity` and lets packets through at `rate`.
    fn probes(capacity: u32, rate: f64, sure: bool, seconds: u32) -> Vec<f64> {
        let start = Instant::now();
        let mut growth = Growth::new(start);
        let path = sure.then_some(rate);
        let seen = Seen { rate, path };
        let mut estimate = 200_000.min(capacity);
        let mut rates = Vec::new();
        for tick in 0..seconds * 40 {
            let now = start + Duration::from_millis(25) * tick;
            if let Some(probe) = growth.probe(now, estimate, seen, 4_000_000) {
                estimate = capacity.min(probe.bits_per_second as u32);
                rates.push(probe.bits_per_second);
            }
        }
        rates
    }

    #[test]
    fn room_is_found_in_a_few_steps() {
        let rates = probes(10_000_000, 10e6, true, 5);
        assert_eq!(rates.len(), 4, "{rates:?}");
        assert!((rates[3] - 4_000_000.0).abs() < 1.0);
    }

    #[test]
    fn where_there_is_none_it_is_looked_for_less_and_less_often() {
        let rates = [0.0, 200e3, 300e3, 500e3];
        let unsure = rates.map(|rate| probes(200_000, rate, false, 60).len());
        assert_eq!(unsure, [4, 4, 4, 17], "in a minute");
        let sure = rates.map(|rate| probes(200_000, rate, true, 60).len());
        assert_eq!(sure, [0, 0, 0, 17], "in a minute");
    }

    #[test]
    fn what_was_looked_for_in_vain_does_not_hold_up_what_is_found() {
        let start = Instant::now();
        let mut growth = Growth::new(start);
        let mut estimate = 200_000;
        let mut at = Vec::new();
        for tick in 0..3_000 {
            let second = f64::from(tick) / 40.0;
            let capacity = if second < 60.0 { 200_000 } else { 10_000_000 };
            let seen = Seen {
                rate: f64::from(capacity),
                path: None,
            };
            let now = start + Duration::from_secs_f64(second);
            if let Some(probe) = growth.probe(now, estimate, seen, 4_000_000) {
                estimate = capacity.min(probe.bits_per_second as u32);
                at.push(second - 60.0);
            }
        }
        at.retain(|second| *second >= 0.0);
        assert_eq!(at.len(), 4, "{at:?}");
        assert!(at[3] <= 2.0, "{at:?}");
    }

    #[test]
    fn an_estimate_that_falls_is_left_alone_for_a_while() {
        let start = Instant::now();
        let mut growth = Growth::new(start);
        let seen = Seen {
            rate: 4e6,
            path: None,
        };
        for tick in 0..200 {
            let now = start + Duration::from_millis(25) * tick;
            let estimate = 3_000_000 - tick * 14_000;
            // Falls by a tenth every half a second.
            let estimate = if tick % 20 == 0 {
                estimate * 9 / 10
            } else {
                estimate
            };
            assert_eq!(growth.probe(now, estimate, seen, 4_000_000), None, "{tick}");
        }
    }
}
