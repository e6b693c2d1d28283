//! By which host a client has reached the server, as it says itself in `Host`.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;

/// The host and, where it is named, the port.
#[must_use]
pub fn authority(headers: &HeaderMap) -> Option<Authority> {
    let authority: Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
    Some(authority).filter(|authority| !authority.host().is_empty())
}

/// The host alone; an IPv6 address in brackets.
#[must_use]
pub fn reached_by(headers: &HeaderMap) -> Option<Box<str>> {
    authority(headers).map(|authority| Box::from(authority.host()))
}

/// The address that a host is, where it is none that has a name.
#[must_use]
pub fn literal(host: &str) -> Option<IpAddr> {
    let ip: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(ip.to_canonical())
}

/// Whether only this computer reaches itself by this host.
#[must_use]
pub fn is_this_computer(host: &str) -> bool {
    host == "localhost" || literal(host).is_some_and(|ip| ip.is_loopback())
}
