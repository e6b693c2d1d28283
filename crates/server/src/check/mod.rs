//! What a client hands over for the other side is looked at before it is passed on: its form, its size, its number.
//!
//! The checks are those of the grammar (RFC 8866, RFC 8839). They keep out what no WebRTC end point writes; they do not
//! try to understand what an end point may mean.

mod candidate;
mod sdp;

pub use candidate::candidate_is_valid;
pub use sdp::description_is_valid;

/// `ice-char` of RFC 8839.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// `token` of RFC 8866.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&b))
}

/// A decimal number of at most ten digits, without a sign.
fn number(text: &str) -> Option<u64> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vireo_protocol::{IceCandidate, SdpType, SessionDescription};

    use super::*;

    proptest! {
        /// Whatever is sent leads to a yes or a no.
        #[test]
        fn nothing_makes_the_checks_panic(
            lines in proptest::collection::vec("([a-z]=)?[ -~ü\\x00:]{0,60}(\r)?", 0..30),
            candidate in "(candidate:)?([ -~ü]{0,12} ){0,12}",
        ) {
            let sdp = format!("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\n{}", lines.join("\n"));
            description_is_valid(&SessionDescription::offer(sdp), SdpType::Offer);
            description_is_valid(&SessionDescription::answer(lines.join("\n")), SdpType::Answer);
            candidate_is_valid(&IceCandidate { candidate, ..IceCandidate::default() });
        }
    }
}
