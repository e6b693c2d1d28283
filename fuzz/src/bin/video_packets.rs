//! Video packets of the other side's, on their way to frames. The first byte chooses the codec; each packet begins with its
//! step in number, time, marker and length. Whatever comes, little is kept, no frame is larger than any camera's, a decoder
//! can begin with the first, and packets that come twice change nothing.
#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::codec::VideoCodec;
use vireo_media::rtp::{AssembledFrame, FrameAssembler, MAX_MACROBLOCKS, RtpPayload, macroblocks};

/// What may wait for a packet that is missing.
const MOST_WAITING: usize = 4_096;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, mut rest)) = data.split_first() else {
        return;
    };
    let codec = match first % 2 {
        0 => VideoCodec::H264,
        _ => VideoCodec::Vp8,
    };
    let mut assembler = FrameAssembler::new(codec);
    let mut twice = FrameAssembler::new(codec);
    let mut begun = false;
    let mut now = Instant::now();
    let (mut sequence_number, mut timestamp) = (u16::MAX - 2, u32::MAX - 9_000);
    while let [step, marker, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        sequence_number = sequence_number.wrapping_add_signed(i16::from(step % 16) - 2);
        timestamp = timestamp.wrapping_add(u32::from(step / 16) * 1_500);
        now += Duration::from_millis(u64::from(marker / 2));
        let packet = RtpPayload {
            sequence_number,
            timestamp,
            marker: marker % 2 == 1,
            payload: Bytes::copy_from_slice(payload),
            received_at: now,
        };
        assembler.push(packet.clone());
        twice.push(packet.clone());
        twice.push(packet);
        assert!(assembler.waiting() <= MOST_WAITING);
        loop {
            let (frame, same) = (assembler.poll(now), twice.poll(now));
            let data = |of: &Option<AssembledFrame>| of.as_ref().map(|it| it.frame.data.clone());
            assert_eq!(data(&frame), data(&same));
            let Some(AssembledFrame { frame, .. }) = frame else {
                break;
            };
            assert!(begun || frame.key_frame, "a decoder can begin with it");
            begun = true;
            assert!(macroblocks(frame.width, frame.height) <= MAX_MACROBLOCKS);
        }
        assert_eq!(assembler.take_nacks(now), twice.take_nacks(now));
        let asked = assembler.take_key_frame_request(now);
        assert_eq!(asked, twice.take_key_frame_request(now));
    }
});
