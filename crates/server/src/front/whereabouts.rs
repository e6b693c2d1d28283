//! Where the server is reached, by whom.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::uri::Authority;
use vireo_protocol::{Fingerprint, ServerAddress};

use super::addresses::{is_of_the_internet, network_addresses};
use super::{Front, Place, lock};
use crate::host::is_this_computer;

/// An address that the server answers at, and what certificate is shown there; none where it does not encrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Where.
    pub address: SocketAddr,
    /// By what clients know the server there.
    pub fingerprint: Option<Fingerprint>,
}

/// Where people elsewhere find the server.
#[derive(Debug, Clone)]
pub struct PublicAddress {
    /// The best address that is known.
    pub server: ServerAddress,
    /// Whether it leads here from anywhere, as far as that can be known; else from the same network, or this computer.
    pub from_anywhere: bool,
}

impl PublicAddress {
    /// The address for a link that is made by somebody whose client has reached the server at `reached`: that is better than
    /// one which leads here from the same network only.
    #[must_use]
    pub fn for_link(&self, reached: Option<&Authority>) -> ServerAddress {
        let reached = reached.filter(|at| !self.from_anywhere && !is_this_computer(at.host()));
        // Whoever comes from another computer comes encrypted.
        let reached = reached.and_then(|at| format!("https://{at}").parse().ok());
        let Some(ServerAddress { url, .. }) = reached else {
            return self.server.clone();
        };
        ServerAddress {
            url,
            fingerprint: self.server.fingerprint,
        }
    }
}

impl From<Shown> for ServerAddress {
    fn from(shown: Shown) -> Self {
        let scheme = match shown.fingerprint {
            Some(_) => "https",
            None => "http",
        };
        Self {
            url: format!("{scheme}://{}", shown.address),
            fingerprint: shown.fingerprint,
        }
    }
}

impl Front {
    /// For clients on this computer.
    #[must_use]
    pub fn local(&self) -> Shown {
        let first = lock(&self.places)[0];
        match first.address.ip().is_unspecified() {
            // One that listens on all of them does so for IPv4 as well.
            true => self.shown(Ipv4Addr::LOCALHOST.into(), first),
            false => self.shown(first.address.ip(), first),
        }
    }

    /// For clients on other computers of the network, the best first. None where only proxies are answered.
    #[must_use]
    pub fn on_the_network(&self) -> Vec<Shown> {
        let places = lock(&self.places).clone();
        let mut found = Vec::new();
        for place in places.into_iter().filter(|place| place.encrypted) {
            match place.address.ip() {
                any if any.is_unspecified() => {
                    let mut addresses = network_addresses();
                    addresses.retain(|address| any.is_ipv6() || address.is_ipv4());
                    found.extend(addresses.into_iter().map(|ip| self.shown(ip, place)));
                }
                loopback if loopback.is_loopback() => {}
                ip => found.push(self.shown(ip, place)),
            }
        }
        found
    }

    /// Whether only this computer itself is answered.
    #[must_use]
    pub fn is_for_this_computer(&self) -> bool {
        let places = lock(&self.places);
        places.iter().all(|place| place.address.ip().is_loopback())
    }

    /// The address that was named for people elsewhere.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// For people elsewhere: what was named, else the certificate's name, else what a router passes on from `outside`, else the
    /// address on the network, else the one on this computer.
    #[must_use]
    pub fn public_address(&self, outside: Option<SocketAddr>) -> PublicAddress {
        let own = self.is_certificate_own();
        let certificate = self.certificate();
        if let Some(url) = &self.public_url {
            // One that an authority has issued is renewed, and its fingerprint with it.
            let pinned = certificate.filter(|_| own && url.starts_with("https://"));
            let server = ServerAddress {
                url: url.clone(),
                fingerprint: pinned.map(|certificate| certificate.fingerprint()),
            };
            return PublicAddress {
                server,
                from_anywhere: true,
            };
        }
        let on_network = self.on_the_network().into_iter().next();
        let mut shown = on_network.unwrap_or_else(|| self.local());
        if let Some(outside) = outside {
            shown.address = outside;
        }
        let name = certificate.filter(|_| !own).and_then(|it| it.host_name());
        let from_anywhere = name.is_some() || is_of_the_internet(shown.address.ip());
        let server = match name {
            Some(name) => ServerAddress {
                url: format!("https://{name}:{}", shown.address.port()),
                fingerprint: None,
            },
            None => shown.into(),
        };
        PublicAddress {
            server,
            from_anywhere,
        }
    }

    fn shown(&self, ip: IpAddr, place: Place) -> Shown {
        Shown {
            address: SocketAddr::new(ip, place.address.port()),
            fingerprint: self.fingerprint().filter(|_| place.encrypted),
        }
    }
}
