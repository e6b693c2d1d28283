//! How much of the relay one person may have.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What a person, an allocation and all together may have.
#[derive(Debug, Clone, Copy)]
pub struct RelayLimits {
    /// Allocations of a person at once. A call takes one for each network interface and device, while it rings too.
    pub allocations_per_person: usize,
    /// Allocations altogether; each is a socket.
    pub allocations: usize,
    /// What a person's allocations may pass on in a second, both ways together.
    pub bytes_per_second: u64,
    /// Addresses that an allocation may hear from.
    pub permissions: usize,
    /// Channels of an allocation.
    pub channels: usize,
}

impl Default for RelayLimits {
    fn default() -> Self {
        Self {
            allocations_per_person: 16,
            allocations: 1_000,
            // Four times what a call in 1080p takes both ways.
            bytes_per_second: 5_000_000,
            permissions: 64,
            channels: 64,
        }
    }
}

/// What was saved up in silence may be used at once: a key frame, the start of a call.
const BURST: Duration = Duration::from_secs(2);

/// A token bucket of bytes. Only the time at which it will be full again is kept.
#[derive(Debug, Clone, Copy)]
struct ByteBucket {
    full_at: Instant,
}

impl ByteBucket {
    fn take(&mut self, bytes: usize, per_second: u64, now: Instant) -> bool {
        let cost = Duration::from_secs_f64(bytes as f64 / per_second.max(1) as f64);
        let full_at = self.full_at.max(now) + cost;
        let there_is_enough = full_at.saturating_duration_since(now) <= BURST;
        if there_is_enough {
            self.full_at = full_at;
        }
        there_is_enough
    }
}

#[derive(Debug)]
struct Usage {
    allocations: usize,
    bytes: ByteBucket,
}

/// Why there is no further allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The person has as many as one may have.
    Person,
    /// All together have.
    Everybody,
}

/// What each person has at the moment.
#[derive(Debug)]
pub struct Quotas {
    limits: RelayLimits,
    people: HashMap<String, Usage>,
    allocations: usize,
}

impl Quotas {
    /// Nobody has anything.
    #[must_use]
    pub fn new(limits: RelayLimits) -> Self {
        Self {
            limits,
            people: HashMap::new(),
            allocations: 0,
        }
    }

    /// One allocation more for this person.
    ///
    /// # Errors
    /// When that were too many; nothing is counted then.
    pub fn add(&mut self, person: &str, now: Instant) -> Result<(), Full> {
        if self.allocations >= self.limits.allocations {
            return Err(Full::Everybody);
        }
        let usage = self.people.entry(person.to_owned()).or_insert(Usage {
            allocations: 0,
            bytes: ByteBucket { full_at: now },
        });
        if usage.allocations >= self.limits.allocations_per_person {
            return Err(Full::Person);
        }
        usage.allocations += 1;
        self.allocations += 1;
        Ok(())
    }

    /// One allocation less.
    pub fn remove(&mut self, person: &str) {
        if let Some(usage) = self.people.get_mut(person) {
            usage.allocations = usage.allocations.saturating_sub(1);
            self.allocations = self.allocations.saturating_sub(1);
        }
    }

    /// Whether so many bytes may pass for this person now; counts them if so.
    pub fn pass(&mut self, person: &str, bytes: usize, now: Instant) -> bool {
        let rate = self.limits.bytes_per_second;
        let usage = self.people.get_mut(person);
        usage.is_some_and(|usage| usage.bytes.take(bytes, rate, now))
    }

    /// Forgets people who have nothing and owe nothing.
    pub fn tidy(&mut self, now: Instant) {
        self.people
            .retain(|_, usage| usage.allocations > 0 || usage.bytes.full_at > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_flow_at_the_rate_after_a_burst() {
        let limits = RelayLimits {
            bytes_per_second: 1_000,
            ..RelayLimits::default()
        };
        let start = Instant::now();
        let mut quotas = Quotas::new(limits);
        quotas.add("ann", start).expect("the first");
        assert!(quotas.pass("ann", 2_000, start));
        assert!(!quotas.pass("ann", 1, start));
        let later = start + Duration::from_millis(500);
        assert!(quotas.pass("ann", 499, later));
        assert!(!quotas.pass("ann", 100, later));
        // Leaving and coming back does not fill the bucket.
        quotas.remove("ann");
        quotas.tidy(later);
        quotas.add("ann", later).expect("one again");
        assert!(!quotas.pass("ann", 100, later));
        assert!(!quotas.pass("eve", 1, later), "no allocation, no bytes");
    }

    #[test]
    fn people_without_allocations_are_forgotten_once_they_owe_nothing() {
        let start = Instant::now();
        let mut quotas = Quotas::new(RelayLimits::default());
        quotas.add("ann", start).expect("the first");
        assert!(quotas.pass("ann", 1_000, start));
        quotas.remove("ann");
        quotas.tidy(start + BURST);
        assert!(quotas.people.is_empty());
    }
}
