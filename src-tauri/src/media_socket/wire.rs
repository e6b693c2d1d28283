//! The messages, as `ui/src/call/media/wire.ts` describes them: a header of 12 bytes, little-endian, then the picture.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;
use vireo_media::{EncodedFrame, VideoCodec, VideoFrame};

/// What a binary message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Remote = 1,
    RemoteRaw = 2,
    Own = 3,
    RemoteLost = 4,
}

/// What the worker says, as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum WorkerSays {
    /// More remote pictures have been taken in.
    Taken {
        /// How many.
        taken: u32,
    },
    /// A remote picture has been painted.
    Painted {
        /// Its RTP time.
        timestamp: u32,
        /// How long it was in the decoder, in microseconds.
        decoding: u32,
        /// How long painting took, in microseconds.
        painting: u32,
        /// How many more have been taken in.
        taken: u32,
    },
    /// The last remote picture has been taken away: the camera went off, or comes back.
    Cleared,
    /// The decoder cannot go on without a key frame.
    KeyFrame,
    /// The web view cannot decode this codec.
    Native {
        /// Which.
        codec: CodecName,
    },
    /// The pictures of one side are shown at this size, in device pixels.
    Size {
        /// Of which side.
        which: Side,
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
}

/// Whose pictures, by its name in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The other person's.
    Remote,
    /// This side's own.
    #[serde(rename = "self")]
    Own,
}

/// A codec by its name in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecName {
    /// RFC 6184.
    H264,
    /// RFC 7741.
    Vp8,
}

impl From<CodecName> for VideoCodec {
    fn from(name: CodecName) -> Self {
        match name {
            CodecName::H264 => Self::H264,
            CodecName::Vp8 => Self::Vp8,
        }
    }
}

/// A remote picture as it came from the network.
pub fn remote(frame: &EncodedFrame) -> Bytes {
    let codec = match frame.codec {
        VideoCodec::H264 => 1,
        VideoCodec::Vp8 => 2,
    };
    let size = (frame.width, frame.height);
    message(
        Kind::Remote,
        codec,
        frame.key_frame,
        size,
        frame.rtp_timestamp,
        &frame.data,
    )
}

/// A remote picture that was decoded on this side.
pub fn remote_raw(frame: &VideoFrame, rtp_timestamp: u32) -> Bytes {
    let size = (frame.width, frame.height);
    message(Kind::RemoteRaw, 0, true, size, rtp_timestamp, &frame.data)
}

/// Remote pictures cannot be shown: no decoder on this side either.
pub fn remote_lost() -> Bytes {
    message(Kind::RemoteLost, 0, false, (0, 0), 0, &[])
}

/// One of this side's own pictures.
pub fn own(frame: &VideoFrame) -> Bytes {
    let size = (frame.width, frame.height);
    message(Kind::Own, 0, true, size, 0, &frame.data)
}

fn message(
    kind: Kind,
    codec: u8,
    key_frame: bool,
    (width, height): (u32, u32),
    rtp_timestamp: u32,
    data: &[u8],
) -> Bytes {
    let mut message = BytesMut::with_capacity(12 + data.len());
    message.put_u8(kind as u8);
    message.put_u8(codec);
    message.put_u8(u8::from(key_frame));
    message.put_u8(0);
    // Nothing that is larger than 65,535 pixels can be a picture; 0 says that the size is not known.
    message.put_u16_le(u16::try_from(width).unwrap_or(0));
    message.put_u16_le(u16::try_from(height).unwrap_or(0));
    message.put_u32_le(rtp_timestamp);
    message.put_slice(data);
    message.freeze()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_remote_picture_has_the_header_that_the_worker_reads() {
        let frame = EncodedFrame {
            codec: VideoCodec::Vp8,
            data: Bytes::from_static(&[9, 8, 7]),
            key_frame: true,
            width: 1280,
            height: 720,
            rtp_timestamp: 0x0102_0304,
            captured_at: Instant::now(),
        };
        let expected = [1, 2, 1, 0, 0x00, 0x05, 0xd0, 0x02, 4, 3, 2, 1, 9, 8, 7];
        assert_eq!(remote(&frame).as_ref(), expected);
    }

    #[test]
    fn the_workers_words_are_read_and_others_refused() {
        let read = |text| serde_json::from_str::<WorkerSays>(text);
        assert_eq!(
            read(r#"{"type":"taken","taken":4}"#).expect("valid"),
            WorkerSays::Taken { taken: 4 }
        );
        let native = WorkerSays::Native {
            codec: CodecName::H264,
        };
        assert_eq!(
            read(r#"{"type":"native","codec":"h264"}"#).expect("valid"),
            native
        );
        let painted = WorkerSays::Painted {
            timestamp: 7,
            decoding: 2_100,
            painting: 300,
            taken: 1,
        };
        let said = r#"{"type":"painted","timestamp":7,"decoding":2100,"painting":300,"taken":1}"#;
        assert_eq!(read(said).expect("valid"), painted);
        let size = WorkerSays::Size {
            which: Side::Own,
            width: 246,
            height: 138,
        };
        let said = r#"{"type":"size","which":"self","width":246,"height":138}"#;
        assert_eq!(read(said).expect("valid"), size);
        assert!(read(r#"{"type":"size","which":"remote","width":-1,"height":2}"#).is_err());
        assert!(read(r#"{"type":"size","which":"nobody","width":1,"height":2}"#).is_err());
        assert!(read(r#"{"type":"reboot"}"#).is_err());
    }
}
