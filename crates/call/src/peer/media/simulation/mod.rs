//! Two sessions and the links between them on virtual time: a minute of a call takes a moment, and comes out the same every
//! time. The pictures are only sizes, but everything from the encoder's target to the assembled picture is the real thing.

mod company;
mod download;
mod encoder;
mod figures;
mod side;
mod tests;

use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtp;
use vireo_testing::link::{Link, Pipe};

use company::Company;
use figures::Figures;
use side::Side;

/// IP, UDP and DTLS-SRTP around a control packet.
const CONTROL_OVERHEAD: usize = 28 + 14;

/// What travels.
#[derive(Clone)]
enum Travelling {
    Rtp(rtp::Packet),
    /// As bytes: what is reported of packets differs after the way through them.
    Rtcp(Bytes),
    /// Of a download, by number.
    Segment(u64),
    Acknowledgement(u64),
}

impl Travelling {
    /// On the wire.
    fn bytes(&self) -> usize {
        match self {
            Self::Rtp(packet) => packet.payload.len() + super::packet::OVERHEAD,
            Self::Rtcp(packets) => packets.len() + CONTROL_OVERHEAD,
            Self::Segment(_) => download::SEGMENT,
            Self::Acknowledgement(_) => download::ACKNOWLEDGEMENT,
        }
    }
}

/// A call between Ann, who is measured, and Bob. Both send.
struct Simulation {
    start: Instant,
    now: Instant,
    ann: Side,
    bob: Side,
    company: Company,
    there: Pipe<(Whose, Travelling)>,
    back: Pipe<(Whose, Travelling)>,
    /// Ann's bytes that came through.
    anns_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

impl Simulation {
    /// With the same link each way.
    fn new(link: &Link, max_bitrate: u32) -> Self {
        Self::seeded(link, max_bitrate, 1)
    }

    /// The same, by other dice.
    fn seeded(link: &Link, max_bitrate: u32, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            start: now,
            now,
            ann: Side::new(now, max_bitrate, seed),
            bob: Side::new(now, max_bitrate, seed + 1),
            there: Pipe::new(link.clone(), seed + 2),
            back: Pipe::new(link.clone(), seed + 3),
            company: Company::Nobody,
            anns_bytes: 0,
        }
    }

    /// Changes both directions.
    fn set(&mut self, link: &Link) {
        self.there.set(link.clone(), self.now);
        self.back.set(link.clone(), self.now);
    }

    /// Time since the call came up.
    fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Lets time pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.step();
            let due = [
                self.ann.next_due(self.now),
                self.bob.next_due(self.now),
                self.there.next_due(),
                self.back.next_due(),
                self.company.next_due(self.now),
            ];
            match due.into_iter().flatten().min() {
                Some(due) if due <= end => self.now = due.max(self.now),
                _ => break,
            }
        }
        self.now = end;
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some((whose, packet)) = self.there.pop(now) {
            if whose == Whose::Ours {
                self.anns_bytes += packet.bytes();
                self.bob.receive(packet, now);
            } else if let Some(answer) = self.company.arrive_there(packet, now) {
                push(&mut self.back, Whose::Theirs, answer, now);
            }
        }
        while let Some((whose, packet)) = self.back.pop(now) {
            match whose {
                Whose::Ours => self.ann.receive(packet, now),
                Whose::Theirs => self.company.arrive_back(packet, now),
            }
        }
        for packet in self.ann.send(now) {
            push(&mut self.there, Whose::Ours, packet, now);
        }
        for packet in self.bob.send(now) {
            push(&mut self.back, Whose::Ours, packet, now);
        }
        let [there, back] = self.company.send(now);
        for packet in there {
            push(&mut self.there, Whose::Theirs, packet, now);
        }
        for packet in back {
            push(&mut self.back, Whose::Theirs, packet, now);
        }
    }

    /// What Bob saw of Ann in the last so many seconds.
    fn last(&self, time: Duration) -> Figures {
        self.between(self.elapsed().saturating_sub(time), self.elapsed())
    }

    /// What Bob saw of Ann in between, times since the call came up.
    fn between(&self, from: Duration, until: Duration) -> Figures {
        Figures::of(&self.bob.shown(), self.start + from, self.start + until)
    }

    /// How long Ann's sound waited at Bob's in the last so many seconds: the median of what was wanted.
    fn sound_wait(&self, time: Duration) -> Duration {
        let from = self.now - time;
        let waits = self.bob.sound_waits.iter().filter(|(at, _)| *at >= from);
        let mut waits: Vec<_> = waits.map(|(_, wait)| *wait).collect();
        waits.sort();
        waits.get(waits.len() / 2).copied().unwrap_or_default()
    }

    /// Runs on for a time. Gives the share of the link's rate that was used on the way to Bob.
    fn utilisation(&mut self, rate: u64, time: Duration) -> f64 {
        let before = self.there.counters().delivered_bytes;
        self.run(time);
        let bytes = self.there.counters().delivered_bytes - before;
        bytes as f64 * 8.0 / rate as f64 / time.as_secs_f64()
    }

    /// Runs on for a time. Gives the shares of the link's rate on the way to Bob that were Ann's and her company's.
    fn shares(&mut self, rate: u64, time: Duration) -> [f64; 2] {
        let before = self.anns_bytes;
        let all = self.utilisation(rate, time);
        let bytes = self.anns_bytes - before;
        let ours = bytes as f64 * 8.0 / rate as f64 / time.as_secs_f64();
        [ours, all - ours]
    }
}

fn push(pipe: &mut Pipe<(Whose, Travelling)>, whose: Whose, packet: Travelling, now: Instant) {
    let bytes = packet.bytes();
    pipe.push((whose, packet), bytes, now);
}
