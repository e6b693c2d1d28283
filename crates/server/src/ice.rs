//! STUN and TURN servers to hand out, with TURN credentials that are limited in time.
//!
//! The credentials are those of coturn's REST API (draft-uberti-behave-turn-rest-00): the user name begins with the time
//! it expires, and the password is an HMAC of it under a secret that this server and the TURN server share.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use vireo_protocol::{IceServer, UserId};

use crate::host::{is_this_computer, literal};
use crate::relay::Relay;
use crate::store::{Store, StoreError};

/// Longer than any call, so that a relay that was allocated can be refreshed to its end.
pub const VALID_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What the passwords for a TURN server are made of.
#[derive(Clone)]
pub struct TurnSecret(Vec<u8>);

impl From<&str> for TurnSecret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TurnSecret(..)")
    }
}

impl TurnSecret {
    /// A new one: 256 random bits.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random::<[u8; 32]>().to_vec())
    }

    /// The server's own, which outlives the process: credentials are still good after a restart. It is made where there is
    /// none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored(store: &Store) -> Result<Self, StoreError> {
        store
            .key("turn-secret", || Self::random().0)
            .await
            .map(Self)
    }

    /// The password that belongs to a user name.
    #[must_use]
    pub fn password_of(&self, username: &str) -> String {
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// A user name that is good until then, and its password.
    #[must_use]
    pub fn credentials(&self, user: &UserId, until: SystemTime) -> (String, String) {
        let since = until.duration_since(UNIX_EPOCH);
        let username = format!("{}:{user}", since.unwrap_or_default().as_secs());
        let password = self.password_of(&username);
        (username, password)
    }
}

/// Where clients reach the relay inside this server.
#[derive(Debug, Clone)]
pub struct RelayAddress {
    /// Its UDP port.
    pub port: u16,
    /// Its host, where it is not the one by which a client has reached the server.
    pub public_address: Option<String>,
    /// What its passwords are made of.
    pub secret: TurnSecret,
}

/// STUN and TURN servers as configured.
#[derive(Debug, Clone, Default)]
pub struct IceConfig {
    /// `host:port` of STUN servers.
    pub stun: Vec<String>,
    /// `host:port` of TURN servers (UDP).
    pub turn: Vec<String>,
    /// The secret shared with the TURN servers; nothing: the one that this server's instances share.
    pub turn_secret: Option<TurnSecret>,
    /// The relay inside this server, once it runs.
    pub relay: Arc<OnceLock<Relay>>,
}

impl IceConfig {
    /// What one person is told, from now on. `reached_by` is the host by which their client has reached the server, an IPv6
    /// address in brackets: the relay is there as well. `outside` is where a router passes on to the relay.
    #[must_use]
    pub fn servers_for(
        &self,
        user: &UserId,
        reached_by: Option<&str>,
        outside: Option<SocketAddr>,
    ) -> Vec<IceServer> {
        let mut servers = Vec::new();
        if !self.stun.is_empty() {
            servers.push(stun(&self.stun));
        }
        if let (false, Some(secret)) = (self.turn.is_empty(), &self.turn_secret) {
            servers.push(turn(&self.turn, secret, user));
        }
        if let Some(relay) = self.relay.get() {
            servers.extend(relay.address().servers_for(user, reached_by, outside));
        }
        servers
    }
}

impl RelayAddress {
    fn servers_for(
        &self,
        user: &UserId,
        reached_by: Option<&str>,
        outside: Option<SocketAddr>,
    ) -> Vec<IceServer> {
        let Some(host) = self.host(reached_by) else {
            return Vec::new();
        };
        let ports = self.ports(&host, outside).into_iter();
        let at: Vec<String> = ports.map(|port| format!("{host}:{port}")).collect();
        vec![stun(&at), turn(&at, &self.secret, user)]
    }

    /// The relay's ports at this host. A router may pass on another one than the relay's own; a name may mean either side of it.
    fn ports(&self, host: &str, outside: Option<SocketAddr>) -> Vec<u16> {
        let Some(outside) = outside.filter(|outside| outside.port() != self.port) else {
            return vec![self.port];
        };
        match literal(host) {
            Some(ip) if ip == outside.ip() => vec![outside.port()],
            None if !is_this_computer(host) => vec![outside.port(), self.port],
            _ => vec![self.port],
        }
    }

    fn host(&self, reached_by: Option<&str>) -> Option<String> {
        match &self.public_address {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                Some(format!("[{address}]"))
            }
            Some(address) => Some(address.clone()),
            None => reached_by.map(str::to_owned),
        }
    }
}

fn stun(at: &[String]) -> IceServer {
    IceServer {
        urls: at.iter().map(|at| format!("stun:{at}")).collect(),
        username: None,
        credential: None,
    }
}

fn turn(at: &[String], secret: &TurnSecret, user: &UserId) -> IceServer {
    let (username, credential) = secret.credentials(user, SystemTime::now() + VALID_FOR);
    let url = |at: &String| format!("turn:{at}?transport=udp");
    IceServer {
        urls: at.iter().map(url).collect(),
        username: Some(username),
        credential: Some(credential),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_coturn() {
        let until = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let secret = TurnSecret::from("north");
        let (username, password) = secret.credentials(&UserId("ann".into()), until);
        assert_eq!(username, "1700000000:ann");
        // printf 1700000000:ann | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(password, "jeamH6dA5l2I9g3jmieza7CzEDo=");
    }

    #[test]
    fn nothing_is_handed_out_unless_configured() {
        let user = UserId("ann".into());
        let nothing = IceConfig::default().servers_for(&user, Some("vireo.example"), None);
        assert!(nothing.is_empty());
        let config = IceConfig {
            stun: vec!["192.0.2.1:3478".into()],
            turn: vec!["turn.example:3478".into()],
            turn_secret: Some("north".into()),
            relay: Arc::default(),
        };
        let servers = config.servers_for(&user, None, None);
        assert_eq!(servers[0].urls, ["stun:192.0.2.1:3478"]);
        assert_eq!(servers[1].urls, ["turn:turn.example:3478?transport=udp"]);
        assert!(servers[1].credential.is_some());
        assert!(!format!("{config:?}").contains("north"));
    }

    #[test]
    fn the_relay_is_where_the_server_was_reached_unless_it_is_said_where() {
        let user = UserId("ann".into());
        let urls = |public_address: Option<&str>, reached_by| {
            let relay = RelayAddress {
                port: 3478,
                public_address: public_address.map(str::to_owned),
                secret: "north".into(),
            };
            let servers = relay.servers_for(&user, reached_by, None);
            servers
                .into_iter()
                .flat_map(|server| server.urls)
                .collect::<Vec<_>>()
        };
        let at = |host: &str| {
            [
                format!("stun:{host}:3478"),
                format!("turn:{host}:3478?transport=udp"),
            ]
        };
        assert_eq!(urls(None, Some("vireo.example")), at("vireo.example"));
        assert_eq!(urls(None, Some("[2001:db8::1]")), at("[2001:db8::1]"));
        assert_eq!(
            urls(Some("2001:db8::2"), Some("10.0.0.1")),
            at("[2001:db8::2]")
        );
        assert_eq!(urls(Some("198.51.100.1"), None), at("198.51.100.1"));
        assert!(urls(None, None).is_empty());
    }

    #[test]
    fn who_comes_from_outside_is_told_the_routers_port() {
        let user = UserId("ann".into());
        let outside = Some((std::net::Ipv4Addr::new(203, 0, 113, 7), 40000).into());
        let turn = |public_address: Option<&str>, reached_by| {
            let relay = RelayAddress {
                port: 3478,
                public_address: public_address.map(str::to_owned),
                secret: "north".into(),
            };
            relay.servers_for(&user, Some(reached_by), outside)[1]
                .urls
                .clone()
        };
        let at = |at: &str| format!("turn:{at}?transport=udp");
        assert_eq!(turn(None, "203.0.113.7"), [at("203.0.113.7:40000")]);
        assert_eq!(turn(None, "192.168.1.2"), [at("192.168.1.2:3478")]);
        assert_eq!(turn(None, "[2001:db8::1]"), [at("[2001:db8::1]:3478")]);
        assert_eq!(turn(None, "localhost"), [at("localhost:3478")]);
        assert_eq!(
            turn(None, "vireo.example"),
            [at("vireo.example:40000"), at("vireo.example:3478")]
        );
        assert_eq!(
            turn(Some("203.0.113.7"), "192.168.1.2"),
            [at("203.0.113.7:40000")]
        );
    }
}
