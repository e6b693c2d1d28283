//! A packet on its way out.

use bytes::Bytes;

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// What the network adds to a payload: IP and UDP (28), RTP with a header extension (20), the SRTP tag (10).
const OVERHEAD: usize = 58;

/// An RTP packet before its header is written.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub kind: Kind,
    pub payload: Bytes,
    pub timestamp: u32,
    pub marker: bool,
    pub sequence_number: u16,
    /// It has been sent before.
    pub repeated: bool,
}

impl Packet {
    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        self.payload.len() + OVERHEAD
    }
}
