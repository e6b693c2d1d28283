//! What packets that left together show of the path: the narrowest place lets them through one after the other.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::transport_cc::Fate;

/// Packets left together when no more than this lies between them,
const TOGETHER: Duration = Duration::from_millis(1);
/// and how fast they were let through can be told when they arrive this far apart at least: feedback counts time in units of
/// 250 µs, and receivers' radios hand on together what a narrow place has sent apart.
const MEASURABLE: Duration = Duration::from_millis(1);

/// Pictures of one packet are sent as two so often. What is larger than a packet makes pairs anyway.
const INTERVAL: Duration = Duration::from_millis(250);
/// What is smaller than this says too little to be worth another packet's headers, in bytes.
const LEAST: usize = 400;

/// The second packet of a pair is no smaller than this, in bytes: what lies between both is counted too coarsely otherwise.
const LEAST_SECOND: usize = 240;

/// A receiver that was busy for a moment makes one pair look fast, but seldom so many in a row.
const NEWEST: usize = 2;
/// So many pairs are compared: about three seconds of them.
const COMPARED: usize = 12;
/// They agree when the middle half of them is no farther apart than this.
const AGREE: f64 = 1.1;
/// What they agreed on holds until so many later ones do not agree on anything,
const HOLDS: usize = COMPARED;
/// or the path lets packets through so many times faster.
const WIDER: f64 = 1.5;

/// Decides which pictures are divided so that there are pairs.
#[derive(Debug, Default)]
pub(crate) struct Dividing {
    next_at: Option<Instant>,
}

impl Dividing {
    /// How many packets a picture of so many bytes is to make at least.
    pub fn packets(&mut self, bytes: usize, now: Instant) -> usize {
        if bytes < LEAST || self.next_at.is_some_and(|next_at| now < next_at) {
            return 1;
        }
        self.next_at = Some(now + INTERVAL);
        2
    }
}

/// What is known of the path without a probe, in bits a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// At what rate it has let packets through of late.
    pub rate: f64,
    /// What it takes, where that is known.
    pub path: Option<f64>,
}

/// The rate at which packets that left together were let through: packet pairs (Keshav, "A control-theoretic approach to flow
/// control", 1991). A single one means little: a radio link or a busy receiver may hold the first one back until the second
/// one is there as well.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// Of the last ones, the newest at the end, in bits a second.
    rates: VecDeque<f64>,
    /// What they agreed on, in bits a second, and for how many more pairs that holds.
    agreed: Option<(f64, usize)>,
}

impl Pairs {
    /// Takes what became of some packets.
    pub fn update(&mut self, fates: &[Fate]) {
        let rates = fates.windows(2).filter_map(|pair| rate(&pair[0], &pair[1]));
        for rate in rates {
            if self.rates.len() == COMPARED {
                self.rates.pop_front();
            }
            self.rates.push_back(rate);
            self.compare();
        }
    }

    fn compare(&mut self) {
        let before = self.agreed.filter(|(_, left)| *left > 0);
        let before = before.map(|(agreed, left)| (agreed, left - 1));
        let common = self.common().map(|common| (common, HOLDS));
        self.agreed = common.or(before);
        if self
            .agreed()
            .is_some_and(|agreed| self.rate() >= agreed * WIDER)
        {
            self.agreed = None;
            self.rates.drain(..self.rates.len() - NEWEST); // They were seen on the former path.
        }
    }

    /// The median, where the last ones are hardly apart.
    fn common(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.rates.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let rank = |share: usize| sorted.get(COMPARED * share / 4).copied();
        let (lower, median, upper) = (rank(1)?, rank(2)?, rank(3)?);
        let agree = sorted.len() == COMPARED && upper < lower * AGREE;
        agree.then_some(median)
    }

    /// The path has become another one, which lets through so many bits a second.
    pub fn replace(&mut self, rate: f64) {
        self.rates = [rate; COMPARED].into();
        self.agreed = Some((rate, HOLDS));
    }

    /// What the pairs say together.
    pub fn seen(&self) -> Seen {
        Seen {
            rate: self.rate(),
            path: self.agreed(),
        }
    }

    /// In bits a second, of each of the newest at least; zero before there were any, infinite where it cannot be told.
    fn rate(&self) -> f64 {
        let newest = self.rates.iter().rev().take(NEWEST).copied();
        match self.rates.len() {
            0..NEWEST => 0.0,
            _ => newest.fold(f64::INFINITY, f64::min),
        }
    }

    /// The rate of the path's narrowest place, in bits a second, where the last pairs agree on it: behind a queue that is served
    /// evenly. Radio links hand packets on in groups and at times of their own, and are no such place.
    pub fn agreed(&self) -> Option<f64> {
        self.agreed.map(|(agreed, _)| agreed)
    }
}

fn rate(first: &Fate, second: &Fate) -> Option<f64> {
    let follows = second.packet.number == first.packet.number + 1;
    let between = second.packet.at.saturating_duration_since(first.packet.at);
    let apart = second.arrival?.checked_sub(first.arrival?)?;
    let bits = second.packet.bytes as f64 * 8.0;
    let large = second.packet.bytes >= LEAST_SECOND;
    let rate = match apart < MEASURABLE {
        true => f64::INFINITY,
        false => bits / apart.as_secs_f64(),
    };
    (follows && large && between <= TOGETHER).then_some(rate)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::peer::media::transport_cc::SentPacket;

    /// Two packets of 500 bytes, and how far apart they were sent and came, in microseconds.
    fn pair(sent: u64, came: u64) -> Vec<Fate> {
        let start = Instant::now();
        let fate = |number, sent, came| Fate {
            packet: SentPacket {
                number,
                at: start + Duration::from_micros(sent),
                bytes: 500,
                audio: false,
                probe: None,
            },
            arrival: Some(Duration::from_micros(came)),
        };
        vec![fate(7, 0, 90_000), fate(8, sent, 90_000 + came)]
    }

    #[test]
    fn the_path_is_as_fast_as_it_lets_pairs_through() {
        let mut pairs = Pairs::default();
        assert_eq!(pairs.rate(), 0.0);
        pairs.update(&pair(0, 16_000));
        assert_eq!(pairs.rate(), 0.0, "one alone is none");
        pairs.update(&pair(0, 10_000));
        assert_eq!(pairs.rate(), 250_000.0);
        pairs.update(&pair(100, 0));
        assert_eq!(pairs.rate(), 400_000.0);
        (1..NEWEST).for_each(|_| pairs.update(&pair(0, 0)));
        assert_eq!(pairs.rate(), f64::INFINITY);
    }

    #[test]
    fn many_pairs_agree_on_the_narrowest_place_or_there_is_none() {
        let mut pairs = Pairs::default();
        let mut one_more = |came| {
            pairs.update(&pair(0, came));
            pairs.agreed()
        };
        for _ in 1..COMPARED {
            assert_eq!(one_more(8_000), None, "too few");
        }
        assert_eq!(one_more(8_250), Some(500_000.0));
        // One that others came between, or that was held back, changes nothing.
        assert_eq!(one_more(20_000), Some(500_000.0));
        for _ in 1..NEWEST {
            assert_eq!(one_more(250), Some(500_000.0));
        }
        assert_eq!(one_more(250), None, "it has become wider");
        assert_eq!(one_more(8_000), None, "what was before is forgotten");
        for came in [250].repeat(2 * COMPARED) {
            assert_eq!(one_more(came), None, "too close together to tell");
        }
        for came in [0, 3_000, 12_000, 1_000, 8_000, 30_000].repeat(4) {
            assert_eq!(one_more(came), None, "a radio link");
        }
        for _ in 0..COMPARED {
            one_more(8_000);
        }
        let uneven = [9_500, 8_000, 7_000, 11_000].repeat(3);
        for came in uneven.iter().copied() {
            assert_eq!(one_more(came), Some(500_000.0), "for a while");
        }
        for came in &uneven {
            one_more(*came);
        }
        assert_eq!(one_more(9_500), None, "not for ever");
    }

    #[test]
    fn a_packet_of_sound_behind_a_picture_is_no_pair() {
        let mut pairs = Pairs::default();
        for _ in 0..COMPARED {
            let mut small = pair(0, 2_000);
            small[1].packet.bytes = 150;
            pairs.update(&small);
        }
        assert_eq!(pairs.rate(), 0.0);
    }

    #[test]
    fn some_pictures_are_divided() {
        let start = Instant::now();
        let mut dividing = Dividing::default();
        let mut at = |bytes, ms| dividing.packets(bytes, start + Duration::from_millis(ms));
        let packets = [
            at(300, 0),
            at(500, 33),
            at(500, 66),
            at(300, 300),
            at(900, 333),
        ];
        assert_eq!(packets, [1, 2, 1, 1, 2]);
    }

    #[test]
    fn only_what_left_together_and_came_in_order_is_a_pair() {
        let mut pairs = Pairs::default();
        for _ in 0..3 {
            pairs.update(&pair(5_000, 100));
            let mut turned = pair(0, 100);
            turned.reverse();
            pairs.update(&turned);
            let mut lost = pair(0, 100);
            lost[0].arrival = None;
            pairs.update(&lost);
        }
        assert_eq!(pairs.rate(), 0.0);
    }
}
