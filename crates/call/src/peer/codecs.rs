//! What is offered: codecs, feedback and header extensions.

use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use vireo_media::VideoCodec;
use webrtc::peer_connection::MediaEngine;

use super::{PeerConfig, PeerError};

/// draft-holmer-rmcat-transport-wide-cc-extensions-01.
pub(super) const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// RFC 7587. Two channels is what Opus is always announced with; `stereo` is left out, so mono is sent.
const OPUS_FMTP: &str = "minptime=10;useinbandfec=1";

/// Constrained baseline, level 3.1 with asymmetry (each side sends the level it likes), fragmentation units (RFC 6184).
const H264_FMTP: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

const OPUS_PAYLOAD_TYPE: u8 = 111;

/// RFC 2198, with Opus in all its blocks.
const RED_PAYLOAD_TYPE: u8 = 63;

fn payload_type(codec: VideoCodec) -> u8 {
    match codec {
        VideoCodec::H264 => 102,
        VideoCodec::Vp8 => 96,
    }
}

/// The codecs Vireo speaks, the video codecs in order of preference.
pub(super) fn media_engine(config: &PeerConfig) -> Result<MediaEngine, PeerError> {
    let internal = |error: webrtc::error::Error| PeerError::Internal(error.to_string());
    let mut engine = MediaEngine::default();
    let opus = RTCRtpCodec {
        mime_type: "audio/opus".into(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: OPUS_FMTP.into(),
        rtcp_feedback: vec![feedback("transport-cc", "")],
    };
    engine
        .register_codec(parameters(opus, OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)
        .map_err(internal)?;
    if config.redundant_sound {
        let red = RTCRtpCodec {
            mime_type: "audio/red".into(),
            clock_rate: 48_000,
            channels: 2,
            sdp_fmtp_line: format!("{OPUS_PAYLOAD_TYPE}/{OPUS_PAYLOAD_TYPE}"),
            rtcp_feedback: Vec::new(),
        };
        engine
            .register_codec(parameters(red, RED_PAYLOAD_TYPE), RtpCodecKind::Audio)
            .map_err(internal)?;
    }
    for &codec in &config.video_codecs {
        let (mime_type, sdp_fmtp_line) = match codec {
            VideoCodec::H264 => ("video/H264", H264_FMTP),
            VideoCodec::Vp8 => ("video/VP8", ""),
        };
        let codec_parameters = RTCRtpCodec {
            mime_type: mime_type.into(),
            clock_rate: 90_000,
            channels: 0,
            sdp_fmtp_line: sdp_fmtp_line.into(),
            rtcp_feedback: vec![
                feedback("goog-remb", ""),
                feedback("transport-cc", ""),
                feedback("ccm", "fir"),
                feedback("nack", ""),
                feedback("nack", "pli"),
            ],
        };
        engine
            .register_codec(
                parameters(codec_parameters, payload_type(codec)),
                RtpCodecKind::Video,
            )
            .map_err(internal)?;
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        let extension = RTCRtpHeaderExtensionCapability {
            uri: TRANSPORT_CC_URI.into(),
        };
        engine
            .register_header_extension(extension, kind, None)
            .map_err(internal)?;
    }
    Ok(engine)
}

fn parameters(rtp_codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec,
        payload_type,
    }
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    }
}
