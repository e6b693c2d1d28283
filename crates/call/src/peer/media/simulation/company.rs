//! Who else uses the link.

use std::time::Instant;

use super::{Travelling, download::Sender, side::Side};

pub enum Company {
    Nobody,
    Call(Box<[Side; 2]>),
    /// To where Bob is.
    Download(Sender),
}

impl Company {
    pub fn call(now: Instant, max_bitrate: u32, seed: u64) -> Self {
        let side = |seed| Side::new(now, max_bitrate, seed);
        Self::Call(Box::new([side(seed), side(seed + 1)]))
    }

    /// A packet has gone Ann's way and arrived. Gives what goes back for it.
    pub fn arrive_there(&mut self, packet: Travelling, now: Instant) -> Option<Travelling> {
        match (self, packet) {
            (Self::Call(sides), packet) => sides[1].receive(packet, now),
            (Self::Download(_), Travelling::Segment(number)) => {
                return Some(Travelling::Acknowledgement(number));
            }
            _ => {}
        }
        None
    }

    pub fn arrive_back(&mut self, packet: Travelling, now: Instant) {
        match (self, packet) {
            (Self::Call(sides), packet) => sides[0].receive(packet, now),
            (Self::Download(sender), Travelling::Acknowledgement(number)) => {
                sender.acknowledged(number, now);
            }
            _ => {}
        }
    }

    /// What leaves now, there and back.
    pub fn send(&mut self, now: Instant) -> [Vec<Travelling>; 2] {
        match self {
            Self::Nobody => [Vec::new(), Vec::new()],
            Self::Call(sides) => [sides[0].send(now), sides[1].send(now)],
            Self::Download(sender) => {
                let segments = sender.send(now).into_iter();
                [segments.map(Travelling::Segment).collect(), Vec::new()]
            }
        }
    }

    pub fn next_due(&mut self, now: Instant) -> Option<Instant> {
        match self {
            Self::Nobody => None,
            Self::Call(sides) => sides.iter_mut().filter_map(|side| side.next_due(now)).min(),
            Self::Download(sender) => Some(sender.next_due()),
        }
    }
}
