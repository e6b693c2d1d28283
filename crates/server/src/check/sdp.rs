//! Session descriptions (RFC 8866) of WebRTC end points (RFC 8829).

use vireo_protocol::{MAX_SDP_BYTES, SdpType, SessionDescription};

use super::candidate::line_is_valid;
use super::{is_ice_char, is_token, number};

/// More sections than any client of this version offers.
const MAX_MEDIA_SECTIONS: usize = 16;

/// Candidates may also stand in the description itself.
const MAX_CANDIDATES: usize = 64;

/// Whether the description is of this kind, well-formed, and could carry a call: it has audio or video, and what ICE
/// and DTLS need.
pub fn description_is_valid(description: &SessionDescription, kind: SdpType) -> bool {
    description.kind == kind
        && description.sdp.len() <= MAX_SDP_BYTES
        && Summary::of(&description.sdp).is_some_and(|summary| summary.can_carry_a_call())
}

#[derive(Debug, Default)]
struct Summary {
    sections: usize,
    /// Audio and video sections that are not refused (port 0).
    media: usize,
    candidates: usize,
    ufrag: bool,
    pwd: bool,
    fingerprint: bool,
}

impl Summary {
    /// Reads a description; nothing when it is malformed.
    fn of(sdp: &str) -> Option<Self> {
        let mut lines = sdp.strip_suffix('\n')?.split('\n').map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            line.split_once('=')
        });
        // The first three lines are these, in this order (RFC 8866 §9).
        let (version, origin, name) = (lines.next()??, lines.next()??, lines.next()??);
        let begins_well = version == ("v", "0")
            && origin.0 == "o"
            && origin_is_valid(origin.1)
            && name.0 == "s"
            && text_is_valid(name.1);
        if !begins_well {
            return None;
        }
        let mut summary = Self::default();
        for line in lines {
            let (kind, value) = line?;
            summary.read_line(kind, value)?;
        }
        Some(summary)
    }

    fn read_line(&mut self, kind: &str, value: &str) -> Option<()> {
        if !text_is_valid(value) {
            return None;
        }
        match kind {
            "m" => self.read_media(value),
            "a" => self.read_attribute(value),
            "i" | "u" | "e" | "p" | "c" | "b" | "t" | "r" | "z" | "k" => Some(()),
            _ => None,
        }
    }

    /// `m=<media> <port> <proto> <fmt> ...`
    fn read_media(&mut self, value: &str) -> Option<()> {
        let words: Vec<&str> = value.split(' ').collect();
        let [media, port, protocol, formats @ ..] = words.as_slice() else {
            return None;
        };
        let port = number(port).filter(|port| *port <= u64::from(u16::MAX))?;
        let valid = is_token(media)
            && protocol.split('/').all(is_token)
            && !formats.is_empty()
            && formats.iter().all(|format| is_token(format));
        self.sections += 1;
        self.media += usize::from(port != 0 && matches!(*media, "audio" | "video"));
        (valid && self.sections <= MAX_MEDIA_SECTIONS).then_some(())
    }

    fn read_attribute(&mut self, value: &str) -> Option<()> {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        let ice =
            |least: usize| (least..=256).contains(&value.len()) && value.bytes().all(is_ice_char);
        match name {
            "ice-ufrag" => {
                self.ufrag = true;
                ice(4).then_some(())
            }
            "ice-pwd" => {
                self.pwd = true;
                ice(22).then_some(())
            }
            "fingerprint" => {
                self.fingerprint = true;
                fingerprint_is_valid(value).then_some(())
            }
            "candidate" => {
                self.candidates += 1;
                let line = format!("candidate:{value}");
                (self.candidates <= MAX_CANDIDATES && line_is_valid(&line)).then_some(())
            }
            name => is_token(name).then_some(()),
        }
    }

    fn can_carry_a_call(&self) -> bool {
        self.media > 0 && self.ufrag && self.pwd && self.fingerprint
    }
}

/// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`
fn origin_is_valid(value: &str) -> bool {
    text_is_valid(value) && value.split(' ').filter(|word| !word.is_empty()).count() == 6
}

/// `fingerprint:<hash function> <pairs of hexadecimal digits joined by colons>` (RFC 8122)
fn fingerprint_is_valid(value: &str) -> bool {
    let Some((function, digits)) = value.split_once(' ') else {
        return false;
    };
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    is_token(function)
        && (16..=64).contains(&digits.split(':').count())
        && digits.split(':').all(is_pair)
}

/// A value is never empty, and holds no control characters.
fn text_is_valid(value: &str) -> bool {
    !value.is_empty() && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser writes, shortened.
    const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
        a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n\
        a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n\
        a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
        a=candidate:1 1 UDP 2130706431 127.0.0.1 54321 typ host\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";

    fn valid(sdp: &str) -> bool {
        description_is_valid(&SessionDescription::offer(sdp), SdpType::Offer)
    }

    #[test]
    fn takes_what_end_points_write() {
        assert!(valid(OFFER));
        assert!(valid(&OFFER.replace("\r\n", "\n")));
    }

    #[test]
    fn the_kind_has_to_fit() {
        let offer = SessionDescription::offer(OFFER);
        assert!(!description_is_valid(&offer, SdpType::Answer));
    }

    #[test]
    fn refuses_what_cannot_carry_a_call() {
        let without = |line: &str| {
            let kept = OFFER
                .split_inclusive("\r\n")
                .filter(|l| !l.starts_with(line));
            kept.collect::<String>()
        };
        for line in [
            "v=",
            "o=",
            "s=",
            "a=ice-ufrag",
            "a=ice-pwd",
            "a=fingerprint",
            "m=",
        ] {
            assert!(!valid(&without(line)), "without {line}");
        }
        assert!(!valid(
            &OFFER
                .replace("audio 9", "audio 0")
                .replace("video 9", "video 0")
        ));
        assert!(!valid(
            &OFFER
                .replace("m=audio", "m=application")
                .replace("m=video", "m=text")
        ));
    }

    #[test]
    fn refuses_what_is_malformed() {
        for (good, bad) in [
            ("v=0", "v=1"),
            ("IN IP4 127.0.0.1", "IN IP4"),
            ("t=0 0", "t="),
            ("t=0 0", "nonsense"),
            ("t=0 0", "x=0"),
            ("t=0 0", "t=0\u{0}0"),
            ("m=audio 9", "m=audio 65536"),
            ("m=audio 9", "m=audio nine"),
            (" UDP/TLS/RTP/SAVPF 111", " UDP/TLS/RTP/SAVPF"),
            ("ice-ufrag:EsAw", "ice-ufrag:x"),
            ("ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "ice-pwd:short"),
            ("sha-256 D2:FA", "sha-256 D2FA"),
            ("typ host", "typ"),
        ] {
            assert!(!valid(&OFFER.replacen(good, bad, 1)), "{good} -> {bad}");
        }
        for sdp in ["", "\n", "v=0", "v=0\r\n", "{\"sdp\":1}", "v=0\r\n\r\n\r\n"] {
            assert!(!valid(sdp), "{sdp:?}");
        }
    }

    #[test]
    fn size_and_number_are_bounded() {
        let padding = "a=x-padding:0123456789012345678901234567890123456789\r\n";
        assert!(!valid(
            &(OFFER.to_owned() + &padding.repeat(MAX_SDP_BYTES / padding.len()))
        ));
        let section = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        assert!(!valid(
            &(OFFER.to_owned() + &section.repeat(MAX_MEDIA_SECTIONS))
        ));
        let candidate = "a=candidate:1 1 UDP 2130706431 127.0.0.1 54321 typ host\r\n";
        assert!(!valid(
            &(OFFER.to_owned() + &candidate.repeat(MAX_CANDIDATES))
        ));
    }
}
