//! What the server can be told. The defaults need no thought.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::bus::BusConfig;
use crate::drain::DEFAULT_DRAIN;
use crate::front::Proxies;
use crate::ice::IceConfig;
use crate::relay::RelayConfig;
use crate::router_ports::HomeRouter;
use crate::store::Database;
use crate::tls::CertificateFiles;

/// The port when none is given.
pub const DEFAULT_PORT: u16 = 7450;

/// What a server calls itself when nothing else is said.
pub const DEFAULT_NAME: &str = "Vireo";

/// How long a call rings when nothing else is said.
pub const DEFAULT_ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What keeps others from reading along.
#[derive(Debug, Clone)]
pub enum Encryption {
    /// TLS with a certificate that the server makes; none on addresses of this computer only.
    OwnCertificate,
    /// TLS with this certificate, on every address.
    Certificate(CertificateFiles),
    /// That of a proxy, and only what comes from there is answered.
    Proxy(Proxies),
}

/// How a server is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory the server keeps everything in; made where it is missing.
    pub data: PathBuf,
    /// What to keep accounts, contacts and calls in; nothing: `vireo.sqlite` in that directory.
    pub database: Option<Database>,
    /// Where to listen. Port 0 takes any free one; `[::]` is every address, those of IPv4 too.
    pub listen: Vec<SocketAddr>,
    /// What keeps others from reading along.
    pub encryption: Encryption,
    /// The address that invitations carry, where the server cannot know it: `https://vireo.example.org`.
    pub public_url: Option<String>,
    /// Whether to ask a home router to open the ports that others reach the server by. A server that answers this computer or
    /// proxies alone asks for none.
    pub home_router: HomeRouter,
    /// What the server calls itself to those who are invited; text without control characters.
    pub name: String,
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
            listen: vec![(Ipv4Addr::LOCALHOST, DEFAULT_PORT).into()],
            encryption: Encryption::OwnCertificate,
            public_url: None,
            home_router: HomeRouter::Leave,
            name: DEFAULT_NAME.to_owned(),
            open_registration: false,
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
