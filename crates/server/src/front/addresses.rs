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

/// Whether an address is one that the whole internet may reach, as far as routers and firewalls let it.
#[must_use]
pub fn is_of_the_internet(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            // RFC 6598: what providers who share an address among many give their routers.
            let shared = a == 100 && (64..128).contains(&b);
            !(shared
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified())
        }
        // RFC 4291 §2.4.
        IpAddr::V6(address) => address.segments()[0] & 0xe000 == 0x2000,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_internet() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("203.0.113.9", true),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("192.168.1.1", false),
            ("127.0.0.1", false),
            ("2606:4700::1", true),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(is_of_the_internet(address), expected, "{address}");
        }
    }
}
