//! The Echo test's way: what comes in goes out again.

use vireo_media::VideoCodec::{H264, Vp8};

use super::media;
use super::support::{Side, config, connect, frame, sound};
use crate::peer::{PeerConfig, PeerEvent};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_sound_come_back() {
    for codec in [H264, Vp8] {
        let mut person = Side::new(PeerConfig {
            video_codecs: vec![codec],
            ..config()
        })
        .await;
        let mut echo = Side::reflecting(config()).await;
        connect(&mut person, &mut echo).await;
        let mut sent = Vec::new();
        for number in 0..30u32 {
            let frame = frame(codec, number, number == 0, 4_000);
            sent.push(frame.data.clone());
            person.peer.media().send_video(frame);
            person.peer.media().send_audio(sound(number), 0);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        person
            .received
            .until("everything to come back", |received| {
                received.frames() == 30 && received.packets() == 30
            })
            .await;
        let frames = person.received.video.lock().expect("no panic");
        for (number, (_, frame)) in frames.iter().enumerate() {
            // It may have been stuffed to probe the path.
            assert!(media::is(&frame.data, &sent[number]), "{codec:?} {number}");
        }
        let audio = person.received.audio.lock().expect("no panic");
        assert_eq!(audio[29].payload[..], 29u32.to_be_bytes());
        let stats = echo.peer.stats();
        assert_eq!(
            stats.video_in.packets_received,
            stats.video_out.packets_sent
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_for_a_key_frame_comes_back_too() {
    let mut person = Side::new(config()).await;
    let mut echo = Side::reflecting(config()).await;
    connect(&mut person, &mut echo).await;
    person.peer.media().send_video(frame(H264, 0, true, 500));
    person
        .received
        .until("the picture to come back", |received| {
            received.frames() == 1
        })
        .await;
    person.peer.request_key_frame();
    person
        .wait(|event| *event == PeerEvent::KeyFrameRequested)
        .await;
}
