//! VP8 in RTP (RFC 7741).

use bytes::{BufMut, Bytes, BytesMut};

use super::OutgoingPayload;

const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0: u8 = 0x40;
const HAS_TID: u8 = 0x20;
const HAS_KEY_INDEX: u8 = 0x10;
const LONG_PICTURE_ID: u8 = 0x80;
/// What we put before the data: flags, extension, a picture id of 15 bits.
const DESCRIPTOR: usize = 4;

/// Splits a frame into payloads of at most `max_payload` bytes; the last carries the marker.
pub(super) fn packetize(data: &Bytes, max_payload: usize, picture_id: u16) -> Vec<OutgoingPayload> {
    let room = max_payload - DESCRIPTOR;
    let count = data.len().div_ceil(room);
    if count == 0 {
        return Vec::new();
    }
    let size = data.len().div_ceil(count);
    let last = data.chunks(size).count() - 1;
    data.chunks(size)
        .enumerate()
        .map(|(index, part)| {
            let mut payload = BytesMut::with_capacity(DESCRIPTOR + part.len());
            payload.put_u8(if index == 0 {
                EXTENDED | START
            } else {
                EXTENDED
            });
            payload.put_u8(HAS_PICTURE_ID);
            payload.put_u16(picture_id & 0x7fff | 0x8000);
            payload.put_slice(part);
            OutgoingPayload {
                payload: payload.freeze(),
                marker: index == last,
            }
        })
        .collect()
}

/// A payload without its descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The frame begins here.
    pub(super) starts_frame: bool,
    pub(super) data: &'a [u8],
}

/// Reads the descriptor. None when it is malformed or nothing follows it.
pub(super) fn parse(payload: &[u8]) -> Option<Part<'_>> {
    let (&flags, mut rest) = payload.split_first()?;
    if flags & EXTENDED != 0 {
        let (&extension, after) = rest.split_first()?;
        rest = after;
        if extension & HAS_PICTURE_ID != 0 {
            let long = rest.first()? & LONG_PICTURE_ID != 0;
            rest = rest.get(if long { 2 } else { 1 }..)?;
        }
        if extension & HAS_TL0 != 0 {
            rest = rest.get(1..)?;
        }
        if extension & (HAS_TID | HAS_KEY_INDEX) != 0 {
            rest = rest.get(1..)?;
        }
    }
    let starts_frame = flags & START != 0 && flags & PARTITION == 0;
    (!rest.is_empty()).then_some(Part {
        starts_frame,
        data: rest,
    })
}

/// Whether a key frame begins with this packet.
pub(super) fn begins_key_frame(payload: &[u8]) -> bool {
    parse(payload).is_some_and(|part| part.starts_frame && is_key_frame(part.data))
}

/// Whether the frame is a key frame (RFC 6386 §9.1).
pub(super) fn is_key_frame(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & 1 == 0)
}

/// Width and height in a key frame's header.
pub(super) fn picture_size(frame: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *frame.first_chunk::<10>()? else {
        return None;
    };
    // The two bits above are the scaling that a viewer may do.
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    let (width, height) = (side(w0, w1), side(h0, h1));
    (is_key_frame(frame) && width > 0 && height > 0).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_evenly_and_reads_back() {
        let data = Bytes::from((0..2500_u32).map(|byte| byte as u8).collect::<Vec<_>>());
        let payloads = packetize(&data, 1000, 0xffff);
        assert_eq!(payloads.len(), 3);
        let mut whole = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            assert!(payload.payload.len() <= 1000);
            assert_eq!(payload.marker, index == 2);
            let part = parse(&payload.payload).expect("our own");
            assert_eq!(part.starts_frame, index == 0);
            whole.extend_from_slice(part.data);
        }
        assert_eq!(whole, data);
    }

    #[test]
    fn every_form_of_descriptor_is_read() {
        let cases: [(&[u8], Option<Part<'_>>); 9] = [
            (
                &[0x10, 7],
                Some(Part {
                    starts_frame: true,
                    data: &[7],
                }),
            ),
            (
                &[0x11, 7],
                Some(Part {
                    starts_frame: false,
                    data: &[7],
                }),
            ),
            (
                &[0x90, 0x80, 0x7f, 7],
                Some(Part {
                    starts_frame: true,
                    data: &[7],
                }),
            ),
            (
                &[0x90, 0x80, 0xff, 0xff, 7],
                Some(Part {
                    starts_frame: true,
                    data: &[7],
                }),
            ),
            (
                &[0x80, 0xf0, 0x80, 1, 2, 3, 7],
                Some(Part {
                    starts_frame: false,
                    data: &[7],
                }),
            ),
            (&[0x90, 0xf0, 0x80, 1, 2, 3], None),
            (&[0x90], None),
            (&[0x10], None),
            (&[], None),
        ];
        for (payload, part) in cases {
            assert_eq!(parse(payload), part, "{payload:?}");
        }
    }

    #[test]
    fn the_size_stands_in_key_frames_only() {
        let key = [
            0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x42, 0xff,
        ];
        assert_eq!(picture_size(&key), Some((1280, 720)));
        let mut delta = key;
        delta[0] = 0x11;
        assert_eq!(picture_size(&delta), None);
        assert_eq!(picture_size(&key[..9]), None);
    }
}
