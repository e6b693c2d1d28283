//! How long packets wait in the queues of the path.

use std::time::{Duration, Instant};

use super::transport_cc::Fate;

/// The shortest way is looked for among the packets of the last one to two of these.
const WINDOW: Duration = Duration::from_secs(10);

/// Compares each packet's delay with the shortest of late, which waited nowhere. The receiver's clock has a zero of its own, so
/// only differences mean something.
#[derive(Debug)]
pub(crate) struct Queueing {
    epoch: Instant,
    /// The shortest delay of the window under way and of the one before it, in microseconds.
    shortest: [i64; 2],
    window_began: Instant,
}

impl Queueing {
    pub fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            shortest: [i64::MAX; 2],
            window_began: now,
        }
    }

    /// Takes what became of some packets.
    pub fn update(&mut self, fates: &[Fate], now: Instant) {
        if now.saturating_duration_since(self.window_began) >= WINDOW {
            self.window_began = now;
            self.shortest = [i64::MAX, self.shortest[0]];
        }
        let shortest = fates.iter().filter_map(|fate| self.delay(fate)).min();
        self.shortest[0] = self.shortest[0].min(shortest.unwrap_or(i64::MAX));
    }

    /// How long a packet waited; none when it is lost.
    pub fn waited(&self, fate: &Fate) -> Option<Duration> {
        let shortest = self.shortest[0].min(self.shortest[1]);
        let waited = self.delay(fate)?.saturating_sub(shortest);
        Some(Duration::from_micros(u64::try_from(waited).unwrap_or(0)))
    }

    fn delay(&self, fate: &Fate) -> Option<i64> {
        let sent = fate.packet.at.saturating_duration_since(self.epoch);
        let arrived = fate.arrival?.as_micros() as i64;
        Some(arrived - sent.as_micros() as i64)
    }
}

/// Bits a second at which these packets arrived; none when they are too few to say.
pub(crate) fn delivered_rate(fates: &[Fate]) -> Option<f64> {
    let arrived = || fates.iter().filter_map(|fate| Some((fate.arrival?, fate)));
    let (first, _) = arrived().min_by_key(|(at, _)| *at)?;
    let (last, _) = arrived().max_by_key(|(at, _)| *at)?;
    let bytes: usize = arrived()
        .filter(|(at, _)| *at > first)
        .map(|(_, fate)| fate.packet.bytes)
        .sum();
    (bytes > 0).then(|| bytes as f64 * 8.0 / (last - first).as_secs_f64())
}
