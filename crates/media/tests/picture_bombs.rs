//! A header of some bytes that claims a picture of gigabytes reaches no decoder.

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::codec::VideoCodec;
use vireo_media::rtp::{FrameAssembler, RtpPayload};

/// Writes bits, as parameter sets are written.
#[derive(Default)]
struct Bits(String);

impl Bits {
    fn fixed(mut self, value: u32, count: usize) -> Self {
        self.0 += &format!("{value:0count$b}");
        self
    }

    /// Exp-Golomb.
    fn golomb(self, value: u32) -> Self {
        let length = (value + 1).ilog2() as usize;
        let zeros = "0".repeat(length);
        Self(self.0 + &zeros).fixed(value + 1, length + 1)
    }

    fn bytes(mut self) -> Vec<u8> {
        while !self.0.len().is_multiple_of(8) {
            self.0.push('0');
        }
        let byte = |at| u8::from_str_radix(&self.0[at..at + 8], 2).expect("eight bits");
        (0..self.0.len()).step_by(8).map(byte).collect()
    }
}

/// A sequence parameter set of the baseline profile.
fn parameter_set(width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default()
        .fixed(0x67, 8)
        .fixed(66, 8)
        .fixed(0, 8)
        .fixed(51, 8)
        .golomb(0) // Its number,
        .golomb(0) // numbers of frames,
        .golomb(2) // their order,
        .golomb(1) // references,
        .fixed(0, 1)
        .golomb(width / 16 - 1)
        .golomb(height / 16 - 1)
        .fixed(0b1100, 4) // whole frames without crop or more,
        .fixed(1, 1); // and the end.
    bits.bytes()
}

fn fragments(unit: &[u8]) -> Vec<Vec<u8>> {
    let (half, kind) = (unit.len() / 2, unit[0] & 0x1f);
    vec![
        [&[0x7c, 0x80 | kind], &unit[1..half]].concat(),
        [&[0x7c, 0x40 | kind], &unit[half..]].concat(),
    ]
}

/// The sizes that come out of these payloads, which are one picture.
fn assembled(codec: VideoCodec, payloads: &[Vec<u8>]) -> Vec<(u32, u32)> {
    let start = Instant::now();
    let mut assembler = FrameAssembler::new(codec);
    for (number, payload) in payloads.iter().enumerate() {
        assembler.push(RtpPayload {
            sequence_number: number as u16,
            timestamp: 9,
            marker: number + 1 == payloads.len(),
            payload: Bytes::copy_from_slice(payload),
            received_at: start,
        });
    }
    let frames = std::iter::from_fn(|| assembler.poll(start));
    let sizes: Vec<_> = frames
        .map(|assembled| (assembled.frame.width, assembled.frame.height))
        .collect();
    let asks = assembler.take_key_frame_request(start + Duration::from_secs(1));
    assert_eq!(asks, sizes.is_empty(), "another picture is asked for");
    sizes
}

#[test]
fn a_picture_of_vp8_is_refused_by_its_header() {
    let payload = |width: u16, height: u16| {
        let head = [0x10, 0x10, 2, 0, 0x9d, 0x01, 0x2a];
        let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
        vec![[&head[..], &sides, &[1, 2, 3]].concat()]
    };
    let sizes = assembled(VideoCodec::Vp8, &payload(3840, 2160));
    assert_eq!(sizes, [(3840, 2160)]);
    for (width, height) in [(16_383, 16_383), (16_383, 1_024), (4_112, 2_304)] {
        assert!(assembled(VideoCodec::Vp8, &payload(width, height)).is_empty());
    }
}

#[test]
fn a_picture_of_h264_is_refused_by_its_parameter_set_however_that_comes() {
    let slice = vec![0x65, 1, 2, 3];
    for (width, height, fits) in [
        (3840, 2160, true),
        (16_384, 16_384, false),
        (1 << 20, 16, false),
    ] {
        let set = parameter_set(width, height);
        let expected = if fits { vec![(width, height)] } else { vec![] };
        let plain = vec![set.clone(), slice.clone()];
        assert_eq!(assembled(VideoCodec::H264, &plain), expected);
        // A decoder would find these two as well: one after a start code in the middle of a unit, and one in fragments.
        let small = parameter_set(64, 64);
        let hidden = [&[0x06, 5, 0x80, 0, 0, 1][..], &set].concat();
        let hidden = vec![small.clone(), hidden, slice.clone()];
        assert_eq!(assembled(VideoCodec::H264, &hidden), expected);
        let parts = [vec![small], fragments(&set), vec![slice.clone()]].concat();
        assert_eq!(assembled(VideoCodec::H264, &parts), expected);
    }
}
