//! A late message of an old call never touches the new one.

use super::*;

/// Everything that can still come of a call that is over.
fn echoes_of(call: &str) -> Vec<Input> {
    let call_id = || id(call);
    let event = |event| Input::Peer {
        call_id: id(call),
        event,
    };
    let mut inputs = vec![
        ringing(call),
        answer(call),
        remote_candidate(call),
        remote_media(call, SOUND),
        rejected(call),
        Input::Refused {
            call_id: call_id(),
            code: None,
        },
        Input::Forgotten { call_id: call_id() },
        Input::Description {
            call_id: call_id(),
            description: SessionDescription::offer("late"),
        },
        Input::PeerUnusable { call_id: call_id() },
        Input::DeviceFailed {
            call_id: call_id(),
            device: crate::NoticeKind::Camera,
            trouble: Some(vireo_media::DeviceTrouble {
                cause: vireo_media::DeviceCause::Taken,
                sentence: "The camera is busy.".to_owned(),
            }),
        },
        Input::DeviceReady {
            call_id: call_id(),
            device: crate::NoticeKind::Camera,
        },
        event(PeerEvent::LocalCandidate(candidate("late"))),
        event(PeerEvent::Connected),
        event(PeerEvent::Disconnected),
        event(PeerEvent::Failed),
        event(PeerEvent::Closed),
    ];
    for reason in [
        EndReason::HungUp,
        EndReason::Cancelled,
        EndReason::NoAnswer,
        EndReason::AnsweredElsewhere,
        EndReason::DeclinedElsewhere,
        EndReason::ConnectionFailed,
    ] {
        inputs.push(remote_end(call, reason));
    }
    for code in [
        CallErrorCode::AccessDenied,
        CallErrorCode::UserOffline,
        CallErrorCode::UserBusy,
        CallErrorCode::NoAnswer,
        CallErrorCode::InvalidSdp,
        CallErrorCode::InvalidCandidate,
        CallErrorCode::InvalidCall,
        CallErrorCode::NoSuchCall,
        CallErrorCode::RateLimited,
    ] {
        inputs.push(error(call, code));
    }
    inputs
}

#[test]
fn what_comes_of_another_call_changes_nothing_in_any_state() {
    for name in STATES {
        for call in [SMALLER, LARGER] {
            for input in echoes_of(call) {
                let mut line = Line::in_state(name);
                let before = line.call.clone();
                assert_eq!(line.input(input.clone()), [], "{input:?} in {name}");
                assert_eq!(line.call, before, "{input:?} in {name}");
            }
        }
    }
}

#[test]
fn what_comes_of_an_ended_call_does_not_bring_it_back() {
    for input in echoes_of(OURS) {
        let mut line = Line::in_state("ended");
        assert_eq!(line.input(input.clone()), [], "{input:?}");
        assert_eq!(line.reason(), Some(EndedReason::Cancelled), "{input:?}");
    }
    let mut line = Line::in_state("ended");
    assert_eq!(line.input(offer(OURS)), [], "its own offer, come back late");
    assert_eq!(line.name(), "ended");
}
