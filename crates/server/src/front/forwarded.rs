//! Whose request it is when it comes through a proxy.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;
use ipnet::IpNet;

/// Where the proxies are that are believed. Those on this computer always are.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// The proxies at these addresses, and on this computer.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether this is the address of one.
    #[must_use]
    pub fn include(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there are any on other computers.
    #[must_use]
    pub fn are_elsewhere(&self) -> bool {
        !self.0.is_empty()
    }

    /// The client's address: that of the last hop which is no proxy of ours. What was written before it came from
    /// somebody who may write anything.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for hop in hops(headers).into_iter().rev() {
            if !self.include(client) {
                break;
            }
            // What names no address cannot be followed further.
            let Some(hop) = hop else { break };
            client = hop;
        }
        client
    }
}

/// The hops that the proxies have written down, the client first: from `X-Forwarded-For`, which nearly every proxy
/// writes, else from `Forwarded` (RFC 7239). None where it is no address ("unknown", a name).
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let written = |name: &str| -> Vec<String> {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| value.to_str().unwrap_or_default());
        let parts = values.flat_map(|value| value.split(','));
        parts.map(str::trim).map(str::to_owned).collect()
    };
    let usual = written("x-forwarded-for");
    if !usual.is_empty() {
        return usual.iter().map(|hop| address(hop)).collect();
    }
    let standard = written(FORWARDED.as_str());
    standard.iter().map(|hop| address(node(hop)?)).collect()
}

/// What stands behind `for=` in a hop of `Forwarded`.
fn node(hop: &str) -> Option<&str> {
    hop.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        let is_node = name.trim().eq_ignore_ascii_case("for");
        is_node.then(|| value.trim().trim_matches('"'))
    })
}

/// An address, with a port or without: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => text.split_once(':')?.0,
    };
    host.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    type Headers = [(&'static str, &'static str)];

    fn client(peer: &str, headers: &Headers) -> String {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let peer = peer.parse().expect("an address");
        proxies.client(peer, &map).to_string()
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_counts() {
        let cases: [(&str, &Headers, &str); 13] = [
            ("127.0.0.1", &[], "127.0.0.1"),
            (
                "127.0.0.1",
                &[("x-forwarded-for", "192.0.2.1")],
                "192.0.2.1",
            ),
            ("::1", &[("x-forwarded-for", "2001:db8::1")], "2001:db8::1"),
            // What the client itself has written before the proxy added its address is not believed.
            (
                "10.0.0.1",
                &[("x-forwarded-for", "198.51.100.9, 192.0.2.1")],
                "192.0.2.1",
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "192.0.2.1, 10.0.0.2")],
                "192.0.2.1",
            ),
            (
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "9.9.9.9"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                "192.0.2.1",
            ),
            // Whoever is no proxy is the client, whatever it says.
            (
                "192.0.2.7",
                &[("x-forwarded-for", "192.0.2.1")],
                "192.0.2.7",
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "192.0.2.1:4711")],
                "192.0.2.1",
            ),
            (
                "10.0.0.1",
                &[("x-forwarded-for", "unknown, 10.0.0.2")],
                "10.0.0.2",
            ),
            (
                "10.0.0.1",
                &[("forwarded", "for=192.0.2.1;proto=https")],
                "192.0.2.1",
            ),
            (
                "10.0.0.1",
                &[("forwarded", "For=\"[2001:db8::1]:4711\", for=10.0.0.2")],
                "2001:db8::1",
            ),
            (
                "10.0.0.1",
                &[
                    ("forwarded", "for=8.8.8.8"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                "192.0.2.1",
            ),
            ("10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1"),
        ];
        for (peer, headers, expected) in cases {
            assert_eq!(client(peer, headers), expected, "{peer} {headers:?}");
        }
    }
}
