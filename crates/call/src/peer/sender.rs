//! The handle through which encoder threads send.

use bytes::Bytes;
use vireo_media::EncodedFrame;

/// Sends media. Cheap to clone; may be used on any thread, with or without an async runtime; never waits.
#[derive(Debug, Clone)]
pub struct MediaSender {}

impl MediaSender {
    /// Sends a picture. Its RTP time is made from `captured_at`. Pictures that come before the connection is up wait for
    /// it, from the newest key frame on, so the first picture goes out at once; a picture of a codec that was not negotiated
    /// is dropped.
    pub fn send_video(&self, _frame: EncodedFrame) {}

    /// Sends a packet of Opus; `timestamp` counts samples at 48 kHz. Dropped while there is no connection.
    pub fn send_audio(&self, _payload: Bytes, _timestamp: u32) {}

    /// Asks the other side for a key frame, like [`Peer::request_key_frame`](super::Peer::request_key_frame).
    pub fn request_key_frame(&self) {}
}
