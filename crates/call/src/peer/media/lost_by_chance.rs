//! Which losses say that the path is full, and which only that it is bad.

use std::time::{Duration, Instant};

use super::transport_cc::Fate;

/// A packet whose neighbours waited less than this in a queue was not dropped by a full one.
const SHORT_QUEUE_US: i64 = 20_000;

/// Where more is lost than this, something drops what is too much without a queue.
const TOO_MUCH: f64 = 0.45;

/// Shares are taken over about so many packets.
const WINDOW: f64 = 250.0;

/// The shortest delay is looked for among the packets of the last one to two of these.
const BASE_WINDOW: Duration = Duration::from_secs(10);

/// Sorts losses. An estimator that takes every loss for a full path slows down to nothing on a radio link that loses one
/// packet in five whatever is sent; but queues fill before they overflow, which shows in how long packets take.
#[derive(Debug)]
pub(crate) struct LostByChance {
    epoch: Instant,
    /// The shortest delay of the window under way and of the one before it, in microseconds. The receiver's clock has a zero
    /// of its own, so only differences mean something.
    shortest: [i64; 2],
    window_began: Instant,
    /// Of all packets, those that got lost, and those of them that did by chance.
    lost: f64,
    by_chance: f64,
}

impl LostByChance {
    pub fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            shortest: [i64::MAX; 2],
            window_began: now,
            lost: 0.0,
            by_chance: 0.0,
        }
    }

    /// The share of packets that get lost by chance.
    pub fn share(&self) -> f64 {
        self.by_chance
    }

    /// What is left of the fates, in the order of sending, when losses by chance are taken out.
    pub fn take_out(&mut self, fates: &[Fate], now: Instant) -> Vec<Fate> {
        self.turn(now);
        let delays: Vec<_> = fates.iter().map(|fate| self.delay(fate)).collect();
        for delay in &delays {
            average(&mut self.lost, delay.is_none());
            self.shortest[0] = self.shortest[0].min(delay.unwrap_or(i64::MAX));
        }
        let mut left = Vec::with_capacity(fates.len());
        for (index, fate) in fates.iter().enumerate() {
            let by_chance = delays[index].is_none() && self.is_by_chance(&delays, index);
            average(&mut self.by_chance, by_chance);
            if !by_chance {
                left.push(*fate);
            }
        }
        left
    }

    fn is_by_chance(&self, delays: &[Option<i64>], lost: usize) -> bool {
        let shortest = self.shortest[0].min(self.shortest[1]);
        let before = delays[..lost].iter().rev().find_map(|delay| *delay);
        let after = delays[lost..].iter().find_map(|delay| *delay);
        let waited = |delay: i64| delay.saturating_sub(shortest);
        let longest = before.max(after).map(waited);
        self.lost < TOO_MUCH && longest.is_some_and(|waited| waited < SHORT_QUEUE_US)
    }

    fn delay(&self, fate: &Fate) -> Option<i64> {
        let sent = fate.packet.at.saturating_duration_since(self.epoch);
        let arrived = fate.arrival?.as_micros() as i64;
        Some(arrived - sent.as_micros() as i64)
    }

    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.window_began) >= BASE_WINDOW {
            self.window_began = now;
            self.shortest = [i64::MAX, self.shortest[0]];
        }
    }
}

fn average(share: &mut f64, happened: bool) {
    *share += (f64::from(u8::from(happened)) - *share) / WINDOW;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::media::transport_cc::SentPacket;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Packets a millisecond apart; each took so many milliseconds, or was lost.
    fn fates(start: Instant, delays: &[Option<u64>]) -> Vec<Fate> {
        let fate = |(number, delay): (usize, &Option<u64>)| {
            let sent = MILLISECOND * number as u32;
            Fate {
                packet: SentPacket {
                    number: number as u64,
                    at: start + sent,
                    bytes: 1_200,
                    audio: false,
                    probe: None,
                },
                // The receiver's clock is an hour ahead.
                arrival: delay
                    .map(|delay| Duration::from_secs(3_600) + sent + MILLISECOND * delay as u32),
            }
        };
        delays.iter().enumerate().map(fate).collect()
    }

    fn lost_after(sorter: &mut LostByChance, start: Instant, delays: &[Option<u64>]) -> usize {
        let told = sorter.take_out(&fates(start, delays), start);
        told.iter().filter(|fate| fate.arrival.is_none()).count()
    }

    #[test]
    fn a_loss_among_packets_that_did_not_wait_says_nothing_of_the_path() {
        let now = Instant::now();
        let mut sorter = LostByChance::new(now);
        let delays = [Some(20), None, Some(25), None, None, Some(38)];
        assert_eq!(lost_after(&mut sorter, now, &delays), 0);
    }

    #[test]
    fn a_loss_among_packets_that_waited_says_that_the_queue_is_full() {
        let now = Instant::now();
        let mut sorter = LostByChance::new(now);
        let delays = [Some(20), Some(60), Some(120), None, Some(190), None];
        assert_eq!(lost_after(&mut sorter, now, &delays), 2);
    }

    #[test]
    fn where_most_is_lost_it_is_too_much() {
        let now = Instant::now();
        let mut sorter = LostByChance::new(now);
        let delays: Vec<_> = (0..3_000)
            .map(|number| (number % 3 == 0).then_some(20))
            .collect();
        assert_eq!(lost_after(&mut sorter, now, &delays), 2_000);
    }

    #[test]
    fn a_longer_way_is_not_taken_for_a_queue_for_ever() {
        let now = Instant::now();
        let mut sorter = LostByChance::new(now);
        assert_eq!(lost_after(&mut sorter, now, &[Some(20), None, Some(20)]), 0);
        let moved = [Some(90), None, Some(90)];
        assert_eq!(lost_after(&mut sorter, now, &moved), 1);
        for seconds in [10, 20, 30] {
            let later = now + Duration::from_secs(seconds);
            sorter.take_out(&fates(now, &moved), later);
        }
        assert_eq!(lost_after(&mut sorter, now, &moved), 0);
    }
}
