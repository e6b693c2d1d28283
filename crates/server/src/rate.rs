//! How much one may ask for at a time: token buckets, with time an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Holds up to `capacity` tokens and gains one every `period`.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// So many may be taken at once.
    pub capacity: u32,
    /// After so long there is one more.
    pub period: Duration,
}

/// One bucket, full at first. Only the time at which it will be full again is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    limit: Limit,
    full_at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(limit: Limit, now: Instant) -> Self {
        Self {
            limit,
            full_at: now,
        }
    }

    /// How long to wait until there is a token to take; nothing when there is one now.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let most = self.limit.period * (self.limit.capacity - 1);
        let owed = self.full_at.saturating_duration_since(now);
        owed.checked_sub(most).filter(|wait| !wait.is_zero())
    }

    /// Takes a token.
    ///
    /// # Errors
    /// When there is none: how long to wait.
    pub fn take(&mut self, now: Instant) -> Result<(), Duration> {
        match self.wait(now) {
            Some(wait) => Err(wait),
            None => {
                self.full_at = self.full_at.max(now) + self.limit.period;
                Ok(())
            }
        }
    }
}

/// A bucket for each key. Buckets that are full again are forgotten.
#[derive(Debug)]
pub struct Buckets<K> {
    limit: Limit,
    buckets: HashMap<K, Bucket>,
    sweep_at: usize,
}

impl<K: Eq + Hash> Buckets<K> {
    /// No buckets yet.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self {
            limit,
            buckets: HashMap::new(),
            sweep_at: 1024,
        }
    }

    /// How long this key has to wait; nothing when it need not.
    pub fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        self.buckets.get(key)?.wait(now)
    }

    /// Takes a token of this key's, whether there is one or not: see [`Buckets::wait`].
    pub fn take(&mut self, key: K, now: Instant) {
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            self.sweep_at = (self.buckets.len() * 2).max(1024);
        }
        let bucket = self
            .buckets
            .entry(key)
            .or_insert_with(|| Bucket::new(self.limit, now));
        let _ = bucket.take(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        capacity: 3,
        period: Duration::from_secs(1),
    };

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let start = Instant::now();
        let mut bucket = Bucket::new(LIMIT, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(Duration::from_secs(1)));
        let later = start + Duration::from_secs(1);
        assert_eq!(bucket.take(later), Ok(()));
        assert_eq!(bucket.take(later), Err(Duration::from_secs(1)));
        let much_later = start + Duration::from_secs(60);
        for _ in 0..3 {
            assert_eq!(bucket.take(much_later), Ok(()));
        }
        assert!(bucket.take(much_later).is_err());
    }

    #[test]
    fn keys_do_not_share_and_are_forgotten() {
        let start = Instant::now();
        let mut buckets = Buckets::new(LIMIT);
        for _ in 0..4 {
            buckets.take("ann".to_owned(), start);
        }
        assert_eq!(
            buckets.wait(&"ann".to_owned(), start),
            Some(Duration::from_secs(1))
        );
        assert_eq!(buckets.wait(&"bob".to_owned(), start), None);
        for n in 0..5000 {
            buckets.take(n.to_string(), start + Duration::from_secs(10) * n);
        }
        assert!(buckets.buckets.len() <= 1024);
    }
}
