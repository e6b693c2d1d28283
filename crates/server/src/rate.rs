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

    /// Gives back a token that was taken.
    pub fn give_back(&mut self) {
        // Before the clock began the bucket was full in any case.
        self.full_at = self
            .full_at
            .checked_sub(self.limit.period)
            .unwrap_or(self.full_at);
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

    /// Takes a token of this key's.
    ///
    /// # Errors
    /// When there is none: how long to wait. Asking does not make it longer.
    pub fn take(&mut self, key: K, now: Instant) -> Result<(), Duration> {
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            self.sweep_at = (self.buckets.len() * 2).max(1024);
        }
        let bucket = self
            .buckets
            .entry(key)
            .or_insert_with(|| Bucket::new(self.limit, now));
        bucket.take(now)
    }

    /// Gives back a token that was taken. A bucket that has been forgotten is full already.
    pub fn give_back(&mut self, key: &K) {
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.give_back();
        }
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
    fn what_is_given_back_can_be_taken_again() {
        let start = Instant::now();
        let mut bucket = Bucket::new(LIMIT, start);
        for _ in 0..10 {
            assert_eq!(bucket.take(start), Ok(()));
            bucket.give_back();
        }
        // Never more than the bucket holds.
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert!(bucket.take(start).is_err());
    }

    #[test]
    fn asking_again_and_again_makes_nobody_wait_longer() {
        let start = Instant::now();
        let mut buckets = Buckets::new(LIMIT);
        for _ in 0..1000 {
            let _ = buckets.take("ann", start);
        }
        assert_eq!(buckets.take("ann", start), Err(LIMIT.period));
        assert_eq!(buckets.take("ann", start + LIMIT.period), Ok(()));
    }

    #[test]
    fn keys_do_not_share_and_are_forgotten() {
        let start = Instant::now();
        let mut buckets = Buckets::new(LIMIT);
        for _ in 0..3 {
            assert_eq!(buckets.take("ann".to_owned(), start), Ok(()));
        }
        assert!(buckets.take("ann".to_owned(), start).is_err());
        assert_eq!(buckets.take("bob".to_owned(), start), Ok(()));
        for n in 0..5000 {
            let later = start + Duration::from_secs(10) * n;
            assert_eq!(buckets.take(n.to_string(), later), Ok(()));
        }
        assert!(buckets.buckets.len() <= 1024);
        // What has been forgotten cannot be given back, and need not be.
        buckets.give_back(&"ann".to_owned());
    }
}
