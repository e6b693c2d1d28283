//! Asking a router, in the ways there are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::{
    GatewayAddress, InternetProtocol, PortMapping, PortMappingOptions, PortMappingType,
    TimeoutConfig, natpmp,
};
use igd_next::aio::Gateway;
use igd_next::aio::tokio::{Tokio, search_gateway};
use igd_next::{AddPortError, PortMappingProtocol, SearchOptions};

use super::{Port, PortKind};

/// What the router's owner reads beside the port.
const DESCRIPTION: &str = "Vireo";

/// A router in the house answers within milliseconds; a packet may get lost.
const PATIENCE: TimeoutConfig = TimeoutConfig {
    initial_timeout: Duration::from_millis(250),
    max_retries: 1,
    max_retry_timeout: None,
};

/// UPnP's search is answered by whoever likes to, some of them late.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(3);

/// Where UPnP's search is answered (UPnP Device Architecture §1.3.2).
const SEARCH_PORT: u16 = 1900;

/// A port that is open for a time.
pub struct Lease {
    outside: SocketAddr,
    way: Way,
}

enum Way {
    /// PCP (RFC 6887) or NAT-PMP (RFC 6886).
    Pcp(PortMapping),
    /// The Internet Gateway Device of UPnP.
    Upnp(Box<Upnp>),
}

struct Upnp {
    gateway: Gateway<Tokio>,
    kind: PortMappingProtocol,
    local: SocketAddr,
    /// What is asked for, in seconds. A router does not say what it has granted.
    lease: u32,
    /// It opens ports for ever or not at all. They are asked for again all the same, as it may be restarted.
    permanent: bool,
}

/// Asks for the port, for so many seconds. Nothing where no router opens it.
pub async fn open(port: Port, router: Option<Ipv4Addr>, lease: u32) -> Option<Lease> {
    // UPnP's search takes its time, and is begun at once; what it finds is used only where the better ways fail.
    let mut found = tokio::task::JoinSet::new();
    found.spawn(search(router));
    if let Some(gateway) = router.or_else(default_router)
        && let Some(lease) = by_pcp(port, gateway, lease).await
    {
        return Some(lease);
    }
    let gateway = found.join_next().await?.ok()??;
    by_upnp(port, gateway, lease).await
}

/// The router by which this computer reaches the internet.
fn default_router() -> Option<Ipv4Addr> {
    let gateway = netdev::get_default_gateway().ok()?;
    gateway.ipv4.first().copied()
}

async fn by_pcp(port: Port, router: Ipv4Addr, lease: u32) -> Option<Lease> {
    let protocol = match port.kind {
        PortKind::Tcp => InternetProtocol::Tcp,
        PortKind::Udp => InternetProtocol::Udp,
    };
    let number = NonZeroU16::new(port.number)?;
    let options = PortMappingOptions {
        external_port: Some(number),
        lifetime_seconds: Some(lease),
        timeout_config: Some(PATIENCE),
    };
    let gateway = GatewayAddress::from(router);
    let local = address_towards(router)?;
    let mapping = match PortMapping::new(gateway, local, protocol, number, options).await {
        Ok(mapping) => mapping,
        // Some routers answer nothing at all to what they do not know.
        Err(_) => natpmp::port_mapping(gateway, protocol, number, options)
            .await
            .ok()?,
    };
    Some(Lease {
        outside: outside_of(&mapping).await?,
        way: Way::Pcp(mapping),
    })
}

async fn outside_of(mapping: &PortMapping) -> Option<SocketAddr> {
    let address = match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
        PortMappingType::NatPmp => {
            let answer = natpmp::external_address(mapping.gateway(), Some(PATIENCE)).await;
            IpAddr::V4(answer.ok()?)
        }
    };
    Some(SocketAddr::new(address, mapping.external_port().get()))
}

async fn search(router: Option<Ipv4Addr>) -> Option<Gateway<Tokio>> {
    let mut options = SearchOptions::default();
    options.timeout = Some(SEARCH_TIMEOUT);
    options.single_search_timeout = Some(SEARCH_TIMEOUT);
    if let Some(router) = router {
        options.broadcast_address = (router, SEARCH_PORT).into();
        // Whoever has named it trusts it, wherever it is.
        options.allowed_gateway_ips = vec![router.into()];
    }
    search_gateway(options).await.ok()
}

async fn by_upnp(port: Port, gateway: Gateway<Tokio>, lease: u32) -> Option<Lease> {
    let IpAddr::V4(found) = gateway.addr.ip() else {
        return None;
    };
    let mut upnp = Upnp {
        gateway,
        kind: match port.kind {
            PortKind::Tcp => PortMappingProtocol::TCP,
            PortKind::Udp => PortMappingProtocol::UDP,
        },
        local: SocketAddr::new(address_towards(found)?, port.number),
        lease,
        permanent: false,
    };
    let outside = upnp.open(port.number).await?;
    Some(Lease {
        outside,
        way: Way::Upnp(Box::new(upnp)),
    })
}

impl Upnp {
    async fn open(&mut self, outside: u16) -> Option<SocketAddr> {
        match self.add(outside).await {
            Err(AddPortError::OnlyPermanentLeasesSupported) => {
                self.permanent = true;
                self.add(outside).await.ok()?;
            }
            added => added.ok()?,
        }
        let address = self.gateway.get_external_ip().await.ok()?;
        Some(SocketAddr::new(address, outside))
    }

    async fn add(&self, outside: u16) -> Result<(), AddPortError> {
        let Self { kind, local, .. } = *self;
        let lease = if self.permanent { 0 } else { self.lease };
        self.gateway
            .add_port(kind, outside, local, lease, DESCRIPTION)
            .await
    }
}

/// The address of this computer's that the router knows it by.
fn address_towards(router: Ipv4Addr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((router, crab_nat::GATEWAY_PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

impl Lease {
    /// The router's address that leads here.
    pub fn outside(&self) -> SocketAddr {
        self.outside
    }

    /// When to renew it: after half of its time, as RFC 6887 §11.2.1 says.
    pub fn renew_in(&self) -> Duration {
        let seconds = match &self.way {
            Way::Pcp(mapping) => mapping.lifetime(),
            Way::Upnp(upnp) => upnp.lease,
        };
        Duration::from_secs(u64::from(seconds.max(2)) / 2)
    }

    /// Renews it; the address outside may be another one then. False when the router refuses or does not answer.
    pub async fn renew(&mut self) -> bool {
        let outside = match &mut self.way {
            Way::Pcp(mapping) => match mapping.renew().await {
                Ok(()) => outside_of(mapping).await,
                Err(_) => None,
            },
            Way::Upnp(upnp) => upnp.open(self.outside.port()).await,
        };
        if let Some(outside) = outside {
            self.outside = outside;
        }
        outside.is_some()
    }

    /// Closes the port.
    pub async fn give_back(self) {
        match self.way {
            Way::Pcp(mapping) => drop(mapping.try_drop().await),
            Way::Upnp(upnp) => {
                let port = self.outside.port();
                drop(upnp.gateway.remove_port(upnp.kind, port).await);
            }
        }
    }
}
