//! Every reader of what the other side of a call sends, as a function of bytes, for the fuzz targets in `fuzz/`. Each has to
//! come back, whatever it is given.

mod connection;

use vireo_media::VideoCodec;
use vireo_protocol::SessionDescription;

use super::{PeerError, addresses, description, readable};

pub use super::media::fuzz::packets;
pub use connection::{datagrams, offer};

/// An offer or an answer: what Vireo itself reads in it.
pub fn description(text: &str) {
    let offer = SessionDescription::offer(text);
    for (sdp, is_offer) in [(&offer, true), (&SessionDescription::answer(text), false)] {
        let Ok(parsed) = description::parse(sdp, is_offer) else {
            continue;
        };
        let negotiated = description::negotiated(&parsed).expect("it has been read before");
        let again = description::negotiated(&parsed).expect("and once more");
        assert_eq!(negotiated, again);
        let video = negotiated.video.as_ref();
        let streams = [negotiated.audio, video.map(|video| video.stream)];
        for stream in streams.into_iter().flatten() {
            assert!(stream.payload_type < 128, "RTP has seven bits for it");
            let id = stream.transport_cc;
            assert!(id.is_none_or(|id| (1..=14).contains(&id)), "RFC 8285, 4.2");
        }
        if let Some(video) = video {
            let first = (video.stream.payload_type, video.codec);
            assert_eq!(video.codecs.first(), Some(&first), "the first is sent");
            let both = [VideoCodec::H264, VideoCodec::Vp8];
            assert_eq!(description::offers_video(&parsed, &both), Ok(true));
        }
    }
}

/// A candidate: whether it is tried at all.
pub fn candidate(text: &str) {
    match readable(text) {
        Ok(Some(line)) => {
            assert!(text.ends_with(line));
            assert_eq!(readable(line), Ok(Some(line)), "both forms are the same");
        }
        Ok(None) => {}
        Err(error) => assert!(matches!(error, PeerError::InvalidCandidate(_))),
    }
}

/// The address of an ICE server, as the server hands it out.
pub fn ice_server(text: &str) {
    addresses::fuzz(text);
}
