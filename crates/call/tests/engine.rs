//! The engine with real peer connections over loopback and real codecs; only devices and server are made up.

mod support;

use std::sync::{atomic::Ordering::SeqCst, mpsc};

use support::{Pair, Setting};
use vireo_call::{ConnectionQuality, EndedReason, NoticeKind, Phase, machine::Input};
use vireo_protocol::{MediaState, PictureSize};

const fn ended(reason: EndedReason) -> Phase {
    Phase::Ended { reason }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_carries_sound_and_pictures_both_ways_until_one_hangs_up() {
    let mut pair = Pair::new();
    pair.connect(true).await;
    for side in [&mut pair.alice, &mut pair.bob] {
        let first = side.frame().await;
        assert!(first.key_frame, "a decoder can start at the first picture");
        assert_eq!((first.width, first.height), (640, 360));
        for _ in 0..30 {
            side.frame().await;
        }
    }
    for side in [&pair.alice, &pair.bob] {
        let stats = side.stats().await.expect("a call");
        assert_eq!(stats.state, "connected");
        assert!(stats.audio.inbound.packets_received > 20, "{stats:?}");
        assert!(stats.audio.outbound.packets_sent > 20, "{stats:?}");
        assert!(stats.video.outbound.frames_encoded >= 30, "{stats:?}");
        assert!(stats.video.outbound.bytes_sent > 1_000, "{stats:?}");
        assert!(stats.video.inbound.bytes_received > 1_000, "{stats:?}");
        assert_eq!(stats.video.outbound.codec, "h264");
        let setup = stats.setup;
        assert!(
            setup.ring_ms.is_some() && setup.ice_ms.is_some() && setup.dtls_ms.is_some(),
            "{setup:?}"
        );
        assert!(
            setup.accept_to_first_frame_ms.is_some_and(|ms| ms > 0.0),
            "{setup:?}"
        );
    }
    pair.alice.engine.input(Input::End);
    pair.alice.until_phase(ended(EndedReason::HungUp)).await;
    pair.bob.until_phase(ended(EndedReason::RemoteHungUp)).await;
    let stats = pair.bob.stats().await.expect("those of the ended call");
    assert_eq!(stats.state, "ended");
    assert!(stats.audio.inbound.packets_received > 20, "{stats:?}");
    // A call that does not even begin has none, and not those of the call before.
    pair.bob.engine.input(Input::ServerLost);
    pair.bob.place("another", true);
    pair.bob
        .until_phase(ended(EndedReason::ServerUnreachable))
        .await;
    assert_eq!(pair.bob.stats().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_rings_nothing_is_open_and_after_declining_nothing_ever_was() {
    let mut pair = Pair::new();
    pair.alice.place("call", true);
    pair.bob.until_phase(Phase::Incoming).await;
    pair.alice.until_phase(Phase::Ringing).await;
    assert_eq!(pair.bob.stats().await, None);
    pair.bob.engine.input(Input::Decline);
    pair.bob.until_phase(ended(EndedReason::DeclinedHere)).await;
    pair.alice.until_phase(ended(EndedReason::Declined)).await;
    pair.bob.engine.close().await;
    assert_eq!(pair.bob.media.opened.load(SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_frees_the_line_for_another_call() {
    let mut pair = Pair::new();
    pair.alice.place("first", true);
    pair.bob.until_phase(Phase::Incoming).await;
    pair.alice.engine.input(Input::End);
    pair.alice.until_phase(ended(EndedReason::Cancelled)).await;
    pair.bob
        .until_phase(ended(EndedReason::CallerCancelled))
        .await;
    pair.connect(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_hanging_up_reaches_the_other_side_all_the_same() {
    let mut pair = Pair::new();
    pair.connect(true).await;
    pair.server_is_there.store(false, SeqCst);
    for side in [&mut pair.alice, &mut pair.bob] {
        side.engine.input(Input::ServerLost);
        side.until("the server's absence", |view| !view.server_reachable)
            .await;
    }
    while pair.bob.frames.try_recv().is_ok() {}
    pair.bob.frame().await;
    pair.alice.engine.input(Input::End);
    pair.bob.until_phase(ended(EndedReason::RemoteHungUp)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_call_each_other_at_once_get_one_call() {
    let mut pair = Pair::new();
    pair.alice.place("a", true);
    pair.bob.place("b", true);
    for side in [&mut pair.alice, &mut pair.bob] {
        let view = side.until_phase(Phase::Connected).await;
        assert_eq!(view.call_id.0, "a");
        assert!(side.frame().await.key_frame);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_camera_becomes_a_notice_and_the_call_goes_on() {
    let mut pair = Pair::with(Setting {
        bobs_camera_is_broken: true,
        ..Setting::default()
    });
    pair.connect(true).await;
    let view = pair
        .bob
        .until("a notice", |view| !view.notices.is_empty())
        .await;
    assert_eq!(view.notices[0].kind, NoticeKind::Camera);
    assert!(!view.local.camera && view.local.microphone);
    pair.alice
        .until("no camera there", |view| !view.remote.camera)
        .await;
    pair.bob.frame().await;
    // Asking for it again does not make it work, and nobody is told that it does.
    let tried = pair.bob.media.opened.load(SeqCst);
    pair.bob.engine.input(Input::SetCameraEnabled(true));
    pair.bob.opens_more_than(tried).await;
    let view = pair.bob.view().expect("a call");
    assert!(!view.local.camera && view.notices.len() == 1, "{view:?}");
    assert!(!pair.alice.view().expect("a call").remote.camera);
    // It is mended, and taken into use by itself.
    pair.bob.media.camera_is_broken.store(false, SeqCst);
    pair.bob
        .until("the camera", |view| {
            view.local.camera && view.notices.is_empty()
        })
        .await;
    pair.alice
        .until("the camera there", |view| view.remote.camera)
        .await;
    pair.alice.frame().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_devices_do_not_hold_the_call_up() {
    let (hold, held) = mpsc::channel();
    let mut pair = Pair::with(Setting {
        bobs_devices_wait_for: Some(held),
        ..Setting::default()
    });
    pair.alice.place("call", true);
    pair.bob.until_phase(Phase::Incoming).await;
    pair.bob.engine.input(Input::Accept { camera: true });
    pair.bob.until_phase(Phase::Connected).await;
    pair.bob.frame().await;
    drop(hold);
    pair.alice.frame().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_pictures_gets_them_when_a_camera_goes_on() {
    let mut pair = Pair::new();
    pair.connect(false).await;
    let sound_only = MediaState::of(true, false);
    let view = pair.bob.view().expect("a call");
    assert_eq!((view.local, view.remote), (sound_only, sound_only));
    pair.alice.engine.input(Input::SetCameraEnabled(true));
    pair.bob
        .until("a camera there", |view| view.remote.camera)
        .await;
    assert!(pair.bob.frame().await.key_frame);
    pair.alice.engine.input(Input::SetMicrophoneMuted(true));
    pair.bob
        .until("silence there", |view| !view.remote.microphone)
        .await;
    pair.alice.engine.input(Input::SetCameraEnabled(false));
    pair.bob
        .until("no camera there", |view| !view.remote.camera)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_no_larger_than_they_are_shown() {
    let mut pair = Pair::new();
    pair.connect(true).await;
    let mut height = pair.bob.frame().await.height;
    assert_eq!(height, 360);
    for (width, rows) in [(400, 270), (2_000, 360)] {
        *pair.bob.media.window.lock().expect("nobody panics with it") = Some(PictureSize {
            width,
            height: width * 9 / 16,
        });
        while height != rows {
            let frame = pair.bob.frame().await;
            assert!(frame.key_frame || frame.height == height);
            height = frame.height;
        }
    }
    let stats = pair.alice.stats().await.expect("a call");
    assert_eq!(stats.video.outbound.quality_limitation_reason, "none");
    let view = pair.alice.view().expect("a call");
    assert_eq!(view.connection, ConnectionQuality::Good);
    assert!(view.remote.shown.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reflecting_engine_answers_and_sends_back_what_it_gets() {
    let mut pair = Pair::with(Setting {
        bob_reflects: true,
        ..Setting::default()
    });
    pair.alice.place("call", true);
    pair.alice.until_phase(Phase::Connected).await;
    assert!(pair.alice.frame().await.key_frame);
    for _ in 0..30 {
        pair.alice.frame().await;
    }
    pair.alice.engine.input(Input::SetCameraEnabled(false));
    pair.alice
        .until("no picture back", |view| !view.remote.camera)
        .await;
    assert_eq!(pair.bob.media.opened.load(SeqCst), 0);
    let stats = pair.alice.stats().await.expect("a call");
    assert!(stats.audio.inbound.packets_received > 20, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_an_engine_ends_its_call_for_the_other_side() {
    let mut pair = Pair::new();
    pair.connect(true).await;
    pair.server_is_there.store(false, SeqCst);
    pair.alice.engine.close().await;
    pair.bob.until_phase(ended(EndedReason::RemoteHungUp)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_makes_no_sense_fails_that_call_alone() {
    use vireo_protocol::{CallId, ChatId, ServerMessage, SessionDescription, UserId};
    let mut pair = Pair::new();
    pair.bob
        .engine
        .input(Input::Receive(ServerMessage::CallOffer {
            call_id: CallId("nonsense".to_owned()),
            chat_id: ChatId("chat".to_owned()),
            offer: SessionDescription::offer("v=0\r\nnonsense"),
            caller_id: UserId("alice".to_owned()),
            caller_name: "Alice".to_owned(),
            media_state: MediaState::of(true, true),
        }));
    pair.bob.until_phase(Phase::Incoming).await;
    pair.bob.engine.input(Input::Accept { camera: true });
    pair.bob
        .until_phase(ended(EndedReason::ConnectionFailed))
        .await;
    pair.connect(true).await;
}
