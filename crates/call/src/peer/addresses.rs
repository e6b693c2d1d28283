//! On which local addresses a connection opens its sockets, and where its ICE servers are.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    time::Duration,
    vec,
};

use futures_util::future::join_all;
use vireo_protocol::IceServer;
use webrtc::peer_connection::RTCIceServer;

use super::Addresses;

/// More interfaces than this (containers and virtual machines bring many) would only make checks slower.
const MAX_ADDRESSES: usize = 8;

/// How long the names of ICE servers may take to resolve, all of them together. A server that is not known by then is left out of this call,
/// since gathering would hold everything else up meanwhile.
const RESOLVE_TIMEOUT: Duration = Duration::from_millis(400);

/// The addresses to bind. They are looked up whenever sockets are opened: a restart finds those of the network as it is then.
pub(super) struct Local(pub Addresses);

impl ToSocketAddrs for Local {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(local(self.0).into_iter())
    }
}

/// Port 0 of each. A wildcard would leave loopback out, so each address is named.
fn local(addresses: Addresses) -> Vec<SocketAddr> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut found = vec![loopback];
    if addresses == Addresses::All {
        for interface in rtc::shared::ifaces::ifaces().unwrap_or_default() {
            let Some(address) = interface
                .addr
                .map(|address| SocketAddr::new(address.ip(), 0))
            else {
                continue;
            };
            if is_useful(address.ip()) && !found.contains(&address) && found.len() < MAX_ADDRESSES {
                found.push(address);
            }
        }
    }
    found
}

/// Link-local addresses mean nothing without the interface's name, which a candidate cannot carry.
fn is_useful(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// Whether it is a TURN server.
pub(super) fn is_turn(server: &RTCIceServer) -> bool {
    server.urls.iter().any(|url| url.starts_with("turn:"))
}

/// Whether there is a TURN server among them that Vireo can use. Whether it answers is another question.
#[must_use]
pub fn has_relay(servers: &[IceServer]) -> bool {
    let is_relay = |url: &String| matches!(parse(url), Ok(Some((Scheme::Turn, ..))));
    let is_open = |server: &IceServer| server.username.is_some() && server.credential.is_some();
    servers
        .iter()
        .any(|server| is_open(server) && server.urls.iter().any(is_relay))
}

/// The ICE servers with their names resolved, all at the same time. Left out is what Vireo cannot use (by TCP, by TLS, TURN
/// servers that it has no name and password for), what does not resolve, and what cannot be read: a call may well come
/// about without it.
pub(super) async fn ice_servers(servers: &[IceServer]) -> Vec<RTCIceServer> {
    let urls = servers
        .iter()
        .flat_map(|server| server.urls.iter().map(move |url| usable(server, url)));
    join_all(urls).await.concat()
}

/// One address of each family.
async fn usable(server: &IceServer, url: &str) -> Vec<RTCIceServer> {
    // An address may hold what is nobody's business, so no log shows it.
    let (scheme, host, port) = match parse(url) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => return Vec::new(),
        Err(Unreadable) => {
            tracing::warn!("an ICE server's address cannot be read; it is left out");
            return Vec::new();
        }
    };
    if scheme == Scheme::Turn && (server.username.is_none() || server.credential.is_none()) {
        tracing::warn!("a TURN server has no user name or credential; it is left out");
        return Vec::new();
    }
    let lookup = tokio::net::lookup_host((host.as_str(), port));
    let Ok(Ok(addresses)) = tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await else {
        tracing::warn!("an ICE server's name cannot be resolved; it is left out");
        return Vec::new();
    };
    let (v4, v6): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses.partition(SocketAddr::is_ipv4);
    let one_of_each = v4.into_iter().take(1).chain(v6.into_iter().take(1));
    one_of_each
        .map(|address| RTCIceServer {
            urls: vec![match scheme {
                Scheme::Stun => format!("stun:{address}"),
                Scheme::Turn => format!("turn:{address}?transport=udp"),
            }],
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Stun,
    Turn,
}

/// It is no address of an ICE server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unreadable;

/// Reads `stun:host[:port]` and `turn:host[:port][?transport=udp]` (RFC 7064, RFC 7065). None for what is not UDP.
fn parse(url: &str) -> Result<Option<(Scheme, String, u16)>, Unreadable> {
    let (scheme, rest) = url.split_once(':').ok_or(Unreadable)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "stun" => Scheme::Stun,
        "turn" => Scheme::Turn,
        "stuns" | "turns" => return Ok(None),
        _ => return Err(Unreadable),
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !query.is_empty() && !query.eq_ignore_ascii_case("transport=udp") {
        return Ok(None);
    }
    const DEFAULT_PORT: u16 = 3478;
    let (host, port) = match address.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']').ok_or(Unreadable)?;
            (host, rest.strip_prefix(':'))
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().map_err(|_| Unreadable)?,
        None => DEFAULT_PORT,
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "[]".contains(c)) {
        return Err(Unreadable);
    }
    Ok(Some((scheme, host.to_owned(), port)))
}

/// Reads an address, and what it was read as.
#[cfg(feature = "fuzz")]
pub(super) fn fuzz(url: &str) {
    let Ok(Some((scheme, host, port))) = parse(url) else {
        return;
    };
    assert!(!host.is_empty());
    let shown = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    let name = match scheme {
        Scheme::Stun => "stun",
        Scheme::Turn => "turn",
    };
    let again = parse(&format!("{name}:{shown}:{port}"));
    assert_eq!(again, Ok(Some((scheme, host, port))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_server_addresses() {
        let ok = |scheme, host: &str, port| Ok(Some((scheme, host.to_owned(), port)));
        assert_eq!(
            parse("stun:stun.example.org"),
            ok(Scheme::Stun, "stun.example.org", 3478)
        );
        assert_eq!(
            parse("turn:192.0.2.1:80?transport=udp"),
            ok(Scheme::Turn, "192.0.2.1", 80)
        );
        assert_eq!(
            parse("turn:[2001:db8::1]:99"),
            ok(Scheme::Turn, "2001:db8::1", 99)
        );
        assert_eq!(parse("STUN:host"), ok(Scheme::Stun, "host", 3478));
        assert_eq!(parse("turn:host?transport=tcp"), Ok(None));
        assert_eq!(parse("turns:host"), Ok(None));
        for wrong in [
            "",
            "host",
            "http://host",
            "stun:",
            "stun:host:port",
            "turn:[::1",
            "turn:[[::1]:99",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_or_does_not_resolve_is_left_out() {
        let servers = [IceServer {
            urls: vec![
                "stun:no-such-host.invalid".into(),
                "what is this".into(),
                "stun:127.0.0.1:port".into(),
                "Stun:127.0.0.1:1".into(),
            ],
            username: None,
            credential: None,
        }];
        let usable = ice_servers(&servers).await;
        assert_eq!(usable.len(), 1);
        assert_eq!(usable[0].urls, ["stun:127.0.0.1:1"]);
    }

    #[tokio::test]
    async fn a_turn_server_without_credentials_is_left_out() {
        let mut server = IceServer {
            urls: vec!["turn:192.0.2.1".into()],
            username: Some("ann".into()),
            credential: None,
        };
        let usable = ice_servers(std::slice::from_ref(&server)).await;
        assert!(usable.is_empty());
        assert!(!has_relay(std::slice::from_ref(&server)));
        server.credential = Some("secret".into());
        assert!(has_relay(std::slice::from_ref(&server)));
        let usable = ice_servers(&[server]).await;
        assert!(is_turn(&usable[0]));
    }

    #[test]
    fn loopback_is_always_there_and_link_local_never() {
        for addresses in [Addresses::All, Addresses::Loopback] {
            let found = local(addresses);
            assert!(found.contains(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
            assert!(found.len() <= MAX_ADDRESSES);
        }
        assert!(!is_useful("fe80::1".parse().expect("an address")));
        assert!(!is_useful("169.254.3.4".parse().expect("an address")));
        assert!(is_useful("192.168.1.2".parse().expect("an address")));
    }
}
