//! The options of the embedded STUN and TURN server.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use clap::Args;
use ipnet::IpNet;

use crate::config::Encryption;
use crate::relay::{DEFAULT_RELAY_PORT, DEFAULT_RELAY_PORTS, RelayConfig, RelayLimits};

/// How calls get through firewalls.
#[derive(Debug, Args)]
#[command(next_help_heading = "Calls through firewalls (STUN and TURN)")]
pub struct RelayOptions {
    /// Run no STUN and TURN server (so it is by itself where the server is for this computer only)
    #[arg(long)]
    no_turn: bool,
    /// The UDP port of the STUN and TURN server; 0 takes any free one [default: 3478]
    #[arg(long, value_name = "PORT", conflicts_with = "no_turn")]
    turn_port: Option<u16>,
    /// Where it listens [default: where the server does]
    #[arg(long, value_name = "IP", conflicts_with = "no_turn")]
    turn_listen: Option<IpAddr>,
    /// The ports of those whose calls it passes on
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    relay_ports: Option<RangeInclusive<u16>>,
    /// What it passes on at most for one person, both ways together
    #[arg(long, value_name = "MBIT/S")]
    relay_bandwidth: Option<u32>,
    /// A private network that it may send to; needed where several instances reach each other in one (may be repeated)
    #[arg(long, value_name = "NETWORK")]
    relay_allow: Vec<IpNet>,
    /// The name or address by which others reach this computer, where it is not the one that they reach the server by
    #[arg(long, value_name = "HOST", value_parser = host)]
    public_address: Option<String>,
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let range = text.split_once('-');
    let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match range {
        Some((first, last)) if 0 < first && first <= last => Ok(first..=last),
        _ => Err("two ports such as 49152-65535".to_owned()),
    }
}

fn host(text: &str) -> Result<String, String> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    match text.parse::<IpAddr>().is_ok() || (!text.is_empty() && text.chars().all(in_name)) {
        true => Ok(text.to_owned()),
        false => Err("a name such as vireo.example.org, or an address".to_owned()),
    }
}

impl RelayOptions {
    /// The relay of a server that listens there. On the loopback everybody reaches everybody, so there is none unless it is
    /// asked for. A proxy passes on nothing of it, so that it has to listen beside the proxy.
    pub fn config(self, listen: &[SocketAddr], encryption: &Encryption) -> Option<RelayConfig> {
        let asked = self.turn_port.is_some() || self.turn_listen.is_some();
        let mut addresses = listen.iter().map(SocketAddr::ip);
        let elsewhere = match encryption {
            Encryption::Proxy(_) => Some(Ipv6Addr::UNSPECIFIED.into()),
            _ => addresses.find(|address| !address.is_loopback()),
        };
        if self.no_turn || (elsewhere.is_none() && !asked) {
            return None;
        }
        let listen = elsewhere.or_else(|| Some(listen.first()?.ip()))?;
        let defaults = RelayLimits::default();
        let bytes_per_second = self
            .relay_bandwidth
            .map_or(defaults.bytes_per_second, |mbit| u64::from(mbit) * 125_000);
        Some(RelayConfig {
            ports: self.relay_ports.unwrap_or(DEFAULT_RELAY_PORTS),
            public_address: self.public_address,
            allow: self.relay_allow,
            limits: RelayLimits {
                bytes_per_second,
                ..defaults
            },
            ..RelayConfig::new(
                self.turn_listen.unwrap_or(listen),
                self.turn_port.unwrap_or(DEFAULT_RELAY_PORT),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_hosts_are_checked() {
        assert_eq!(ports("50000-50010"), Ok(50_000..=50_010));
        for wrong in ["", "5", "0-9", "9-5", "1-70000", "a-b", "1-2-3"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
        for right in ["vireo.example.org", "192.0.2.1", "2001:db8::1"] {
            assert!(host(right).is_ok(), "{right}");
        }
        for wrong in ["", "a b", "[::1]", "a:1", "x/y"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
