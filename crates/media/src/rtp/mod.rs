//! Between RTP payloads and coded pictures or sound: packetisers, the frame assembler and the audio jitter buffer.
//! Nothing here knows sockets; a packet is its header's few fields and its payload.

pub(crate) mod annex_b;
mod audio_jitter_buffer;
mod delay;
mod frame_assembler;
mod h264;
mod holes;
mod largest;
mod opus_duration;
mod packetizer;
mod red;
mod sps;
mod unwrap;
mod vp8;
mod waiting;

pub use audio_jitter_buffer::{AudioJitterBuffer, AudioPacket, AudioReceiveStatistics, Tempo};
pub use frame_assembler::{AssembledFrame, AssemblerStatistics, FrameAssembler};
pub use largest::{MAX_MACROBLOCKS, macroblocks};
pub use opus_duration::{opus_packet_has_copy, opus_packet_samples};
pub use packetizer::Packetizer;
pub use red::{RedBlock, red_blocks, red_packet};
pub use unwrap::Unwrapper;

use std::time::Instant;

use bytes::Bytes;

/// What the receiving side needs of an RTP packet (RFC 3550).
#[derive(Debug, Clone)]
pub struct RtpPayload {
    /// Wraps around at 2^16.
    pub sequence_number: u16,
    /// 90 kHz for video, 48 kHz for audio; wraps around at 2^32.
    pub timestamp: u32,
    /// Last packet of a picture.
    pub marker: bool,
    /// What follows the header and its extensions.
    pub payload: Bytes,
    /// When it came off the socket.
    pub received_at: Instant,
}

/// What the sending side puts behind an RTP header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingPayload {
    /// The payload.
    pub payload: Bytes,
    /// Last packet of a picture.
    pub marker: bool,
}
