//! A packet on its way out.

use bytes::Bytes;

/// Which of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// What the network adds to a payload: IP and UDP (28), RTP with a header extension (20), the SRTP tag (10).
pub(super) const OVERHEAD: usize = 58;

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
    /// It will be sent once more soon, as copies get lost as well.
    pub twice: bool,
    /// It is that second copy. Usually the other side has it already and says nothing of it, so congestion control is not
    /// told of it.
    pub copy: bool,
}

impl Packet {
    /// Bytes on the wire.
    pub fn size(&self) -> usize {
        self.payload.len() + OVERHEAD
    }
}
