//! How long packets wait in the queues of the path.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

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

/// The least waiting time of so long
const MOMENT: Duration = Duration::from_millis(250);
/// is remembered so many times,
const MOMENTS: usize = 40;
/// and this share of them is less than usual.
const USUAL: f64 = 0.25;
/// More than this is no jitter but a queue that others keep full.
const MOST_USUAL: Duration = Duration::from_millis(40);

/// Where the path hands packets on at its own times, as radio links do, hardly any takes the shortest way, and the least waiting
/// time of a quarter of a second is never near zero. Such waiting is no queue.
#[derive(Debug)]
pub(crate) struct UsualWait {
    began: Instant,
    least: Duration,
    moments: VecDeque<Duration>,
    usual: Duration,
}

impl UsualWait {
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            least: Duration::MAX,
            moments: VecDeque::new(),
            usual: Duration::ZERO,
        }
    }

    /// Takes the least time that one of some packets waited. Gives by how much that is more than usual.
    pub fn beyond(&mut self, least: Duration, now: Instant) -> Duration {
        self.least = self.least.min(least);
        if now.saturating_duration_since(self.began) >= MOMENT {
            if self.moments.len() == MOMENTS {
                self.moments.pop_front();
            }
            self.moments.push_back(self.least);
            let mut sorted: Vec<_> = self.moments.iter().copied().collect();
            sorted.sort();
            let index = (sorted.len() as f64 * USUAL) as usize;
            self.usual = sorted[index].min(MOST_USUAL);
            self.began = now;
            self.least = Duration::MAX;
        }
        least.saturating_sub(self.usual)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_usual_and_a_queue_is_not_until_it_is_always_there() {
        let start = Instant::now();
        let mut usual = UsualWait::new(start);
        let mut at = 0;
        let mut beyond = |waits: &[u64], times| {
            let mut last = Duration::ZERO;
            for wait in waits.iter().cycle().take(waits.len() * times) {
                at += 50;
                let now = start + Duration::from_millis(at);
                last = usual.beyond(Duration::from_millis(*wait), now);
            }
            last.as_millis()
        };
        assert_eq!(beyond(&[3, 0, 2, 1, 5], 40), 5);
        assert_eq!(beyond(&[60], 20), 60, "a queue");
        beyond(&[22, 30, 25, 38, 21], 40);
        assert_eq!(beyond(&[22, 30, 25, 38, 21], 1), 0, "jitter");
        assert_eq!(beyond(&[150], 200), 110, "others");
    }
}
