//! From a coded frame to RTP payloads.

use super::{OutgoingPayload, h264, vp8};
use crate::codec::{EncodedFrame, VideoCodec};

/// Smaller than any network allows, larger than every descriptor.
const MIN_PAYLOAD: usize = 64;

/// No codec needs more before a part of a frame.
const DESCRIPTORS: usize = 4;

/// Cuts frames of one stream into payloads.
#[derive(Debug)]
pub struct Packetizer {
    codec: VideoCodec,
    max_payload: usize,
    /// VP8's 15 bits, one on from frame to frame.
    picture_id: u16,
}

impl Packetizer {
    /// For payloads of at most `max_payload` bytes: the path's MTU less the headers of IP, UDP, RTP and SRTP. 1,150 fits
    /// everywhere.
    #[must_use]
    pub fn new(codec: VideoCodec, max_payload: usize) -> Self {
        Self {
            codec,
            max_payload: max_payload.max(MIN_PAYLOAD),
            picture_id: 0,
        }
    }

    /// The payloads of a frame in their order, so many at least where there is something to divide; the last one carries the
    /// marker. A frame of another codec gives none.
    #[must_use]
    pub fn packetize(&mut self, frame: &EncodedFrame, least: usize) -> Vec<OutgoingPayload> {
        if frame.codec != self.codec {
            tracing::warn!(frame = ?frame.codec, stream = ?self.codec, "a frame of another codec than the stream's is left out");
            return Vec::new();
        }
        let divided = frame.data.len().div_ceil(least.max(1)) + DESCRIPTORS;
        let max_payload = divided.clamp(MIN_PAYLOAD, self.max_payload);
        match self.codec {
            VideoCodec::H264 => h264::packetize(&frame.data, max_payload),
            VideoCodec::Vp8 => {
                self.picture_id = self.picture_id.wrapping_add(1) & 0x7fff;
                vp8::packetize(&frame.data, max_payload, self.picture_id)
            }
        }
    }
}
