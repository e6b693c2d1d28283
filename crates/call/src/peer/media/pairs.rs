//! What packets that left together show of the path: the narrowest place lets them through one after the other.

use std::time::{Duration, Instant};

use super::transport_cc::Fate;

/// Packets left together when no more than this lies between them,
const TOGETHER: Duration = Duration::from_millis(1);
/// and feedback counts time in units of this.
const RESOLUTION: Duration = Duration::from_micros(250);

/// Pictures of one packet are sent as two so often. What is larger than a packet makes pairs anyway.
const INTERVAL: Duration = Duration::from_millis(250);
/// What is smaller than this says too little to be worth another packet's headers, in bytes.
const LEAST: usize = 400;

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

/// The rate at which packets that left together were let through: packet pairs (Keshav, "A control-theoretic approach to flow
/// control", 1991). A single one means little: a radio link or a busy receiver may hold the first one back until the second
/// one is there as well.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// Of the last two, in bits a second.
    last: [f64; 2],
}

impl Pairs {
    /// Takes what became of some packets.
    pub fn update(&mut self, fates: &[Fate]) {
        let rates = fates.windows(2).filter_map(|pair| rate(&pair[0], &pair[1]));
        for rate in rates {
            self.last = [rate, self.last[0]];
        }
    }

    /// In bits a second, of both of the last two at least; zero before there were any.
    pub fn rate(&self) -> f64 {
        self.last[0].min(self.last[1])
    }
}

fn rate(first: &Fate, second: &Fate) -> Option<f64> {
    let follows = second.packet.number == first.packet.number + 1;
    let between = second.packet.at.saturating_duration_since(first.packet.at);
    let apart = second.arrival?.checked_sub(first.arrival?)?;
    let bits = second.packet.bytes as f64 * 8.0;
    (follows && between <= TOGETHER).then(|| bits / apart.max(RESOLUTION).as_secs_f64())
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
        pairs.update(&pair(0, 0));
        assert_eq!(pairs.rate(), 16e6);
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
