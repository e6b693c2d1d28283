//! Sound and pictures across, also where packets get lost.

use std::time::Duration;

use bytes::Bytes;
use vireo_media::VideoCodec::{self, H264, Vp8};

use super::support::{Loss, Side, config, connect, frame, sound};
use crate::peer::{PeerConfig, PeerEvent};

fn with(codec: VideoCodec) -> PeerConfig {
    PeerConfig {
        video_codecs: vec![codec],
        ..config()
    }
}

/// Sends pictures and sound for a while, as encoders would, from a thread of its own; gives what was sent.
async fn send(side: &Side, codec: VideoCodec, frames: u32, bytes: usize) -> Vec<Bytes> {
    let media = side.peer.media();
    let sending = tokio::task::spawn_blocking(move || {
        let mut sent = Vec::new();
        for number in 0..frames {
            let frame = frame(codec, number, number == 0, bytes);
            sent.push(frame.data.clone());
            media.send_video(frame);
            for half in 0..2u32 {
                media.send_audio(sound(number * 2 + half), 0);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        sent
    });
    sending.await.expect("no panic")
}

/// Whether a picture has come as it was sent, or with nothing behind it but what a path is probed with: zeros, or filler data.
pub(super) fn is(received: &Bytes, sent: &Bytes) -> bool {
    let stuffing = |rest: &[u8]| match rest {
        [0, 0, 0, 1, 12, filler @ .., 0x80] => filler.iter().all(|byte| *byte == 0xff),
        zeros => zeros.iter().all(|byte| *byte == 0),
    };
    received.strip_prefix(&sent[..]).is_some_and(stuffing)
}

/// Whether these pictures have come, all of them and no others.
fn have_come(received: &[Bytes], sent: &[Bytes]) -> bool {
    let mut pairs = received.iter().zip(sent);
    received.len() == sent.len() && pairs.all(|(received, sent)| is(received, sent))
}

fn data(side: &Side) -> Vec<Bytes> {
    let frames = side.received.video.lock().expect("no panic");
    frames.iter().map(|(_, frame)| frame.data.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_sound_arrive_whole_and_in_order_both_ways() {
    for codec in [H264, Vp8] {
        let mut caller = Side::new(with(codec)).await;
        let mut callee = Side::new(with(codec)).await;
        connect(&mut caller, &mut callee).await;
        let (one, other) = tokio::join!(
            send(&caller, codec, 60, 5_000),
            send(&callee, codec, 60, 5_000)
        );
        for (sent, receiver) in [(one, &callee), (other, &caller)] {
            receiver
                .received
                .until("all pictures", |received| received.frames() == 60)
                .await;
            assert!(have_come(&data(receiver), &sent), "{codec:?}");
            receiver
                .received
                .until("all sound", |received| received.packets() == 120)
                .await;
            let audio = receiver.received.audio.lock().expect("no panic");
            for (number, pair) in audio.windows(2).enumerate() {
                let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
                assert_eq!(step, 960, "packet {number}");
                assert_eq!(
                    pair[1].sequence_number,
                    pair[0].sequence_number.wrapping_add(1)
                );
            }
        }
        let stats = caller.peer.stats();
        assert_eq!(stats.audio_out.packets_sent, 120);
        assert_eq!(stats.audio_in.packets_received, 120);
        assert_eq!(stats.video_in.packets_lost, 0);
        assert!(stats.video_in.bytes_received > 290_000);
        assert!(stats.rtt_ms.is_some_and(|rtt| rtt < 200.0), "{stats:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timestamps_follow_the_camera() {
    let mut caller = Side::new(with(Vp8)).await;
    let mut callee = Side::new(with(Vp8)).await;
    connect(&mut caller, &mut callee).await;
    let first = frame(Vp8, 0, true, 100);
    let mut second = frame(Vp8, 1, false, 100);
    second.captured_at = first.captured_at + Duration::from_millis(40);
    caller.peer.media().send_video(first);
    caller.peer.media().send_video(second);
    callee
        .received
        .until("both pictures", |received| received.frames() == 2)
        .await;
    let frames = callee.received.video.lock().expect("no panic");
    let step = frames[1]
        .1
        .rtp_timestamp
        .wrapping_sub(frames[0].1.rtp_timestamp);
    assert!((3_599..=3_601).contains(&step), "{step}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_packets_are_sent_again() {
    for codec in [H264, Vp8] {
        let mut caller = Side::lossy(with(codec), Loss::new(10)).await;
        let mut callee = Side::new(with(codec)).await;
        connect(&mut caller, &mut callee).await;
        let mut sent = Vec::new();
        let mut key_frame = true;
        let sending = async {
            while callee.received.frames() < 100 {
                let frame = frame(codec, sent.len() as u32, key_frame, 5_000);
                sent.push(frame.data.clone());
                caller.peer.media().send_video(frame);
                tokio::time::sleep(Duration::from_millis(15)).await;
                key_frame = false;
                while let Ok(event) = caller.events.try_recv() {
                    key_frame |= event == PeerEvent::KeyFrameRequested;
                }
            }
        };
        tokio::time::timeout(super::support::PATIENCE, sending)
            .await
            .expect("the pictures arrive");
        let received = data(&callee);
        // Some may have been stuffed to probe the path.
        let was_sent = |data: &Bytes| sent.iter().any(|sent| is(data, sent));
        assert!(received.iter().all(was_sent));
        assert!(sent.len() < 200, "{} sent for 100 at 10 % loss", sent.len());
        let stats = (caller.peer.stats(), callee.peer.stats());
        assert!(stats.0.video_out.retransmitted_packets > 20, "{stats:?}");
        assert!(
            stats.0.video_out.retransmitted_packets < 200,
            "no more than what was lost, about: {stats:?}"
        );
        assert!(stats.1.video_in.nacks > 0, "{stats:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_frame_can_be_asked_for() {
    let mut caller = Side::new(with(H264)).await;
    let mut callee = Side::new(with(H264)).await;
    connect(&mut caller, &mut callee).await;
    caller.peer.media().send_video(frame(H264, 0, true, 500));
    callee
        .received
        .until("a picture", |received| received.frames() == 1)
        .await;
    for _ in 0..50 {
        callee.peer.request_key_frame();
    }
    caller
        .wait(|event| *event == PeerEvent::KeyFrameRequested)
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let requests = caller.peer.stats().video_out.key_frame_requests;
    assert!((1..=6).contains(&requests), "{requests} for 50 wishes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_encoder_is_told_what_to_aim_at() {
    let config = || PeerConfig {
        start_bitrate: 1_000_000,
        max_bitrate: 2_000_000,
        ..with(Vp8)
    };
    let mut caller = Side::new(config()).await;
    let mut callee = Side::new(config()).await;
    connect(&mut caller, &mut callee).await;
    let media = caller.peer.media();
    let target = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(1_000_000));
    let (aim, stop) = (
        target.clone(),
        std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)),
    );
    let stopped = stop.clone();
    let encoder = std::thread::spawn(move || {
        let mut number = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let bytes = aim.load(std::sync::atomic::Ordering::Relaxed) as usize / 8 / 30;
            // The first picture is larger, as they are.
            let bytes = if number == 0 { bytes * 4 } else { bytes };
            media.send_video(frame(Vp8, number, number == 0, bytes));
            number += 1;
            std::thread::sleep(Duration::from_millis(33));
        }
    });
    let reached = caller
        .wait(|event| {
            if let PeerEvent::TargetBitrate(bits) = event {
                target.store(*bits, std::sync::atomic::Ordering::Relaxed);
            }
            *event == PeerEvent::TargetBitrate(2_000_000)
        })
        .await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    encoder.join().expect("no panic");
    assert_eq!(reached, PeerEvent::TargetBitrate(2_000_000));
    let stats = caller.peer.stats();
    assert_eq!(stats.target_bitrate, 2_000_000);
    assert!(stats.available_outgoing_bitrate >= 2_000_000, "{stats:?}");
}

/// Numbers 400 sounds with two copies each, over a link that loses one packet in five; gives how many different ones arrive.
async fn sounds_that_arrive(callee: PeerConfig) -> usize {
    let mut caller = Side::lossy(with(Vp8), Loss::new(20)).await;
    let mut callee = Side::new(callee).await;
    connect(&mut caller, &mut callee).await;
    let media = caller.peer.media();
    for number in 0..400_u32 {
        media.send_audio(sound(number), 2);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let audio = callee.received.audio.lock().expect("no panic");
    let first = audio.first().expect("some arrive");
    let mut numbers: Vec<u32> = audio
        .iter()
        .map(|packet| {
            let number: [u8; 4] = packet.payload[..].try_into().expect("four bytes");
            let number = u32::from_be_bytes(number);
            // Below zero for a copy of what was lost before the first packet that arrived.
            let place = packet.sequence_number.wrapping_sub(first.sequence_number) as i16;
            let time = packet.timestamp.wrapping_sub(first.timestamp) as i32;
            assert_eq!(
                i32::from(place) * 960,
                time,
                "a copy has its own number and time"
            );
            number
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_sound_comes_as_a_copy_where_both_sides_take_copies() {
    assert!(sounds_that_arrive(with(Vp8)).await >= 390);
    let without = PeerConfig {
        redundant_sound: false,
        ..with(Vp8)
    };
    assert!(sounds_that_arrive(without).await < 390);
}
