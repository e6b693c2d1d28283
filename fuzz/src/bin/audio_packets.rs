//! Sound packets of the other side's, on their way through the jitter buffer. Each begins with its step in number, the time
//! until the next, and its length. Whatever comes, a bounded number of packets waits, and no more is made up than is asked for.
#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use vireo_media::rtp::{AudioJitterBuffer, AudioPacket, RtpPayload};

/// Four seconds of sound in packets of 20 ms.
const MOST_WAITING: usize = 200;

/// The most that is made up at a time: 200 ms.
const MOST_SAMPLES: u32 = 9_600;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut buffer = AudioJitterBuffer::new();
    let mut now = Instant::now();
    let (mut sequence_number, mut timestamp) = (u16::MAX - 2, u32::MAX - 9_000);
    let mut rest = data;
    while let [step, wait, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        sequence_number = sequence_number.wrapping_add_signed(i16::from(step % 16) - 2);
        timestamp = timestamp.wrapping_add(u32::from(step / 16) * 480);
        buffer.push(RtpPayload {
            sequence_number,
            timestamp,
            marker: false,
            payload: Bytes::copy_from_slice(payload),
            received_at: now,
        });
        assert!(buffer.waiting() <= MOST_WAITING);
        now += Duration::from_millis(u64::from(*wait));
        for _ in 0..wait / 16 {
            match buffer.pop(now) {
                AudioPacket::Data { payload, .. } => assert!(!payload.is_empty()),
                AudioPacket::Fec { samples, .. } | AudioPacket::Missing { samples } => {
                    assert!((1..=MOST_SAMPLES).contains(&samples), "{samples}");
                }
                AudioPacket::Empty => {}
            }
        }
    }
});
