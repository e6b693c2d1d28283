//! A download by TCP in the same link: CUBIC (RFC 9438) without its finer points, as most of what calls share a link with.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// A full segment on the wire, and an acknowledgement.
pub const SEGMENT: usize = 1_500;
pub const ACKNOWLEDGEMENT: usize = 52;

/// Constants of RFC 9438, 4.1: how fast the window grows, and what is left of it after a loss.
const C: f64 = 0.4;
const BETA: f64 = 0.7;

/// So many later segments arrived: the one before is lost.
const REORDERED: u64 = 3;

/// Nothing at all has been acknowledged for so long.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Who sends. Segments have numbers of their own; that a lost one goes out again under its old number makes no difference to the
/// link.
#[derive(Debug)]
pub struct Sender {
    /// In segments.
    window: f64,
    threshold: f64,
    /// The window before the last loss, and when that was.
    before: f64,
    reduced_at: Instant,
    in_flight: VecDeque<u64>,
    next: u64,
    /// The first segment that was sent after the last loss.
    recovered_at: u64,
    heard_at: Instant,
}

impl Sender {
    pub fn new(now: Instant) -> Self {
        Self {
            window: 10.0,
            threshold: f64::INFINITY,
            before: 10.0,
            reduced_at: now,
            in_flight: VecDeque::new(),
            next: 0,
            recovered_at: 0,
            heard_at: now,
        }
    }

    /// The segments that may leave now.
    pub fn send(&mut self, now: Instant) -> Vec<u64> {
        if now >= self.next_due() {
            self.in_flight.clear();
            self.reduce(now);
            self.window = 1.0;
            self.heard_at = now;
        }
        let mut leaving = Vec::new();
        while (self.in_flight.len() as f64) < self.window {
            leaving.push(self.next);
            self.in_flight.push_back(self.next);
            self.next += 1;
        }
        leaving
    }

    pub fn next_due(&self) -> Instant {
        self.heard_at + TIMEOUT
    }

    /// A segment has been acknowledged.
    pub fn acknowledged(&mut self, number: u64, now: Instant) {
        self.heard_at = now;
        self.in_flight.retain(|sent| *sent != number);
        let lost = |sent: &u64| *sent + REORDERED <= number;
        if self.in_flight.front().is_some_and(lost) {
            let first = self.in_flight.front().copied().unwrap_or_default();
            self.in_flight.retain(|sent| !lost(sent));
            if first >= self.recovered_at {
                self.reduce(now);
            }
            return;
        }
        if self.window < self.threshold {
            self.window += 1.0;
            return;
        }
        let since = now.saturating_duration_since(self.reduced_at).as_secs_f64();
        let until_before = (self.before * (1.0 - BETA) / C).cbrt();
        let wanted = C * (since - until_before).powi(3) + self.before;
        // No faster than Reno would at least (RFC 9438, 4.3).
        let friendly = 3.0 * (1.0 - BETA) / (1.0 + BETA) / self.window;
        self.window += ((wanted - self.window) / self.window).max(friendly);
    }

    fn reduce(&mut self, now: Instant) {
        self.before = self.window;
        self.window = (self.window * BETA).max(2.0);
        self.threshold = self.window;
        self.reduced_at = now;
        self.recovered_at = self.next;
    }
}
