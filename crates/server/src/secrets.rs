//! Passwords and tokens: how they are made, kept and compared.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// One hash takes 19 MB and some 20 ms of a core; a flood of sign-ins must not take all of both.
static HASHING: Semaphore = Semaphore::const_new(4);

/// The password as a PHC string: Argon2id with OWASP's parameters (19 MiB, two passes) and a fresh salt.
pub async fn hash_password(password: String) -> Option<String> {
    on_blocking_thread(move || {
        let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
        Some(hash.to_string())
    })
    .await
}

/// Whether the password is the one that was hashed. Without a hash it takes as long and says no, so that the time an
/// answer takes does not tell which names exist.
pub async fn verify_password(password: String, hash: Option<String>) -> bool {
    on_blocking_thread(move || match hash.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok(),
        Some(Err(_)) | None => {
            let _ = Argon2::default().hash_password(password.as_bytes());
            false
        }
    })
    .await
}

async fn on_blocking_thread<T: Default + Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let _permit = HASHING.acquire().await; // The semaphore is never closed.
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

/// A new token: 256 random bits, in letters that a WebSocket subprotocol may consist of.
pub fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a token. It is random, so that a plain hash cannot be guessed back.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let hash = hash_password("correct horse".into()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("correct horse".into(), Some(hash.clone())).await);
        assert!(!verify_password("Correct horse".into(), Some(hash)).await);
        assert!(!verify_password("correct horse".into(), None).await);
        assert!(!verify_password("correct horse".into(), Some("nonsense".into())).await);
    }

    #[test]
    fn tokens_differ_and_fit_into_a_subprotocol() {
        let (one, other) = (new_token(), new_token());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(token_hash(&one), token_hash(&other));
    }
}
