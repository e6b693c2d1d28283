//! Who may connect: whoever brings a token that the application's own window has just been given.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::distr::{Alphanumeric, SampleString};

/// A token that was not used for so long is void.
const LIFETIME: Duration = Duration::from_secs(20);

/// So many can be out at once; a further one voids the oldest.
const MOST: usize = 8;

/// The tokens that have been given out and not been used.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<VecDeque<(String, Instant)>>);

impl Tokens {
    /// A new token; over 256 bits.
    pub fn issue(&self) -> String {
        self.issue_at(Instant::now())
    }

    /// Whether the token is good. It is not, the next time.
    pub fn redeem(&self, token: &str) -> bool {
        self.redeem_at(token, Instant::now())
    }

    fn issue_at(&self, now: Instant) -> String {
        let token = Alphanumeric.sample_string(&mut rand::rng(), 48);
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() == MOST {
            tokens.pop_front();
        }
        tokens.push_back((token.clone(), now));
        token
    }

    fn redeem_at(&self, token: &str, now: Instant) -> bool {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(_, issued)| now.saturating_duration_since(*issued) < LIFETIME);
        let found = tokens.iter().position(|(known, _)| known == token);
        found.and_then(|index| tokens.remove(index)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_once_and_not_for_long() {
        let tokens = Tokens::default();
        let now = Instant::now();
        let (one, two) = (tokens.issue_at(now), tokens.issue_at(now));
        assert_ne!(one, two);
        assert!(!tokens.redeem_at("guess", now));
        assert!(tokens.redeem_at(&one, now));
        assert!(!tokens.redeem_at(&one, now), "it has been used");
        assert!(!tokens.redeem_at(&two, now + LIFETIME), "it has expired");
    }

    #[test]
    fn too_many_tokens_void_the_oldest() {
        let tokens = Tokens::default();
        let now = Instant::now();
        let first = tokens.issue_at(now);
        let later: Vec<_> = (0..MOST).map(|_| tokens.issue_at(now)).collect();
        assert!(!tokens.redeem_at(&first, now));
        assert!(later.iter().all(|token| tokens.redeem_at(token, now)));
    }
}
