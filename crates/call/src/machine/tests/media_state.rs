//! Mute and camera, devices that fail, and what the other side hears of it.

use vireo_media::{DeviceCause, DeviceTrouble};

use super::*;
use crate::{ConnectionQuality, NoticeKind, machine::CallDetails};

fn told(sentence: &str) -> DeviceTrouble {
    DeviceTrouble {
        cause: DeviceCause::Missing,
        sentence: sentence.to_owned(),
    }
}

fn camera_failed(message: Option<&str>) -> Input {
    Input::DeviceFailed {
        call_id: id(OURS),
        device: NoticeKind::Camera,
        trouble: message.map(told),
    }
}

fn camera_ready() -> Input {
    Input::DeviceReady {
        call_id: id(OURS),
        device: NoticeKind::Camera,
    }
}

#[test]
fn a_switch_is_performed_and_told_wherever_the_other_side_listens() {
    let table = [
        ("offering", true, false),
        ("calling", true, true),
        ("ringing", true, true),
        ("answering", true, false),
        ("connecting", true, true),
        ("connected", true, true),
        ("reconnecting", true, true),
        ("idle", false, false),
        ("ended", false, false),
    ];
    for (name, performed, told) in table {
        let mut line = Line::in_state(name);
        let outputs = line.input(Input::SetMicrophoneMuted(true));
        assert_eq!(
            outputs.contains(&Output::SetMicrophone(false)),
            performed,
            "{name}"
        );
        let muted = MediaState::of(false, true);
        assert_eq!(
            sent(&outputs),
            if told {
                vec![media_message(muted)]
            } else {
                vec![]
            },
            "{name}"
        );
        assert_eq!(
            line.input(Input::SetMicrophoneMuted(true)),
            [],
            "{name}: a second time changes nothing"
        );
        let outputs = line.input(Input::SetCameraEnabled(false));
        assert_eq!(
            outputs.contains(&Output::SetCamera(false)),
            performed,
            "{name}"
        );
        let dark = MediaState::of(false, false);
        assert_eq!(
            sent(&outputs),
            if told {
                vec![media_message(dark)]
            } else {
                vec![]
            },
            "{name}"
        );
        assert_eq!(
            line.input(Input::SetCameraEnabled(false)),
            [],
            "{name}: a second time changes nothing"
        );
    }
}

#[test]
fn what_was_switched_before_the_offer_or_the_answer_is_in_it() {
    let mut line = Line::in_state("offering");
    line.input(Input::SetMicrophoneMuted(true));
    let outputs = line.input(described());
    let muted = MediaState::of(false, true);
    assert!(
        matches!(&sent(&outputs)[..], [ClientMessage::CallInitiate { media_state, .. }] if *media_state == muted)
    );
    let mut line = Line::in_state("answering");
    line.input(Input::SetCameraEnabled(false));
    let outputs = line.input(described());
    assert!(matches!(
        &sent(&outputs)[..],
        [ClientMessage::CallAnswer {
            media_state: SOUND,
            ..
        }]
    ));
}

#[test]
fn the_other_sides_state_is_shown_from_the_first_ring() {
    for name in [
        "incoming",
        "answering",
        "connecting",
        "connected",
        "reconnecting",
    ] {
        let mut line = Line::in_state(name);
        let dark = MediaState::of(false, false);
        assert_eq!(line.input(remote_media(OURS, dark)), [], "{name}");
        assert_eq!(
            line.call.state().details().map(|call| call.remote),
            Some(dark),
            "{name}"
        );
    }
}

#[test]
fn a_camera_that_fails_is_told_to_both_and_the_call_goes_on() {
    let mut line = Line::in_state("connected");
    let outputs = line.input(camera_failed(Some("The camera is busy.")));
    assert_eq!(outputs, [Output::Send(media_message(SOUND))]);
    assert_eq!(
        line.input(camera_failed(Some("The camera has gone."))),
        [],
        "told once"
    );
    let notices = |line: &Line| {
        line.call
            .state()
            .details()
            .map(|call| call.notices.clone())
            .unwrap_or_default()
    };
    assert_eq!(notices(&line).len(), 1, "the newer one replaces the older");
    assert_eq!(notices(&line)[0].message, "The camera has gone.");
    assert_eq!(
        line.input(Input::SetCameraEnabled(true)),
        [Output::SetCamera(true)],
        "another attempt, and nobody knows yet what comes of it"
    );
    assert_eq!(notices(&line).len(), 1);
    assert_eq!(
        line.input(camera_ready()),
        [Output::Send(media_message(BOTH))]
    );
    assert_eq!(notices(&line), []);
    assert_eq!(line.name(), "connected");
}

#[test]
fn a_device_that_there_is_none_of_is_not_on_because_somebody_switches_it_on() {
    let mut line = Line::in_state("connected");
    line.input(camera_failed(None));
    line.input(Input::DeviceFailed {
        call_id: id(OURS),
        device: NoticeKind::Microphone,
        trouble: None,
    });
    assert_eq!(
        line.input(Input::SetCameraEnabled(true)),
        [Output::SetCamera(true)]
    );
    assert_eq!(
        line.input(Input::SetMicrophoneMuted(false)),
        [Output::SetMicrophone(true)]
    );
    let nothing = MediaState::of(false, false);
    assert_eq!(
        line.call.state().details().map(CallDetails::local),
        Some(nothing)
    );
}

#[test]
fn a_camera_that_the_user_does_not_want_needs_no_notice() {
    let mut line = Line::in_state("connected");
    line.input(camera_failed(None));
    let call = line.call.state().details().expect("a call");
    assert_eq!((call.local(), call.notices.len()), (SOUND, 0));
}

#[test]
fn no_speaker_changes_nothing_for_the_other_side() {
    let mut line = Line::in_state("connected");
    let failed = Input::DeviceFailed {
        call_id: id(OURS),
        device: NoticeKind::Speaker,
        trouble: Some(told("There is no speaker.")),
    };
    assert_eq!(line.input(failed), []);
    assert_eq!(
        line.call.state().details().map(|call| call.notices.len()),
        Some(1)
    );
}

#[test]
fn devices_that_are_not_open_cannot_fail() {
    for name in ["incoming", "ended"] {
        let mut line = Line::in_state(name);
        let before = line.call.clone();
        assert_eq!(line.input(camera_failed(Some("late"))), [], "{name}");
        assert_eq!(line.call, before, "{name}");
    }
}

#[test]
fn a_device_that_comes_back_is_used_again_unless_it_was_switched_off_meanwhile() {
    let ready = |device| Input::DeviceReady {
        call_id: id(OURS),
        device,
    };
    let microphone_failed = Input::DeviceFailed {
        call_id: id(OURS),
        device: NoticeKind::Microphone,
        trouble: Some(told("The microphone has gone.")),
    };
    let mut line = Line::in_state("connected");
    line.input(microphone_failed.clone());
    let deaf = MediaState::of(false, true);
    assert_eq!(
        line.call.state().details().map(CallDetails::local),
        Some(deaf)
    );
    let outputs = line.input(ready(NoticeKind::Microphone));
    assert_eq!(outputs, [Output::Send(media_message(BOTH))]);
    assert_eq!(
        line.call.state().details().map(|call| call.notices.len()),
        Some(0)
    );

    line.input(microphone_failed);
    let outputs = line.input(Input::SetMicrophoneMuted(true));
    assert_eq!(
        outputs,
        [Output::SetMicrophone(false)],
        "nothing new for the other side"
    );
    assert_eq!(line.input(ready(NoticeKind::Microphone)), [], "still muted");
    assert_eq!(
        line.call.state().details().map(CallDetails::local),
        Some(deaf)
    );
}

fn quality(connection: ConnectionQuality) -> Input {
    Input::Quality {
        call_id: id(OURS),
        connection,
    }
}

#[test]
fn pictures_that_are_paused_are_said_to_be_none_and_the_camera_stays_as_it_was() {
    let mut line = Line::in_state("connected");
    assert_eq!(line.input(quality(ConnectionQuality::Unstable)), []);
    let paused = MediaState {
        video_paused: true,
        ..SOUND
    };
    assert_eq!(
        line.input(quality(ConnectionQuality::Poor)),
        [Output::Send(media_message(paused))]
    );
    let local = |line: &Line| line.call.state().details().map(CallDetails::local);
    assert_eq!(
        local(&line),
        Some(MediaState {
            video_paused: true,
            ..BOTH
        })
    );
    assert_eq!(line.input(quality(ConnectionQuality::Poor)), []);
    // Somebody who switches the camera off has nothing that could be paused.
    assert_eq!(
        line.input(Input::SetCameraEnabled(false)),
        [Output::SetCamera(false), Output::Send(media_message(SOUND))]
    );
    line.input(Input::SetCameraEnabled(true));
    assert_eq!(
        line.input(Input::SetVideoKept(true)),
        [Output::KeepVideo(true)]
    );
    assert_eq!(
        line.input(quality(ConnectionQuality::Unstable)),
        [Output::Send(media_message(BOTH))]
    );
}

#[test]
fn the_place_of_the_pictures_is_told_whenever_it_changes() {
    let mut line = Line::in_state("connected");
    let size = PictureSize {
        width: 640,
        height: 360,
    };
    let shown = || Input::PicturesShown {
        call_id: id(OURS),
        size,
    };
    let told = MediaState {
        shown: Some(size),
        ..BOTH
    };
    assert_eq!(line.input(shown()), [Output::Send(media_message(told))]);
    assert_eq!(line.input(shown()), [], "told once");
    for name in ["idle", "incoming", "ended"] {
        assert_eq!(Line::in_state(name).input(shown()), [], "{name}");
        assert_eq!(
            Line::in_state(name).input(Input::SetVideoKept(true)),
            [],
            "{name}"
        );
    }
}
