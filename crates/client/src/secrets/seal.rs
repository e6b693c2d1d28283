//! Sealing: ChaCha20-Poly1305 (RFC 8439) under a fresh nonce each time, written in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The length of a key.
pub(super) const KEY_BYTES: usize = 32;

/// What a seal is for, so that it opens nowhere else.
const PURPOSE: &[u8] = b"vireo account 1";

/// A key that seals.
pub(super) struct SealingKey(Box<LessSafeKey>);

impl SealingKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).expect("the key has this length");
        Self(Box::new(LessSafeKey::new(key)))
    }

    pub fn seal(&self, plain: &[u8]) -> String {
        // Of 96 random bits none comes twice in the few thousand times that a key is used.
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(PURPOSE),
                &mut text,
            )
            .expect("secrets are short");
        STANDARD_NO_PAD.encode([&nonce[..], &text].concat())
    }

    /// None where it was not sealed with this key.
    pub fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(PURPOSE), &mut text);
        Some(plain.ok()?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_it() {
        let key = SealingKey::new([7; KEY_BYTES]);
        let sealed = key.seal(b"secret");
        assert_ne!(sealed, key.seal(b"secret"));
        assert_eq!(key.open(&sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(SealingKey::new([8; KEY_BYTES]).open(&sealed), None);
        for wrong in ["", "x", "AAAA", "?", &sealed[..sealed.len() - 2]] {
            assert_eq!(key.open(wrong), None, "{wrong}");
        }
    }
}
