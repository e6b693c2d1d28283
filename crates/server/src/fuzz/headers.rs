//! Headers, of which a proxy and whoever is before it have written some.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::front::Proxies;
use crate::host::reached_by;

/// One header a line, as in HTTP, after a first byte that says where the connection comes from.
pub fn headers(data: &[u8]) {
    let Some((first, lines)) = data.split_first() else {
        return;
    };
    let peer = match first % 4 {
        0 => "192.0.2.7",
        1 => "10.0.0.1",
        2 => "127.0.0.1",
        _ => "::1",
    };
    let peer: IpAddr = peer.parse().expect("each is an address");
    let headers = read(lines);
    let network = "10.0.0.0/8".parse().expect("it is one");
    let proxies = Proxies::new(vec![network]);
    let client = proxies.client(peer, &headers);
    assert!(
        proxies.include(peer) || client == peer,
        "who is no proxy speaks for itself"
    );
    let host = reached_by(&headers);
    assert!(
        host.is_none_or(|host| !host.is_empty()),
        "a host has a name"
    );
}

fn read(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n').take(100) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name),
            HeaderValue::from_bytes(value.trim_ascii()),
        ) {
            headers.append(name, value);
        }
    }
    headers
}
