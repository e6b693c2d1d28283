//! The embedded STUN and TURN server (RFC 8489, RFC 8656): over UDP, for the people of this server.
//!
//! `sockets` receives and sends; [`core`] decides, without sockets and clocks: `auth` who somebody is, `requests` what they may
//! do, `address` whom they may reach, `quota` how much of it; `allocation` remembers it. `probe` tries it all.

mod address;
mod allocation;
mod auth;
mod core;
mod message;
mod probe;
mod quota;
mod requests;
mod sockets;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use vireo_protocol::UserId;

/// What the fuzz target drives.
#[cfg(feature = "fuzz")]
pub mod fuzz {
    pub use super::auth::{REALM, integrity_key};
    pub use super::core::{Core, Host, Now, Path, Rules};
}

pub use address::PeerRules;
pub use probe::{ProbeError, self_test};
pub use quota::RelayLimits;

use self::core::{Core, Rules};
use self::sockets::{Command, Ports, Sockets};
use crate::ice::{RelayAddress, TurnSecret};

/// The port of STUN and TURN (RFC 8656 §3.1).
pub const DEFAULT_RELAY_PORT: u16 = 3478;

/// The ports of relayed addresses (RFC 8656 §7.2): those that systems give to nobody by themselves, or seldom.
pub const DEFAULT_RELAY_PORTS: RangeInclusive<u16> = 49152..=65535;

/// How the relay is to run.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// The address to listen on; `::` listens on every address of both kinds.
    pub listen: IpAddr,
    /// The port; 0 takes any free one.
    pub port: u16,
    /// The ports of relayed addresses.
    pub ports: RangeInclusive<u16>,
    /// The host name or address to hand out, where it is not the one by which a client has reached the server.
    pub public_address: Option<String>,
    /// Private networks that may be relayed to.
    pub allow: Vec<IpNet>,
    /// How much of everything.
    pub limits: RelayLimits,
}

impl RelayConfig {
    /// The defaults, on this address.
    #[must_use]
    pub fn new(listen: IpAddr, port: u16) -> Self {
        Self {
            listen,
            port,
            ports: DEFAULT_RELAY_PORTS,
            public_address: None,
            allow: Vec::new(),
            limits: RelayLimits::default(),
        }
    }
}

/// The port cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "vireo-server cannot listen on UDP port {port} for calls through firewalls (TURN): {error}. Choose another port with \
     --turn-port, or --no-turn to do without."
)]
pub struct RelayError {
    port: u16,
    error: std::io::Error,
}

/// A relay that runs until it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: RelayAddress,
    listening: Vec<SocketAddr>,
    commands: mpsc::UnboundedSender<Command>,
    _stop: DropGuard,
}

impl Relay {
    /// Starts it. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start(config: RelayConfig, secret: TurnSecret) -> Result<Self, RelayError> {
        let port = config.port;
        let listening =
            Sockets::bind(config.listen, port).map_err(|error| RelayError { port, error })?;
        let addresses = listening.addresses();
        let address = RelayAddress {
            port: addresses.first().map_or(port, SocketAddr::port),
            public_address: config.public_address.clone(),
            secret: secret.clone(),
        };
        let rules = Rules {
            peers: PeerRules {
                allow: config.allow,
            },
            limits: config.limits,
            public: config
                .public_address
                .and_then(|address| address.parse().ok()),
        };
        let ports = Ports {
            range: config.ports,
            beyond_loopback: !config.listen.is_loopback(),
        };
        let (commands, orders) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        tokio::spawn(sockets::run(
            Core::new(rules, secret),
            listening,
            ports,
            orders,
            stop.clone(),
        ));
        Ok(Self {
            address,
            listening: addresses,
            commands,
            _stop: stop.drop_guard(),
        })
    }

    /// What clients are told.
    #[must_use]
    pub fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// Where it listens.
    #[must_use]
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// Ends what this person has on the relay, and takes no credentials any more that they have been given until now: for
    /// somebody whose account has been deleted or locked.
    pub fn end_person(&self, user: &UserId) {
        // It only fails when the relay has stopped.
        let _ = self.commands.send(Command::EndPerson(user.clone()));
    }
}
