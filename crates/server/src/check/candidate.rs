//! The `candidate-attribute` of RFC 8839 §5.1.

use vireo_protocol::{IceCandidate, MAX_CANDIDATE_BYTES};

use super::{is_ice_char, is_token, number};

/// Whether the candidate is one, or says that no more will follow.
pub fn candidate_is_valid(candidate: &IceCandidate) -> bool {
    let short = |text: &Option<String>, most: usize| text.as_ref().is_none_or(|t| t.len() <= most);
    candidate.candidate.len() <= MAX_CANDIDATE_BYTES
        && short(&candidate.sdp_mid, 64)
        && short(&candidate.username_fragment, 256)
        && (candidate.candidate.is_empty() || line_is_valid(&candidate.candidate))
}

/// `candidate:` foundation component transport priority address port `typ` type, then pairs of names and values.
pub(super) fn line_is_valid(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("candidate:") else {
        return false;
    };
    let words: Vec<&str> = rest.trim_end_matches(' ').split(' ').collect();
    let [
        foundation,
        component,
        transport,
        priority,
        address,
        port,
        typ,
        kind,
        extensions @ ..,
    ] = words.as_slice()
    else {
        return false;
    };
    (1..=32).contains(&foundation.len())
        && foundation.bytes().all(is_ice_char)
        && number(component).is_some_and(|n| (1..=256).contains(&n))
        && is_token(transport)
        && number(priority).is_some_and(|n| n <= u64::from(u32::MAX))
        && is_address(address)
        && number(port).is_some_and(|n| n <= u64::from(u16::MAX))
        && *typ == "typ"
        && is_token(kind)
        && extensions.len() % 2 == 0
        && extensions.iter().all(|word| is_extension(word))
}

/// An IP address or a host name (browsers hide theirs behind an mDNS name).
fn is_address(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:%".contains(&b))
}

fn is_extension(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(line: &str) -> bool {
        candidate_is_valid(&IceCandidate {
            candidate: line.into(),
            ..IceCandidate::default()
        })
    }

    #[test]
    fn takes_what_end_points_write() {
        for line in [
            "",
            "candidate:1 1 UDP 2130706431 192.0.2.1 54321 typ host",
            "candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 10.0.0.1 rport 46154 generation 0 ufrag EsAw network-cost 999",
            "candidate:3 1 udp 2113937151 0aa8c9a8-9a94-4d1c-8a3c-3b7a0f0e7a35.local 51556 typ host generation 0 ufrag x+/Y",
            "candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active",
            "candidate:5 1 udp 1 192.0.2.1 1 typ relay raddr 0.0.0.0 rport 0 ",
        ] {
            assert!(valid(line), "{line}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for line in [
            "candidate:",
            "a=candidate:1 1 UDP 2130706431 192.0.2.1 54321 typ host",
            "candidate:1 1 UDP 2130706431 192.0.2.1 54321 typ",
            "candidate:1 1 UDP 2130706431 192.0.2.1 54321 type host",
            "candidate:1 0 UDP 2130706431 192.0.2.1 54321 typ host",
            "candidate:1 1 UDP -1 192.0.2.1 54321 typ host",
            "candidate:1 1 UDP 99999999999 192.0.2.1 54321 typ host",
            "candidate:1 1 UDP 2130706431 192.0.2.1 65536 typ host",
            "candidate:1 1 UDP 2130706431 not/an/address 54321 typ host",
            "candidate:1 1 UDP 2130706431 192.0.2.1 54321 typ host raddr",
            "candidate:1 1 UDP 2130706431 192.0.2.1 54321 typ host\r\na=evil",
            "candidate:1  1 UDP 2130706431 192.0.2.1 54321 typ host",
            "candidate:ü 1 UDP 2130706431 192.0.2.1 54321 typ host",
        ] {
            assert!(!valid(line), "{line}");
        }
        let long = format!(
            "candidate:1 1 UDP 1 192.0.2.1 1 typ host x {}",
            "y".repeat(MAX_CANDIDATE_BYTES)
        );
        assert!(!valid(&long));
    }
}
