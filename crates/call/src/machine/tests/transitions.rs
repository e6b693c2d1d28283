//! Every input in every state.

use vireo_protocol::{CallErrorCode, EndReason};

use super::*;

/// Where each input leads from each state: the next state's name, or the reason when it is `ended`; `.` means that the state
/// stays as it is.
const TABLE: &str = "
input             idle     offering          calling           ringing           incoming          answering         connecting        connected         reconnecting      ended
place             offering .                 .                 .                 answering         .                 .                 .                 .                 offering
place-elsewhere   offering .                 .                 .                 .                 .                 .                 .                 .                 offering
accept            .        .                 .                 .                 answering         .                 .                 .                 .                 .
decline           .        .                 .                 .                 DeclinedHere      .                 .                 .                 .                 .
end               .        Cancelled         Cancelled         Cancelled         DeclinedHere      HungUp            HungUp            HungUp            ConnectionLost    .
dismiss           .        .                 .                 .                 .                 .                 .                 .                 .                 idle
server-lost       .        ServerUnreachable ServerUnreachable ServerUnreachable ServerUnreachable .                 .                 .                 .                 .
server-back       .        .                 .                 .                 .                 .                 .                 .                 .                 .
description       .        calling           .                 .                 .                 connecting        .                 .                 .                 .
peer-unusable     .        ConnectionFailed  ConnectionFailed  ConnectionFailed  .                 ConnectionFailed  ConnectionFailed  ConnectionLost    ConnectionLost    .
peer-candidate    .        .                 .                 .                 .                 .                 .                 .                 .                 .
peer-connected    .        .                 .                 .                 .                 .                 connected         .                 connected         .
peer-disconnected .        .                 .                 .                 .                 .                 .                 reconnecting      .                 .
peer-failed       .        ConnectionFailed  ConnectionFailed  ConnectionFailed  .                 ConnectionFailed  ConnectionFailed  ConnectionLost    ConnectionLost    .
peer-closed       .        .                 .                 .                 .                 .                 RemoteHungUp      RemoteHungUp      RemoteHungUp      .
peer-bitrate      .        .                 .                 .                 .                 .                 .                 .                 .                 .
offer-same        incoming .                 .                 .                 .                 .                 .                 .                 .                 .
offer-larger      incoming .                 .                 .                 .                 .                 .                 .                 incoming          incoming
offer-smaller     incoming answering         answering         answering         .                 .                 .                 .                 incoming          incoming
offer-elsewhere   incoming .                 .                 .                 .                 .                 .                 .                 .                 incoming
ringing           .        .                 ringing           .                 .                 .                 .                 .                 .                 .
answer            .        .                 connecting        connecting        .                 .                 .                 .                 .                 .
candidate         .        .                 .                 .                 .                 .                 .                 .                 .                 .
media-state       .        .                 .                 .                 .                 .                 .                 .                 .                 .
end:hung-up       .        Declined          Declined          Declined          CallerCancelled   CallerCancelled   RemoteHungUp      RemoteHungUp      RemoteHungUp      .
end:cancelled     .        Declined          Declined          Declined          CallerCancelled   CallerCancelled   RemoteHungUp      RemoteHungUp      RemoteHungUp      .
end:no-answer     .        NoAnswer          NoAnswer          NoAnswer          Missed            Missed            RemoteHungUp      RemoteHungUp      RemoteHungUp      .
end:answered-else .        AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere AnsweredElsewhere .
end:declined-else .        DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere DeclinedElsewhere .
end:failed        .        ConnectionFailed  ConnectionFailed  ConnectionFailed  ConnectionFailed  ConnectionFailed  ConnectionFailed  ConnectionLost    ConnectionLost    .
rejected          .        .                 Declined          Declined          .                 .                 Declined          .                 .                 .
access-denied     .        .                 AccessDenied      AccessDenied      AccessDenied      .                 .                 .                 .                 .
user-offline      .        .                 Offline           Offline           Offline           .                 .                 .                 RemoteGone        .
user-busy         .        .                 Busy              Busy              Busy              .                 .                 .                 .                 .
no-answer         .        .                 NoAnswer          NoAnswer          NoAnswer          .                 .                 .                 .                 .
invalid-sdp       .        .                 Refused           Refused           Refused           .                 .                 .                 .                 .
invalid-call      .        .                 Refused           Refused           Refused           .                 .                 .                 .                 .
invalid-candidate .        .                 .                 .                 .                 .                 .                 .                 .                 .
no-such-call      .        .                 .                 .                 .                 .                 .                 .                 .                 .
rate-limited      .        .                 .                 .                 .                 .                 .                 .                 .                 .
refused           .        .                 Refused           Refused           .                 .                 .                 .                 .                 .
refused:limited   .        .                 Refused           Refused           .                 .                 .                 .                 .                 .
refused:offline   .        .                 Offline           Offline           .                 .                 .                 .                 .                 .
forgotten         .        .                 .                 .                 .                 .                 .                 .                 .                 .
refused:no-call   .        .                 Refused           Refused           CallerCancelled   .                 .                 .                 .                 .
mute              .        .                 .                 .                 .                 .                 .                 .                 .                 .
camera-off        .        .                 .                 .                 .                 .                 .                 .                 .                 .
device-failed     .        .                 .                 .                 .                 .                 .                 .                 .                 .
device-ready      .        .                 .                 .                 .                 .                 .                 .                 .                 .
timeout-early     .        .                 .                 .                 .                 .                 .                 .                 .                 .
";

fn input_named(name: &str) -> Input {
    match name {
        "place" => place(),
        "place-elsewhere" => place_in(OTHER_CHAT),
        "accept" => accept(),
        "decline" => Input::Decline,
        "end" => Input::End,
        "dismiss" => Input::Dismiss,
        "server-lost" => Input::ServerLost,
        "server-back" => Input::ServerBack,
        "description" => described(),
        "peer-unusable" => Input::PeerUnusable { call_id: id(OURS) },
        "peer-candidate" => peer(PeerEvent::LocalCandidate(candidate("ours"))),
        "peer-connected" => peer(PeerEvent::Connected),
        "peer-disconnected" => peer(PeerEvent::Disconnected),
        "peer-failed" => peer(PeerEvent::Failed),
        "peer-closed" => peer(PeerEvent::Closed),
        "peer-bitrate" => peer(PeerEvent::TargetBitrate(1)),
        "offer-same" => offer(OURS),
        "offer-larger" => offer(LARGER),
        "offer-smaller" => offer(SMALLER),
        "offer-elsewhere" => offer_in(SMALLER, OTHER_CHAT),
        "ringing" => ringing(OURS),
        "answer" => answer(OURS),
        "candidate" => remote_candidate(OURS),
        "media-state" => remote_media(OURS, SOUND),
        "end:hung-up" => remote_end(OURS, EndReason::HungUp),
        "end:cancelled" => remote_end(OURS, EndReason::Cancelled),
        "end:no-answer" => remote_end(OURS, EndReason::NoAnswer),
        "end:answered-else" => remote_end(OURS, EndReason::AnsweredElsewhere),
        "end:declined-else" => remote_end(OURS, EndReason::DeclinedElsewhere),
        "end:failed" => remote_end(OURS, EndReason::ConnectionFailed),
        "rejected" => rejected(OURS),
        "access-denied" => error(OURS, CallErrorCode::AccessDenied),
        "user-offline" => error(OURS, CallErrorCode::UserOffline),
        "user-busy" => error(OURS, CallErrorCode::UserBusy),
        "no-answer" => error(OURS, CallErrorCode::NoAnswer),
        "invalid-sdp" => error(OURS, CallErrorCode::InvalidSdp),
        "invalid-call" => error(OURS, CallErrorCode::InvalidCall),
        "invalid-candidate" => error(OURS, CallErrorCode::InvalidCandidate),
        "no-such-call" => error(OURS, CallErrorCode::NoSuchCall),
        "rate-limited" => error(OURS, CallErrorCode::RateLimited),
        "refused" => refused(None),
        "refused:limited" => refused(Some(CallErrorCode::RateLimited)),
        "refused:offline" => refused(Some(CallErrorCode::UserOffline)),
        "refused:no-call" => refused(Some(CallErrorCode::NoSuchCall)),
        "forgotten" => Input::Forgotten { call_id: id(OURS) },
        "mute" => Input::SetMicrophoneMuted(true),
        "camera-off" => Input::SetCameraEnabled(false),
        "device-failed" => Input::DeviceFailed {
            call_id: id(OURS),
            device: crate::NoticeKind::Camera,
            trouble: Some(vireo_media::DeviceTrouble {
                cause: vireo_media::DeviceCause::Taken,
                sentence: "The camera is busy.".to_owned(),
            }),
        },
        "device-ready" => Input::DeviceReady {
            call_id: id(OURS),
            device: crate::NoticeKind::Camera,
        },
        "timeout-early" => Input::Timeout,
        other => panic!("no input is called {other}"),
    }
}

#[test]
fn every_input_in_every_state_leads_where_the_table_says() {
    let mut lines = TABLE.trim().lines();
    let states: Vec<&str> = lines
        .next()
        .expect("a head line")
        .split_whitespace()
        .skip(1)
        .collect();
    assert_eq!(states, STATES);
    let mut wrong = Vec::new();
    for line in lines {
        let mut cells = line.split_whitespace();
        let input = cells.next().expect("an input");
        let cells: Vec<&str> = cells.collect();
        assert_eq!(cells.len(), states.len(), "{input}");
        for (state, expected) in states.iter().zip(cells) {
            let mut line = Line::in_state(state);
            let ended_before = line.reason();
            line.input(input_named(input));
            let stays = line.name() == *state && line.reason() == ended_before;
            let reason = line.reason().map(|reason| format!("{reason:?}"));
            let right = if expected == "." {
                stays
            } else {
                line.name() == expected || reason.as_deref() == Some(expected)
            };
            if !right {
                wrong.push(format!(
                    "{input} in {state}: {} {reason:?}, not {expected}",
                    line.name()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_callee_hears_that_the_caller_has_gone_while_it_connects() {
    for (input, reason) in [
        (
            remote_end(OURS, EndReason::Cancelled),
            EndedReason::CallerCancelled,
        ),
        (
            remote_end(OURS, EndReason::HungUp),
            EndedReason::RemoteHungUp,
        ),
        (
            remote_end(OURS, EndReason::AnsweredElsewhere),
            EndedReason::AnsweredElsewhere,
        ),
        (
            refused(Some(CallErrorCode::NoSuchCall)),
            EndedReason::CallerCancelled,
        ),
        (
            refused(Some(CallErrorCode::InvalidSdp)),
            EndedReason::Refused,
        ),
        (peer(PeerEvent::Closed), EndedReason::RemoteHungUp),
    ] {
        let mut line = Line::callee_connecting();
        line.input(input.clone());
        assert_eq!(line.reason(), Some(reason), "{input:?}");
    }
}

#[test]
fn questions_on_the_state() {
    // can_begin, can_answer, can_lose_to_glare, can_use_devices, can_send, can_take_candidates, can_outlive_server
    let table = [
        ("idle", "y . . . . . y"),
        ("offering", ". . y y . . ."),
        ("calling", ". . y y y y ."),
        ("ringing", ". . y y y y ."),
        ("incoming", ". y . . . y ."),
        ("answering", ". . . y . y y"),
        ("connecting", ". . . y y y y"),
        ("connected", ". . . y y y y"),
        ("reconnecting", ". . . y y y y"),
        ("ended", "y . . . . . y"),
    ];
    for (name, expected) in table {
        let line = Line::in_state(name);
        let state = line.call.state();
        let answers = [
            state.can_begin(),
            state.can_answer(),
            state.can_lose_to_glare(),
            state.can_use_devices(),
            state.can_send(),
            state.can_take_candidates(),
            state.can_outlive_server(),
        ];
        let answers = answers.map(|yes| if yes { "y" } else { "." }).join(" ");
        assert_eq!(answers, expected, "{name}");
    }
}

#[test]
fn the_phases_that_a_user_sees() {
    let phases: Vec<_> = STATES
        .iter()
        .map(|name| {
            Line::in_state(name)
                .call
                .state()
                .phase()
                .map_or("none", crate::Phase::name)
        })
        .collect();
    assert_eq!(
        phases,
        [
            "none",
            "calling",
            "calling",
            "ringing",
            "incoming",
            "connecting",
            "connecting",
            "connected",
            "reconnecting",
            "ended"
        ]
    );
}
