//! Who may use the relay: the long-term credentials of STUN (RFC 8489 §9.2), with user names that say when they expire and
//! passwords that follow from them (`ice.rs`). Nothing is remembered of somebody who has not proven who they are.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use turn_types::stun::attribute::{MessageIntegrity, Nonce, Realm, Username};
use turn_types::stun::message::{
    IntegrityAlgorithm, IntegrityKey, LongTermKeyCredentials, Message,
};
use turn_types::stun::prelude::AttributeStaticType;

use super::core::Now;
use crate::ice::{TurnSecret, VALID_FOR};

/// The realm of every Vireo relay. It is short because whoever asks gets it.
pub const REALM: &str = "vireo";

/// RFC 8656 §5 asks for an hour at most.
const NONCE_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Bytes of the nonce's seal that are kept.
const SEAL: usize = 12;

/// Who sends a request, proven.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The whole user name: each sign-in has its own.
    pub username: String,
    /// Seconds since the epoch at which the credentials end.
    pub expires: u64,
    /// What answers are sealed with.
    pub key: IntegrityKey,
}

impl Sender {
    /// Whose quotas count: the user name without its time.
    #[must_use]
    pub fn person(&self) -> &str {
        person_of(&self.username)
    }
}

fn person_of(username: &str) -> &str {
    username.split_once(':').map_or(username, |(_, user)| user)
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// 400: signed, but without what the signature needs.
    Incomplete,
    /// 401: not signed, by nobody we know, too late, or with another password.
    Unknown,
    /// 438: signed for another time or another address.
    StaleNonce,
}

/// Makes nonces and checks signatures.
pub struct Doorkeeper {
    secret: TurnSecret,
    /// Seals the nonces of this process.
    nonces: [u8; 32],
    /// People whose credentials ended before their time, and up to which time of theirs.
    ended: HashMap<String, u64>,
}

impl std::fmt::Debug for Doorkeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorkeeper { .. }") // It holds secrets.
    }
}

impl Doorkeeper {
    /// With the secret that passwords are made of.
    #[must_use]
    pub fn new(secret: TurnSecret) -> Self {
        Self {
            secret,
            nonces: rand::random(),
            ended: HashMap::new(),
        }
    }

    /// Takes no credentials of this person's any more that were made until now.
    pub fn end(&mut self, person: &str, now: Now) {
        let last = now.unix + VALID_FOR.as_secs();
        self.ended.insert(person.to_owned(), last);
    }

    /// Forgets whose credentials have run out by themselves.
    pub fn tidy(&mut self, now: Now) {
        self.ended.retain(|_, last| *last > now.unix);
    }

    /// A nonce for whoever is at this address. It holds its own time and a seal over it and the address, so that none has to
    /// be kept, and only who receives at the address can use it.
    #[must_use]
    pub fn nonce(&self, client: SocketAddr, now: Now) -> String {
        let seconds = u32::try_from(now.unix).unwrap_or(u32::MAX).to_be_bytes();
        let seal = self.seal(seconds, client).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&seconds[..], &seal[..SEAL]].concat())
    }

    fn nonce_is_fresh(&self, nonce: &str, client: SocketAddr, now: Now) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(nonce) else {
            return false;
        };
        let Some((seconds, seal)) = bytes.split_first_chunk::<4>() else {
            return false;
        };
        let age = now.unix.checked_sub(u32::from_be_bytes(*seconds).into());
        seal.len() == SEAL
            && age.is_some_and(|age| age < NONCE_LIFETIME.as_secs())
            && self
                .seal(*seconds, client)
                .verify_truncated_left(seal)
                .is_ok()
    }

    fn seal(&self, seconds: [u8; 4], client: SocketAddr) -> Hmac<Sha256> {
        let mut seal = Hmac::new_from_slice(&self.nonces).expect("HMAC takes a key of any length");
        seal.update(&seconds);
        seal.update(client.to_string().as_bytes());
        seal
    }

    /// Who has sent this.
    ///
    /// # Errors
    /// Why nobody knows.
    pub fn sender(
        &self,
        message: &Message<'_>,
        client: SocketAddr,
        now: Now,
    ) -> Result<Sender, Doubt> {
        if !message.has_attribute(MessageIntegrity::TYPE) {
            return Err(Doubt::Unknown);
        }
        let username = message
            .attribute::<Username>()
            .map_err(|_| Doubt::Incomplete)?;
        let realm = message
            .attribute::<Realm>()
            .map_err(|_| Doubt::Incomplete)?;
        let nonce = message
            .attribute::<Nonce>()
            .map_err(|_| Doubt::Incomplete)?;
        if !self.nonce_is_fresh(nonce.nonce(), client, now) {
            return Err(Doubt::StaleNonce);
        }
        let sender = self.known(username.username(), now).ok_or(Doubt::Unknown)?;
        match message.validate_integrity_with_key(&sender.key) {
            Ok(_) if realm.realm() == REALM => Ok(sender),
            Ok(_) | Err(_) => Err(Doubt::Unknown),
        }
    }

    fn known(&self, username: &str, now: Now) -> Option<Sender> {
        let (expires, _) = username.split_once(':')?;
        let expires = expires.parse().ok().filter(|at| *at > now.unix)?;
        if self
            .ended
            .get(person_of(username))
            .is_some_and(|last| expires <= *last)
        {
            return None;
        }
        Some(Sender {
            username: username.to_owned(),
            expires,
            key: integrity_key(username, &self.secret.password_of(username)),
        })
    }
}

/// The key of RFC 8489 §9.2.2 for somebody in the relay's realm.
#[must_use]
pub fn integrity_key(username: &str, password: &str) -> IntegrityKey {
    let of = str::to_owned;
    LongTermKeyCredentials::new(of(username), of(password), of(REALM))
        .make_key(IntegrityAlgorithm::Sha1)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_address_and_its_hour_only() {
        let door = Doorkeeper::new(TurnSecret::from("north"));
        let now = Now {
            at: Instant::now(),
            unix: 1_800_000_000,
        };
        let (here, there) = (
            "192.0.2.7:9".parse().expect("one"),
            "192.0.2.7:10".parse().expect("another"),
        );
        let nonce = door.nonce(here, now);
        let at = |unix| Now { at: now.at, unix };
        assert!(door.nonce_is_fresh(&nonce, here, now));
        assert!(door.nonce_is_fresh(&nonce, here, at(now.unix + 3_599)));
        assert!(!door.nonce_is_fresh(&nonce, here, at(now.unix + 3_600)));
        assert!(
            !door.nonce_is_fresh(&nonce, here, at(now.unix - 1)),
            "from the future"
        );
        assert!(!door.nonce_is_fresh(&nonce, there, now));
        assert!(
            !door.nonce_is_fresh(&nonce[..8], here, now),
            "without its seal"
        );
        assert!(!Doorkeeper::new(TurnSecret::from("north")).nonce_is_fresh(&nonce, here, now));
        for nonsense in ["", "x", "ÄÖ", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(!door.nonce_is_fresh(nonsense, here, now));
        }
    }
}
