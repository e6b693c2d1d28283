//! What the two sides of a call hand to each other: descriptions as a browser writes them, of 3 KB, and candidates.

use vireo_protocol::{IceCandidate, SessionDescription};

/// So many candidates each side finds.
pub const CANDIDATES: usize = 6;

const OFFER: &str = include_str!("offer.sdp");

/// The caller's offer.
pub fn offer() -> SessionDescription {
    SessionDescription::offer(OFFER.replace('\n', "\r\n"))
}

/// The callee's answer: it takes up everything that was offered.
pub fn answer() -> SessionDescription {
    let answer = OFFER.replace("setup:actpass", "setup:active");
    SessionDescription::answer(answer.replace('\n', "\r\n"))
}

/// One candidate after the other: on the local network by two protocols, from outside, by a relay.
pub fn candidates() -> [IceCandidate; CANDIDATES] {
    [
        "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host",
        "candidate:1853887674 1 udp 2122194687 10.8.0.14 51208 typ host",
        "candidate:435653019 1 tcp 1518280447 192.168.0.196 9 typ host tcptype active",
        "candidate:842163049 1 udp 1686052607 203.0.113.7 46154 typ srflx raddr 192.168.0.196 rport 46243",
        "candidate:1001073213 1 udp 1685987071 198.51.100.9 60121 typ srflx raddr 10.8.0.14 rport 51208",
        "candidate:2157334355 1 udp 41885439 192.0.2.1 54321 typ relay raddr 203.0.113.7 rport 46154",
    ]
    .map(|line| IceCandidate {
        candidate: format!("{line} generation 0 ufrag EsAw network-id 1"),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        username_fragment: Some("EsAw".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_three_kilobytes_long() {
        for description in [offer(), answer()] {
            let bytes = description.sdp.len();
            assert!((3000..3300).contains(&bytes), "{bytes}");
        }
    }
}
