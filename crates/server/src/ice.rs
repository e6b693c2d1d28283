//! STUN and TURN servers to hand out, with TURN credentials that are limited in time.
//!
//! The credentials are those of coturn's REST API (draft-uberti-behave-turn-rest-00): the user name begins with the time
//! it expires, and the password is an HMAC of it under a secret that this server and the TURN server share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use vireo_protocol::{IceServer, UserId};

/// Longer than any call, so that a relay that was allocated can be refreshed to its end.
const VALID_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// STUN and TURN servers as configured.
#[derive(Clone, Default)]
pub struct IceConfig {
    /// `host:port` of STUN servers.
    pub stun: Vec<String>,
    /// `host:port` of TURN servers (UDP).
    pub turn: Vec<String>,
    /// The secret shared with the TURN servers.
    pub turn_secret: Option<String>,
}

impl std::fmt::Debug for IceConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IceConfig { .. }") // It holds a secret.
    }
}

impl IceConfig {
    /// What one person is told, from now on.
    #[must_use]
    pub fn servers_for(&self, user: &UserId) -> Vec<IceServer> {
        let mut servers = Vec::new();
        if !self.stun.is_empty() {
            servers.push(IceServer {
                urls: self.stun.iter().map(|at| format!("stun:{at}")).collect(),
                username: None,
                credential: None,
            });
        }
        if let (false, Some(secret)) = (self.turn.is_empty(), &self.turn_secret) {
            let until = SystemTime::now() + VALID_FOR;
            let (username, credential) = credentials(secret, user, until);
            let url = |at: &String| format!("turn:{at}?transport=udp");
            servers.push(IceServer {
                urls: self.turn.iter().map(url).collect(),
                username: Some(username),
                credential: Some(credential),
            });
        }
        servers
    }
}

fn credentials(secret: &str, user: &UserId, until: SystemTime) -> (String, String) {
    let seconds = until
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let username = format!("{seconds}:{user}");
    let mut mac =
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(username.as_bytes());
    let password = STANDARD.encode(mac.finalize().into_bytes());
    (username, password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_coturn() {
        let until = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let (username, password) = credentials("north", &UserId("ann".into()), until);
        assert_eq!(username, "1700000000:ann");
        // printf 1700000000:ann | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password, "jeamH6dA5l2I9g3jmieza7CzEDo=");
    }

    #[test]
    fn nothing_is_handed_out_unless_configured() {
        let user = UserId("ann".into());
        assert!(IceConfig::default().servers_for(&user).is_empty());
        let config = IceConfig {
            stun: vec!["192.0.2.1:3478".into()],
            turn: vec!["turn.example:3478".into()],
            turn_secret: Some("north".into()),
        };
        let servers = config.servers_for(&user);
        assert_eq!(servers[0].urls, ["stun:192.0.2.1:3478"]);
        assert_eq!(servers[1].urls, ["turn:turn.example:3478?transport=udp"]);
        assert!(servers[1].credential.is_some());
        assert!(!format!("{config:?}").contains("north"));
    }
}
