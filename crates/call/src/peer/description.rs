//! What two session descriptions agree on, read from the answer.

use vireo_media::VideoCodec;
use vireo_protocol::SessionDescription;
use webrtc::peer_connection::RTCSessionDescription;

use super::{PeerError, codecs::TRANSPORT_CC_URI};

/// What both sides send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Negotiated {
    /// None when the call has no sound.
    pub audio: Option<Stream>,
    /// The payload type of packets that carry copies of those before them (RFC 2198); none where either side knows none.
    pub red: Option<u8>,
    /// None when the call has no video.
    pub video: Option<VideoStream>,
}

/// The RTP parameters of a media section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub payload_type: u8,
    /// Id of the header extension with the transport-wide sequence number.
    pub transport_cc: Option<u8>,
}

/// The same of a video section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VideoStream {
    /// What we send.
    pub stream: Stream,
    pub codec: VideoCodec,
    /// All that may be received: the first is what is sent, but a sender may change between them at any time.
    pub codecs: Vec<(u8, VideoCodec)>,
}

/// Reads a description of the other side's.
///
/// # Errors
/// [`PeerError::InvalidDescription`] when it cannot be read.
pub(super) fn parse(
    description: &SessionDescription,
    offer: bool,
) -> Result<RTCSessionDescription, PeerError> {
    let invalid = |error: webrtc::error::Error| PeerError::InvalidDescription(error.to_string());
    let parsed = if offer {
        RTCSessionDescription::offer(description.sdp.clone())
    } else {
        RTCSessionDescription::answer(description.sdp.clone())
    }
    .map_err(invalid)?;
    let sections = parsed.unmarshal().map_err(invalid)?.media_descriptions;
    if !sections
        .iter()
        .any(|section| matches!(section.media_name.media.as_str(), "audio" | "video"))
    {
        return Err(PeerError::InvalidDescription("it has no media".into()));
    }
    Ok(parsed)
}

/// Whether one of these codecs is offered, or no video at all.
pub(super) fn offers_video(
    offer: &RTCSessionDescription,
    codecs: &[VideoCodec],
) -> Result<bool, PeerError> {
    let sections = offer
        .unmarshal()
        .map_err(|error| PeerError::InvalidDescription(error.to_string()))?
        .media_descriptions;
    let has_video = sections
        .iter()
        .any(|section| section.media_name.media == "video" && section.media_name.port.value != 0);
    let offered = negotiated(offer)?.video;
    Ok(!has_video
        || offered.is_some_and(|video| {
            let known = |(_, codec): &(u8, VideoCodec)| codecs.contains(codec);
            video.codecs.iter().any(known)
        }))
}

/// What an answer agrees to. Sections that were rejected (port 0) or are inactive carry nothing.
pub(super) fn negotiated(answer: &RTCSessionDescription) -> Result<Negotiated, PeerError> {
    let sections = answer
        .unmarshal()
        .map_err(|error| PeerError::InvalidDescription(error.to_string()))?
        .media_descriptions;
    let mut negotiated = Negotiated::default();
    for section in &sections {
        let attributes: Vec<(&str, &str)> = section
            .attributes
            .iter()
            .map(|attribute| {
                (
                    attribute.key.as_str(),
                    attribute.value.as_deref().unwrap_or(""),
                )
            })
            .collect();
        let inactive = attributes.iter().any(|(key, _)| *key == "inactive");
        if section.media_name.port.value == 0 || inactive {
            continue;
        }
        let payload_types = section
            .media_name
            .formats
            .iter()
            .filter_map(|format| format.parse().ok())
            // RTP has seven bits for it.
            .filter(|&payload_type: &u8| payload_type < 128);
        let transport_cc = extension_id(&attributes, TRANSPORT_CC_URI);
        match section.media_name.media.as_str() {
            "audio" if negotiated.audio.is_none() => {
                let known: Vec<u8> = payload_types.collect();
                let opus = |payload_type: &&u8| is_opus(&attributes, **payload_type);
                negotiated.audio = known.iter().find(opus).map(|&payload_type| Stream {
                    payload_type,
                    transport_cc,
                });
                negotiated.red = negotiated.audio.and_then(|opus| {
                    let red =
                        |payload_type: &u8| is_red(&attributes, *payload_type, opus.payload_type);
                    known.into_iter().find(red)
                });
            }
            "video" if negotiated.video.is_none() => {
                let codecs: Vec<_> = payload_types
                    .filter_map(|payload_type| {
                        Some((payload_type, video_codec(&attributes, payload_type)?))
                    })
                    .collect();
                negotiated.video =
                    codecs
                        .first()
                        .copied()
                        .map(|(payload_type, codec)| VideoStream {
                            stream: Stream {
                                payload_type,
                                transport_cc,
                            },
                            codec,
                            codecs,
                        });
            }
            _ => {}
        }
    }
    Ok(negotiated)
}

/// The value that belongs to a payload type, e.g. `a=rtpmap:111 opus/48000/2`.
fn of_payload_type<'a>(
    attributes: &[(&'a str, &'a str)],
    key: &str,
    payload_type: u8,
) -> Option<&'a str> {
    attributes
        .iter()
        .filter(|(name, _)| *name == key)
        .filter_map(|(_, value)| value.split_once(' '))
        .find(|(number, _)| number.parse() == Ok(payload_type))
        .map(|(_, value)| value.trim())
}

fn is_opus(attributes: &[(&str, &str)], payload_type: u8) -> bool {
    of_payload_type(attributes, "rtpmap", payload_type)
        .is_some_and(|map| map.eq_ignore_ascii_case("opus/48000/2"))
}

/// Whether this is redundant audio data (RFC 2198) of nothing but this Opus, such as `a=fmtp:63 111/111`.
fn is_red(attributes: &[(&str, &str)], payload_type: u8, opus: u8) -> bool {
    let is_ours = |parameters: &str| {
        let mut blocks = parameters.split('/');
        blocks.all(|block| block.trim().parse() == Ok(opus))
    };
    of_payload_type(attributes, "rtpmap", payload_type)
        .is_some_and(|map| map.eq_ignore_ascii_case("red/48000/2"))
        && of_payload_type(attributes, "fmtp", payload_type).is_some_and(is_ours)
}

fn video_codec(attributes: &[(&str, &str)], payload_type: u8) -> Option<VideoCodec> {
    let map = of_payload_type(attributes, "rtpmap", payload_type)?.to_ascii_lowercase();
    match map.as_str() {
        "vp8/90000" => Some(VideoCodec::Vp8),
        "h264/90000" => {
            let parameters = of_payload_type(attributes, "fmtp", payload_type).unwrap_or("");
            parameters
                .split(';')
                .any(|parameter| parameter.trim() == "packetization-mode=1")
                .then_some(VideoCodec::H264)
        }
        _ => None,
    }
}

/// `a=extmap:3 URI` or `a=extmap:3/sendrecv URI` (RFC 8285).
fn extension_id(attributes: &[(&str, &str)], uri: &str) -> Option<u8> {
    attributes
        .iter()
        .filter(|(key, _)| *key == "extmap")
        .filter_map(|(_, value)| value.split_once(' '))
        .find(|(_, value)| value.split(' ').next() == Some(uri))
        .and_then(|(id, _)| id.split('/').next()?.parse().ok())
        .filter(|id| (1..=14).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n";
    const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 45 108 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:45 H264/90000\r\na=fmtp:45 packetization-mode=0\r\na=rtpmap:108 H264/90000\r\na=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:96 VP8/90000\r\na=extmap:3/sendrecv http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";

    fn read(sdp: String) -> Negotiated {
        let answer = parse(&SessionDescription::answer(sdp), false).expect("a readable answer");
        negotiated(&answer).expect("a readable answer")
    }

    #[test]
    fn reads_codecs_and_extensions() {
        let read = read(format!("{HEADER}{AUDIO}{VIDEO}"));
        let audio = Stream {
            payload_type: 111,
            transport_cc: None,
        };
        assert_eq!(read.audio, Some(audio));
        let video = read.video.expect("video");
        assert_eq!(video.codec, VideoCodec::H264);
        assert_eq!(video.stream.payload_type, 108);
        assert_eq!(video.stream.transport_cc, Some(3));
        assert_eq!(
            video.codecs,
            [(108, VideoCodec::H264), (96, VideoCodec::Vp8)]
        );
    }

    #[test]
    fn copies_are_taken_where_they_are_of_the_same_opus() {
        let with = |fmtp: &str| {
            let section = AUDIO.replace("111 0", "111 0 63");
            let sdp = format!("{HEADER}{section}a=rtpmap:63 red/48000/2\r\n{fmtp}");
            read(sdp).red
        };
        assert_eq!(with("a=fmtp:63 111/111\r\n"), Some(63));
        assert_eq!(with("a=fmtp:63 111/0\r\n"), None);
        assert_eq!(with(""), None);
        assert_eq!(read(format!("{HEADER}{AUDIO}")).red, None);
    }

    #[test]
    fn a_rejected_section_carries_nothing() {
        let read = read(format!(
            "{HEADER}{AUDIO}{}",
            VIDEO.replace("m=video 9", "m=video 0")
        ));
        assert!(read.audio.is_some());
        assert_eq!(read.video, None);
    }

    #[test]
    fn what_is_no_description_is_an_error() {
        for wrong in [
            "",
            "hello",
            "v=0\r\n",
            HEADER,
            "\0\0\0",
            "v=0\r\nm=audio\r\n",
        ] {
            for offer in [true, false] {
                let description = SessionDescription::offer(wrong);
                assert!(
                    matches!(
                        parse(&description, offer),
                        Err(PeerError::InvalidDescription(_))
                    ),
                    "{wrong:?}"
                );
            }
        }
    }
}
