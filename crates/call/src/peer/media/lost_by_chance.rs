//! Which losses say that the path is full, and which only that it is bad.

use std::time::Duration;

use super::{queueing::Queueing, transport_cc::Fate};

/// A packet whose neighbours waited less than this in a queue was not dropped by a full one.
const SHORT_QUEUE: Duration = Duration::from_millis(20);

/// Where more is lost than this, something drops what is too much without a queue.
const TOO_MUCH: f64 = 0.45;

/// Shares are taken over about so many packets.
const WINDOW: f64 = 250.0;

/// Sorts losses. An estimator that takes every loss for a full path slows down to nothing on a radio link that loses one
/// packet in five whatever is sent; but queues fill before they overflow, which shows in how long packets take.
#[derive(Debug, Default)]
pub(crate) struct LostByChance {
    /// Of all packets, those that got lost, and those of them that did by chance.
    lost: f64,
    by_chance: f64,
}

impl LostByChance {
    /// The share of packets that get lost by chance.
    pub fn share(&self) -> f64 {
        self.by_chance
    }

    /// What is left of the fates, in the order of sending, when losses by chance are taken out.
    pub fn take_out(&mut self, fates: &[Fate], queueing: &Queueing) -> Vec<Fate> {
        for fate in fates {
            average(&mut self.lost, fate.arrival.is_none());
        }
        let waited: Vec<_> = fates.iter().map(|fate| queueing.waited(fate)).collect();
        let mut left = Vec::with_capacity(fates.len());
        for (index, fate) in fates.iter().enumerate() {
            let by_chance = waited[index].is_none() && self.is_by_chance(&waited, index);
            average(&mut self.by_chance, by_chance);
            if !by_chance {
                left.push(*fate);
            }
        }
        left
    }

    fn is_by_chance(&self, waited: &[Option<Duration>], lost: usize) -> bool {
        let before = waited[..lost].iter().rev().find_map(|waited| *waited);
        let after = waited[lost..].iter().find_map(|waited| *waited);
        let short = before
            .max(after)
            .is_some_and(|longest| longest < SHORT_QUEUE);
        self.lost < TOO_MUCH && short
    }
}

fn average(share: &mut f64, happened: bool) {
    *share += (f64::from(u8::from(happened)) - *share) / WINDOW;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

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

    /// How many losses are left when so many seconds have passed.
    fn lost_after(sorter: &mut Sorter, seconds: u64, delays: &[Option<u64>]) -> usize {
        let fates = fates(sorter.start, delays);
        let now = sorter.start + Duration::from_secs(seconds);
        sorter.queueing.update(&fates, now);
        let left = sorter.losses.take_out(&fates, &sorter.queueing);
        left.iter().filter(|fate| fate.arrival.is_none()).count()
    }

    struct Sorter {
        start: Instant,
        queueing: Queueing,
        losses: LostByChance,
    }

    fn sorter() -> Sorter {
        let start = Instant::now();
        Sorter {
            start,
            queueing: Queueing::new(start),
            losses: LostByChance::default(),
        }
    }

    #[test]
    fn a_loss_among_packets_that_did_not_wait_says_nothing_of_the_path() {
        let mut sorter = sorter();
        let delays = [Some(20), None, Some(25), None, None, Some(38)];
        assert_eq!(lost_after(&mut sorter, 0, &delays), 0);
    }

    #[test]
    fn a_loss_among_packets_that_waited_says_that_the_queue_is_full() {
        let mut sorter = sorter();
        let delays = [Some(20), Some(60), Some(120), None, Some(190), None];
        assert_eq!(lost_after(&mut sorter, 0, &delays), 2);
    }

    #[test]
    fn where_most_is_lost_it_is_too_much() {
        let mut sorter = sorter();
        let delays: Vec<_> = (0..3_000)
            .map(|number| (number % 3 == 0).then_some(20))
            .collect();
        assert_eq!(lost_after(&mut sorter, 0, &delays), 2_000);
    }

    #[test]
    fn a_longer_way_is_not_taken_for_a_queue_for_ever() {
        let mut sorter = sorter();
        assert_eq!(lost_after(&mut sorter, 0, &[Some(20), None, Some(20)]), 0);
        let moved = [Some(90), None, Some(90)];
        assert_eq!(lost_after(&mut sorter, 0, &moved), 1);
        for seconds in [10, 20, 30] {
            lost_after(&mut sorter, seconds, &moved);
        }
        assert_eq!(lost_after(&mut sorter, 30, &moved), 0);
    }
}
