//! Codecs, each kind behind one trait.

#[cfg(feature = "codecs")]
mod h264;
#[cfg(feature = "codecs")]
mod opus;
#[cfg(not(feature = "codecs"))]
#[path = "opus_absent.rs"]
mod opus;
#[cfg(feature = "codecs")]
mod planes;
mod stuffing;
#[cfg(feature = "codecs")]
mod vp8;

use std::time::Instant;

use bytes::Bytes;

pub use self::opus::{OpusDecoder, OpusEncoder};
use crate::{MediaError, VideoFormat, VideoFrame};

#[cfg(feature = "codecs")]
pub use h264::{H264Decoder, H264Encoder};
#[cfg(feature = "codecs")]
pub use vp8::{Vp8Decoder, Vp8Encoder};

/// Samples in an Opus packet of ours: 20 ms at 48 kHz.
pub const OPUS_FRAME_SAMPLES: usize = 960;

/// Samples in a short one, which takes its headers along as often as twice: 10 ms.
pub const SHORT_OPUS_FRAME_SAMPLES: usize = 480;

/// Coded sound on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusPacket {
    /// One Opus packet (RFC 6716), which is one RTP payload (RFC 7587).
    pub payload: Bytes,
    /// RTP time of its first sample, 48 kHz; begins at 0, wraps around at 2^32. It goes on while nothing is sent.
    pub timestamp: u32,
    /// When its first sample was heard by the microphone, as evenly as samples come.
    pub captured_at: Instant,
}

/// The video codecs that Vireo speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// RFC 6184, constrained baseline.
    H264,
    /// RFC 7741.
    Vp8,
}

/// One coded picture.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// What it is coded with.
    pub codec: VideoCodec,
    /// H.264: one access unit in Annex B form. VP8: one frame.
    pub data: Bytes,
    /// Whether a decoder can start here.
    pub key_frame: bool,
    /// Pixels in a row; 0 where it is not known (a received delta frame before any key frame).
    pub width: u32,
    /// Rows; 0 where it is not known.
    pub height: u32,
    /// RTP time of the picture, 90 kHz. Encoders leave 0; the sender sets it from `captured_at`.
    pub rtp_timestamp: u32,
    /// Sending: when the picture was captured. Receiving: when its last packet arrived.
    pub captured_at: Instant,
}

/// Turns pictures into coded ones. A change of size or rate is taken as it comes, with a key frame where one is needed.
pub trait VideoEncoder: Send {
    /// Which codec it is.
    fn codec(&self) -> VideoCodec;

    /// The implementation's name, for the statistics (W3C `encoderImplementation`).
    fn name(&self) -> &'static str;

    /// What to aim at, in bits a second and frames a second; may change at any time.
    fn set_rate(&mut self, bits_per_second: u32, frames_per_second: u32);

    /// Gets ready for pictures of this size, so that the first one does not wait for it.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec refuses the size.
    fn prepare(&mut self, width: u32, height: u32) -> Result<(), MediaError>;

    /// Codes a picture. None when rate control dropped it.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the codec fails; the next frame may be tried again.
    fn encode(
        &mut self,
        frame: &VideoFrame,
        key_frame: bool,
    ) -> Result<Option<EncodedFrame>, MediaError>;
}

/// Turns coded pictures back.
pub trait VideoDecoder: Send {
    /// The implementation's name, for the statistics (W3C `decoderImplementation`).
    fn name(&self) -> &'static str;

    /// Decodes one coded picture. None when it gives nothing to show.
    ///
    /// # Errors
    /// [`MediaError::Codec`] when the data cannot be decoded; the sender should be asked for a key frame.
    fn decode(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, MediaError>;
}

/// An encoder for this codec, at first for this format and rate.
///
/// # Errors
/// [`MediaError::Codec`] when it cannot be made, or when this build has no codecs.
#[cfg(feature = "codecs")]
pub fn video_encoder(
    codec: VideoCodec,
    format: VideoFormat,
    bits_per_second: u32,
) -> Result<Box<dyn VideoEncoder>, MediaError> {
    Ok(match codec {
        VideoCodec::H264 => Box::new(H264Encoder::new(format, bits_per_second)?),
        VideoCodec::Vp8 => Box::new(Vp8Encoder::new(format, bits_per_second)),
    })
}

/// A decoder for this codec.
///
/// # Errors
/// [`MediaError::Codec`] when it cannot be made, or when this build has no codecs.
#[cfg(feature = "codecs")]
pub fn video_decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, MediaError> {
    Ok(match codec {
        VideoCodec::H264 => Box::new(H264Decoder::new()?),
        VideoCodec::Vp8 => Box::new(Vp8Decoder::new()?),
    })
}

/// Says that this build has no encoder.
///
/// # Errors
/// Always.
#[cfg(not(feature = "codecs"))]
pub fn video_encoder(
    codec: VideoCodec,
    _format: VideoFormat,
    _bits_per_second: u32,
) -> Result<Box<dyn VideoEncoder>, MediaError> {
    Err(MediaError::Codec(format!(
        "this build of Vireo has no encoder for {codec:?}"
    )))
}

/// Says that this build has no decoder.
///
/// # Errors
/// Always.
#[cfg(not(feature = "codecs"))]
pub fn video_decoder(codec: VideoCodec) -> Result<Box<dyn VideoDecoder>, MediaError> {
    Err(MediaError::Codec(format!(
        "this build of Vireo has no decoder for {codec:?}"
    )))
}
