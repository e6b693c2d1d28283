//! Making a coded picture longer without changing it: what a sender probes the path with when it has nothing else to send.

use bytes::Bytes;

use super::{EncodedFrame, VideoCodec};

/// Start code and header of a unit of filler data, and its last byte (ITU-T H.264, 7.3.2.7).
const FILLER_BEGINS: [u8; 5] = [0, 0, 0, 1, 12];
const FILLER_BYTE: u8 = 0xff;
const FILLER_ENDS: u8 = 0x80;

impl EncodedFrame {
    /// Makes the data at least so many bytes long, with bytes that every decoder passes over: filler data in H.264, zeros
    /// behind the last partition in VP8, which is as long as what is left (RFC 6386, 9.5).
    pub fn stuff(&mut self, bytes: usize) {
        if self.data.len() >= bytes {
            return;
        }
        let mut data = Vec::with_capacity(bytes + FILLER_BEGINS.len() + 2);
        data.extend_from_slice(&self.data);
        match self.codec {
            VideoCodec::H264 => {
                data.extend_from_slice(&FILLER_BEGINS);
                data.resize(bytes.max(data.len() + 1), FILLER_BYTE);
                data.push(FILLER_ENDS);
            }
            VideoCodec::Vp8 => data.resize(bytes, 0),
        }
        self.data = Bytes::from(data);
    }
}
