//! Video packets of the other side's, on their way to frames. The first byte chooses the codec; each packet begins with its
//! step in number, time, marker and length.
#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::codec::VideoCodec;
use vireo_media::rtp::{FrameAssembler, RtpPayload};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, mut rest)) = data.split_first() else {
        return;
    };
    let codec = match first % 2 {
        0 => VideoCodec::H264,
        _ => VideoCodec::Vp8,
    };
    let mut assembler = FrameAssembler::new(codec);
    let mut now = Instant::now();
    let (mut sequence_number, mut timestamp) = (u16::MAX - 2, u32::MAX - 9_000);
    while let [step, marker, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        sequence_number = sequence_number.wrapping_add_signed(i16::from(step % 16) - 2);
        timestamp = timestamp.wrapping_add(u32::from(step / 16) * 1_500);
        now += Duration::from_millis(u64::from(marker / 2));
        assembler.push(RtpPayload {
            sequence_number,
            timestamp,
            marker: marker % 2 == 1,
            payload: Bytes::copy_from_slice(payload),
            received_at: now,
        });
        while assembler.poll(now).is_some() {}
        assembler.take_nacks(now);
        assembler.take_key_frame_request(now);
    }
});
