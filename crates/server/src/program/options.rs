//! How to serve, as the command line says it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use vireo_protocol::ServerAddress;

use super::relay::RelayOptions;
use crate::bus::BusConfig;
use crate::config::{Config, DEFAULT_NAME, DEFAULT_PORT, Encryption};
use crate::drain::DEFAULT_DRAIN;
use crate::front::Proxies;
use crate::ice::{IceConfig, TurnSecret};
use crate::router_ports::HomeRouter;
use crate::tls::CertificateFiles;

/// The longest name of a server, so that it fits into a line.
const MAX_NAME_CHARS: usize = 60;

/// How to serve. Not printable: the address of Redis may hold a password.
#[derive(Args)]
pub struct Options {
    /// Where to listen (may be repeated); port 0 takes any free one [default: every address, port 7450]
    #[arg(long, value_name = "IP:PORT")]
    listen: Vec<SocketAddr>,
    /// Certificate to encrypt with, and those between it and its authority (PEM); read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Leave encryption to a proxy on this computer, or at these addresses, and answer nobody else
    #[arg(
        long,
        value_name = "NETWORK",
        num_args = 0..,
        require_equals = true,
        value_delimiter = ',',
        value_parser = network,
        conflicts_with = "tls_cert"
    )]
    behind_proxy: Option<Vec<IpNet>>,
    /// The address that invitations carry, such as https://vireo.example.org
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
    /// Ask no home router to open the ports that others reach the server by
    #[arg(long)]
    no_port_mapping: bool,
    /// The home router's address, where it is not the one that this computer reaches the internet by
    #[arg(long, value_name = "IP", conflicts_with = "no_port_mapping")]
    router: Option<Ipv4Addr>,
    /// What the server calls itself to those who are invited, such as "Smith family"
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAME, value_parser = name)]
    name: String,
    /// Let anyone who can reach the server make an account, without an invitation
    #[arg(long)]
    open_registration: bool,
    /// End a call that nobody answers after so long
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    answer_timeout: f64,
    /// A STUN server to hand out to clients (may be repeated)
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    stun: Vec<String>,
    /// A TURN server (UDP) to hand out to clients: coturn, or that of another instance (may be repeated)
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    turn: Vec<String>,
    /// File with the secret shared with the TURN servers (coturn's static-auth-secret) [default: that of the instances]
    #[arg(long, value_name = "FILE")]
    turn_secret_file: Option<PathBuf>,
    #[command(flatten)]
    relay: RelayOptions,
    /// File with the token that lets other computers read /metrics; without it only this computer may
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
    /// Before stopping, close the connections spread over so long, so that clients move
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_DRAIN.as_secs_f64(), value_parser = drain_seconds)]
    drain_seconds: f64,
    /// Work as one with other servers that use the same --database, by way of this Redis (redis://…)
    #[arg(long, value_name = "URL", env = "VIREO_BUS", hide_env_values = true)]
    bus: Option<String>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.1 to 3600".to_owned()),
    }
}

fn drain_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=300.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 300".to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "an address or a network, such as 10.0.0.0/8".to_owned())
}

fn public_url(text: &str) -> Result<String, String> {
    match text.parse::<ServerAddress>() {
        Ok(address) if address.fingerprint.is_none() => Ok(address.url),
        _ => Err("an address such as https://vireo.example.org".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match (1..=MAX_NAME_CHARS).contains(&name.chars().count())
        && !name.contains(|c: char| c.is_control())
    {
        true => Ok(name.to_owned()),
        false => Err(format!("a name of at most {MAX_NAME_CHARS} characters")),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let is_host = |host: &str| !host.is_empty() && !host.contains([' ', '/', '?', '@']);
    match text.rsplit_once(':') {
        Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("an address such as turn.example.org:3478".to_owned()),
    }
}

impl Options {
    /// How a server is to run that keeps its data here.
    ///
    /// # Errors
    /// A sentence, where the TURN servers' secret cannot be read.
    pub fn config(self, data: PathBuf) -> Result<Config, String> {
        let encryption = self.encryption();
        let turn_secret = self.turn_secret_file.as_deref().map(secret_in);
        let metrics_token = self.metrics_token_file.as_deref().map(secret_in);
        let listen = match self.listen.is_empty() {
            true => vec![default_listen(&encryption)],
            false => self.listen,
        };
        Ok(Config {
            relay: self.relay.config(&listen, &encryption),
            listen,
            encryption,
            open_registration: self.open_registration,
            answer_timeout: Duration::from_secs_f64(self.answer_timeout),
            ice: IceConfig {
                stun: self.stun,
                turn: self.turn,
                turn_secret: turn_secret.transpose()?.as_deref().map(TurnSecret::from),
                relay: Arc::default(),
            },
            bus: self.bus.map(|redis| BusConfig {
                redis,
                public_url: self.public_url.clone(),
            }),
            public_url: self.public_url,
            name: self.name,
            home_router: match (self.no_port_mapping, self.router) {
                (true, _) => HomeRouter::Leave,
                (false, None) => HomeRouter::Ask,
                (false, Some(router)) => HomeRouter::AskAt(router),
            },
            drain: Duration::from_secs_f64(self.drain_seconds),
            metrics_token: metrics_token.transpose()?,
            ..Config::new(data)
        })
    }

    fn encryption(&self) -> Encryption {
        match (&self.behind_proxy, &self.tls_cert, &self.tls_key) {
            (Some(networks), _, _) => Encryption::Proxy(Proxies::new(networks.clone())),
            (None, Some(chain), Some(key)) => Encryption::Certificate(CertificateFiles {
                chain: chain.clone(),
                key: key.clone(),
            }),
            _ => Encryption::OwnCertificate,
        }
    }
}

/// What the file holds, without the end of its line.
fn secret_in(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("{} cannot be read: {error}.", file.display()))?;
    match text.trim() {
        "" => Err(format!("{} is empty.", file.display())),
        secret => Ok(secret.to_owned()),
    }
}

/// Every address, unless all that is answered comes from this computer.
fn default_listen(encryption: &Encryption) -> SocketAddr {
    match encryption {
        Encryption::Proxy(proxies) if !proxies.are_elsewhere() => {
            (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into()
        }
        _ => (Ipv6Addr::UNSPECIFIED, DEFAULT_PORT).into(),
    }
}
