//! The addresses that other computers may know this one by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Addresses of documentation (RFC 5737, RFC 3849). Nothing is sent there: the system is only asked which of its own
/// addresses it would send from.
const SOMEWHERE_4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SOMEWHERE_6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// This computer's addresses on its networks, the one that most computers reach it by first: that of the way out, by IPv4
/// before IPv6.
#[must_use]
pub fn network_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    addresses.retain(is_of_a_network);
    let ways_out = [SOMEWHERE_4, SOMEWHERE_6].map(way_out);
    addresses.sort_by_key(|address| {
        let is_way_out = ways_out.contains(&Some(*address));
        (!is_way_out, address.is_ipv6(), *address)
    });
    addresses.dedup();
    addresses
}

fn is_of_a_network(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(link_local || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

/// The address of this computer's that reaches the other one.
fn way_out(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
