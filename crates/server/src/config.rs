//! What the server can be told. The defaults need no thought.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::bus::BusConfig;
use crate::drain::DEFAULT_DRAIN;
use crate::ice::IceConfig;
use crate::relay::RelayConfig;
use crate::store::Database;

/// The port when none is given.
pub const DEFAULT_PORT: u16 = 7450;

/// How long a call rings when nothing else is said.
pub const DEFAULT_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How a server is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory the server keeps everything in; made where it is missing.
    pub data: PathBuf,
    /// What to keep accounts, contacts and calls in; nothing: `vireo.sqlite` in that directory.
    pub database: Option<Database>,
    /// Where to listen. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Whether whoever can reach the server may make an account.
    pub open_registration: bool,
    /// A call that nobody answers ends after so long.
    pub answer_timeout: Duration,
    /// STUN and TURN servers to hand out.
    pub ice: IceConfig,
    /// The STUN and TURN server inside this one; nothing: none.
    pub relay: Option<RelayConfig>,
    /// How this server works as one with others that use the same database; nothing: it works alone.
    pub bus: Option<BusConfig>,
    /// Over how long connections are closed before the server stops.
    pub drain: Duration,
    /// With which `/metrics` may be read; nothing: from this computer only.
    pub metrics_token: Option<String>,
}

impl Config {
    /// The defaults, with everything kept in this directory.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            database: None,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            open_registration: true,
            answer_timeout: DEFAULT_ANSWER_TIMEOUT,
            ice: IceConfig::default(),
            relay: None,
            bus: None,
            drain: DEFAULT_DRAIN,
            metrics_token: None,
        }
    }

    /// The directory for this platform when none is given.
    #[must_use]
    pub fn default_data() -> Option<PathBuf> {
        Some(dirs::data_local_dir()?.join("vireo-server"))
    }
}
