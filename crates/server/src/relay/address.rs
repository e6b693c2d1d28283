//! Whom the relay may send to. A relay that sends anywhere would be a way around the firewall into the computer and the
//! network it runs in, for everyone who has an account.
//!
//! Private networks are refused as well, and no call needs them: whoever is in the same network as the relay can reach it, so
//! has an address on it too, and what goes from one relayed address to another never leaves the relay (see
//! [`Core`](super::core::Core)). Several instances in one private network name it with `--relay-allow`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Which addresses may be sent to.
#[derive(Debug, Clone, Default)]
pub struct PeerRules {
    /// Private networks that are allowed nevertheless.
    pub allow: Vec<IpNet>,
}

impl PeerRules {
    /// Whether packets may leave for this address, the computer's own addresses aside.
    #[must_use]
    pub fn allow(&self, ip: IpAddr) -> bool {
        let mut meant = vec![ip.to_canonical()];
        if let IpAddr::V6(ip) = ip {
            meant.extend(embedded(ip).map(IpAddr::V4));
        }
        meant.into_iter().all(|ip| {
            !never(ip)
                && (!is_private(ip) || self.allow.iter().any(|network| network.contains(&ip)))
        })
    }
}

/// What nobody has any business to reach through a relay.
fn never(ip: IpAddr) -> bool {
    if METADATA.contains(&ip) || ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() {
        return true;
    }
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, third, _] = ip.octets();
            // "This network", IETF protocol assignments, and class E with the broadcast address.
            let reserved = first == 0 || first >= 240 || [first, second, third] == [192, 0, 0];
            ip.is_link_local() || reserved
        }
        IpAddr::V6(ip) => ip.is_unicast_link_local() || is_site_local(ip),
    }
}

/// Where clouds tell a computer its secrets, besides 169.254.169.254, which is link-local: Amazon's over IPv6, Azure's,
/// Alibaba's.
const METADATA: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

/// Networks of homes, companies and providers (RFC 1918, RFC 6598, RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// fec0::/10, which RFC 3879 gave up and routers may still know.
fn is_site_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfec0
}

/// The IPv4 address that a translator or a tunnel would make of it: IPv4-compatible (RFC 4291), NAT64 (RFC 6052), 6to4
/// (RFC 3056). `::ffff:0:0/96` is what `to_canonical` does.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(from(high, low))
        }
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(rules: &PeerRules, ip: &str) -> bool {
        rules.allow(ip.parse().expect("an address"))
    }

    #[test]
    fn the_computer_its_links_and_its_metadata_are_refused_in_every_form() {
        let rules = PeerRules {
            // Not even those who ask for it get there.
            allow: vec![
                "0.0.0.0/0".parse().expect("a network"),
                "::/0".parse().expect("a network"),
            ],
        };
        for ip in [
            "127.0.0.1",
            "127.77.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
            "169.254.1.1",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "168.63.129.16",
            "100.100.100.200",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "224.0.0.1",
            "239.255.255.250",
            "::ffff:224.0.0.1",
            "ff02::1",
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
            "0.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.192",
        ] {
            assert!(!allowed(&rules, ip), "{ip}");
        }
    }

    #[test]
    fn private_networks_are_refused_unless_named() {
        let rules = PeerRules::default();
        let private = [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.2",
            "100.64.0.1",
            "fc00::1",
            "fd12::1",
            "::ffff:192.168.1.2",
            "64:ff9b::c0a8:102",
            "2002:a00:1::1",
        ];
        for ip in private {
            assert!(!allowed(&rules, ip), "{ip}");
        }
        let rules = PeerRules {
            allow: vec!["10.1.0.0/16".parse().expect("a network")],
        };
        assert!(allowed(&rules, "10.1.2.3"));
        assert!(allowed(&rules, "::ffff:10.1.2.3"));
        assert!(!allowed(&rules, "10.2.0.1"));
    }

    #[test]
    fn everybody_else_is_allowed() {
        let rules = PeerRules::default();
        for ip in [
            "198.51.100.7",
            "203.0.113.9",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2001:db8::7",
            "2606:4700::1",
        ] {
            assert!(allowed(&rules, ip), "{ip}");
        }
    }
}
