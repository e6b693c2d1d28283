//! Packets on their way through a link.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Link;
use super::fate::Fate;

/// What became of packets so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Packets that came to the link.
    pub offered: u64,
    /// Packets that it has let out again, copies included.
    pub delivered: u64,
    /// Their bytes.
    pub delivered_bytes: u64,
    /// Packets lost by chance or in a blackout.
    pub lost: u64,
    /// Packets for which the queue had no room.
    pub overflowed: u64,
}

/// Carries packets of any kind through a [`Link`].
#[derive(Debug)]
pub struct Pipe<T> {
    link: Link,
    fate: Fate,
    /// Waiting for their turn, with their bytes.
    queue: VecDeque<(T, usize)>,
    queued_bytes: usize,
    /// When the last byte of the packet before the first of the queue is out.
    free_at: Option<Instant>,
    flying: BinaryHeap<Reverse<Flying<T>>>,
    last_arrival: Option<Instant>,
    sent: u64,
    counters: Counters,
}

#[derive(Debug)]
struct Flying<T> {
    arrives: Instant,
    /// Of two that arrive together the one that was sent first is first.
    number: u64,
    bytes: usize,
    packet: T,
}

impl<T: Clone> Pipe<T> {
    /// Packets that come in the same order meet the same fates with the same seed.
    #[must_use]
    pub fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            fate: Fate::new(seed),
            queue: VecDeque::new(),
            queued_bytes: 0,
            free_at: None,
            flying: BinaryHeap::new(),
            last_arrival: None,
            sent: 0,
            counters: Counters::default(),
        }
    }

    /// Changes the link for what comes from now on, and for what waits.
    pub fn set(&mut self, link: Link, now: Instant) {
        self.serve(now);
        let left = self.left_of_first(now);
        self.link = link;
        if let Some(takes) = self.first_takes() {
            // What of the first packet is out stays out, as if it had always gone at the new rate.
            self.free_at = now.checked_sub(takes.mul_f64(1.0 - left)).or(Some(now));
        }
    }

    /// A packet of so many bytes comes to the link.
    pub fn push(&mut self, packet: T, bytes: usize, now: Instant) {
        self.counters.offered += 1;
        self.serve(now);
        if self.link.blackout || self.fate.loses(self.link.loss) {
            self.counters.lost += 1;
            return;
        }
        let wait = self
            .link
            .rate
            .map_or(Duration::ZERO, |rate| sending(self.queued_bytes, rate));
        if !self.queue.is_empty() && wait > self.link.queue {
            self.counters.overflowed += 1;
            return;
        }
        if self.queue.is_empty() {
            self.free_at = Some(self.free_at.map_or(now, |free| free.max(now)));
        }
        self.queued_bytes += bytes;
        self.queue.push_back((packet, bytes));
        self.serve(now);
    }

    /// The next packet that has arrived by now.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        self.serve(now);
        if self.flying.peek()?.0.arrives > now {
            return None;
        }
        let Reverse(arrived) = self.flying.pop()?;
        self.counters.delivered += 1;
        self.counters.delivered_bytes += arrived.bytes as u64;
        Some(arrived.packet)
    }

    /// When there is something to do next: a packet to pop, or one that leaves the queue.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let arrives = self.flying.peek().map(|flying| flying.0.arrives);
        [arrives, self.leaves()].into_iter().flatten().min()
    }

    /// What became of packets so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// When the first packet of the queue will be out.
    fn leaves(&self) -> Option<Instant> {
        Some(self.free_at? + self.first_takes()?)
    }

    /// How long the first packet of the queue takes, all in all.
    fn first_takes(&self) -> Option<Duration> {
        let (_, bytes) = self.queue.front()?;
        let takes = |rate| sending(*bytes, rate);
        Some(self.link.rate.map_or(Duration::ZERO, takes))
    }

    /// The share of the first packet that is not out yet.
    fn left_of_first(&self, now: Instant) -> f64 {
        let takes = self.first_takes().filter(|takes| !takes.is_zero());
        self.leaves().zip(takes).map_or(0.0, |(leaves, takes)| {
            let left = leaves.saturating_duration_since(now);
            left.div_duration_f64(takes).min(1.0)
        })
    }

    /// Lets out of the queue what has had its turn.
    fn serve(&mut self, now: Instant) {
        while let Some(leaves) = self.leaves().filter(|&leaves| leaves <= now) {
            let Some((packet, bytes)) = self.queue.pop_front() else {
                return;
            };
            self.queued_bytes -= bytes;
            self.free_at = Some(leaves);
            if self.fate.happens(self.link.duplicated) {
                self.fly(packet.clone(), bytes, leaves);
            }
            self.fly(packet, bytes, leaves);
        }
    }

    fn fly(&mut self, packet: T, bytes: usize, left: Instant) {
        let arrives = if self.fate.happens(self.link.reordered) {
            left
        } else {
            let jitter = self.link.jitter.mul_f64(self.fate.share());
            let arrives = left + self.link.delay + jitter;
            let in_order = self.last_arrival.map_or(arrives, |last| last.max(arrives));
            self.last_arrival = Some(in_order);
            in_order
        };
        self.sent += 1;
        self.flying.push(Reverse(Flying {
            arrives,
            number: self.sent,
            bytes,
            packet,
        }));
    }
}

/// How long so many bytes take at so many bits a second.
fn sending(bytes: usize, rate: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1) as f64)
}

impl<T> Ord for Flying<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.arrives, self.number).cmp(&(other.arrives, other.number))
    }
}

impl<T> PartialOrd for Flying<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Flying<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Flying<T> {}

#[cfg(test)]
mod tests;
