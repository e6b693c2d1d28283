//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), good for ten minutes. They say which session
//! somebody speaks for; whether that session still stands is the database's to say.
//!
//! `jsonwebtoken` gets its cryptography from `ring` here: its own choices bring RSA, which has a known leak
//! (RUSTSEC-2023-0071), or a C library.

use std::sync::Once;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use vireo_protocol::{Role, SessionId, UserId};

/// How long an access token is good for.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: UserId,
    /// By which of their sessions.
    pub sid: SessionId,
    /// What they were when it was issued, for whoever cannot ask the database.
    pub role: Role,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// From when on it is worth nothing, in seconds since the epoch.
    pub exp: u64,
}

/// The key cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("this is no key that signs access tokens")]
pub struct BadKey;

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    rules: Validation,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens { .. }") // The key belongs into no log.
    }
}

/// A new signing key, as PKCS #8 (RFC 8410).
#[must_use]
pub fn new_signing_key() -> Vec<u8> {
    let key = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
    key.expect("every system that this runs on has randomness to give")
        .as_ref()
        .to_vec()
}

impl Tokens {
    /// Works with this key: see [`new_signing_key`].
    ///
    /// # Errors
    /// When it is none.
    pub fn new(signing_key: &[u8]) -> Result<Self, BadKey> {
        static RING: Once = Once::new();
        // Whoever was faster in this process installed the same.
        RING.call_once(|| {
            let _ = PROVIDER.install_default();
        });
        let pair = Ed25519KeyPair::from_pkcs8(signing_key).map_err(|_| BadKey)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims(&["exp", "sub"]);
        rules.leeway = 0;
        Ok(Self {
            signing: EncodingKey::from_ed_der(signing_key),
            checking: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            rules,
        })
    }

    /// Works with a key of its own.
    #[cfg(test)]
    pub fn with_new_key() -> Self {
        Self::new(&new_signing_key()).expect("a good key")
    }

    /// A token for this session, good from now on.
    #[must_use]
    pub fn issue(&self, user: &UserId, session: &SessionId, role: Role) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let iat = now.unwrap_or_default().as_secs();
        self.sign(&Claims {
            sub: user.clone(),
            sid: session.clone(),
            role,
            iat,
            exp: iat + ACCESS_TOKEN_LIFETIME.as_secs(),
        })
    }

    fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &self.signing)
            .expect("the key has been read before, and claims are plain data")
    }

    /// What the token says, where it was signed with this key and is still good.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Claims> {
        let read = jsonwebtoken::decode(token, &self.checking, &self.rules);
        read.ok().map(|token| token.claims)
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(RingSigner::new(key.as_bytes())?)),
        _ => Err(unsupported()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::EdDSA => Ok(Box::new(RingVerifier(key.try_get_as_bytes()?.to_vec()))),
        _ => Err(unsupported()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn unsupported() -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

struct RingSigner(Ed25519KeyPair);

impl RingSigner {
    fn new(pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Self(pair))
    }
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct RingVerifier(Vec<u8>);

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn ann() -> (UserId, SessionId) {
        (UserId("ann".to_owned()), SessionId("laptop".to_owned()))
    }

    #[test]
    fn what_was_issued_can_be_read_with_the_same_key_only() {
        let (user, session) = ann();
        let ours = Tokens::with_new_key();
        let token = ours.issue(&user, &session, Role::Member);
        let claims = ours.read(&token).expect("good");
        assert_eq!((claims.sub, claims.sid), (user, session));
        assert_eq!(claims.exp - claims.iat, 600);
        assert_eq!(Tokens::with_new_key().read(&token), None);
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        );
    }

    #[test]
    fn expired_and_altered_tokens_are_worth_nothing() {
        let (sub, sid) = ann();
        let tokens = Tokens::with_new_key();
        let mut claims = tokens
            .read(&tokens.issue(&sub, &sid, Role::Member))
            .expect("good");
        claims.exp = claims.iat - 1;
        assert_eq!(tokens.read(&tokens.sign(&claims)), None);
        claims.exp = claims.iat + 600;
        let token = tokens.sign(&claims);
        assert!(tokens.read(&token).is_some());
        let parts: Vec<&str> = token.split('.').collect();
        claims.role = Role::Admin;
        let grander = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).expect("plain"));
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let hashed = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
        for forged in [
            String::new(),
            "..".to_owned(),
            format!("{}.{}.{}", parts[0], grander, parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{unsigned}.{}.", parts[1]),
            format!("{hashed}.{}.{}", parts[1], parts[2]),
        ] {
            assert_eq!(tokens.read(&forged), None, "{forged}");
        }
    }

    #[test]
    fn nonsense_is_no_key_and_keys_are_not_printed() {
        assert!(Tokens::new(b"nonsense").is_err());
        assert_eq!(format!("{:?}", Tokens::with_new_key()), "Tokens { .. }");
    }
}
