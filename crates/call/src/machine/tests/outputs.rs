//! What is done on the way.

use super::*;

#[test]
fn placing_opens_devices_and_makes_an_offer_before_anyone_is_told() {
    let mut line = Line::new();
    let outputs = line.input(place());
    assert_eq!(
        outputs,
        [
            Output::StartMedia(BOTH),
            Output::CreateOffer { call_id: id(OURS) }
        ]
    );
    let early = line.input(peer(PeerEvent::LocalCandidate(candidate("early"))));
    assert_eq!(early, [], "a candidate waits for its offer");
    let messages = sent(&line.input(described()));
    assert!(
        matches!(
            &messages[..],
            [
                ClientMessage::CallInitiate { media_state: BOTH, offer, .. },
                ClientMessage::CallIceCandidate { .. }
            ] if offer.sdp == "made here"
        ),
        "{messages:?}"
    );
}

#[test]
fn an_incoming_call_opens_nothing_and_gives_no_address_away() {
    let mut line = Line::new();
    let outputs = line.input(offer(OURS));
    let ringing = ClientMessage::CallRinging {
        call_id: id(OURS),
        chat_id: chat(),
    };
    assert_eq!(
        outputs,
        [Output::Prepare { call_id: id(OURS) }, Output::Send(ringing)]
    );
    assert_eq!(
        line.input(peer(PeerEvent::LocalCandidate(candidate("ours")))),
        []
    );
    assert_eq!(line.input(Input::SetCameraEnabled(true)), []);
    assert_eq!(line.input(Input::SetMicrophoneMuted(true)), []);
    assert_eq!(
        line.input(remote_candidate(OURS)),
        [Output::AddCandidate(candidate("theirs"))]
    );
    assert_eq!(
        line.input(Input::Decline),
        [
            Output::Send(reject_message(OURS, CHAT, false)),
            Output::ClosePeer
        ]
    );
}

#[test]
fn accepting_starts_everything_and_the_answer_goes_before_candidates() {
    let mut line = Line::in_state("incoming");
    line.input(Input::SetMicrophoneMuted(true));
    let outputs = line.input(accept());
    let local = MediaState::of(false, true);
    let offer = SessionDescription::offer("theirs");
    assert_eq!(
        outputs,
        [
            Output::StartMedia(local),
            Output::CreateAnswer {
                call_id: id(OURS),
                offer
            }
        ]
    );
    assert_eq!(
        line.input(peer(PeerEvent::LocalCandidate(candidate("early")))),
        []
    );
    let messages = sent(&line.input(described()));
    assert!(
        matches!(
            &messages[..],
            [ClientMessage::CallAnswer { media_state, .. }, ClientMessage::CallIceCandidate { .. }] if *media_state == local
        ),
        "{messages:?}"
    );
}

#[test]
fn the_answer_and_candidates_reach_the_peer_connection() {
    let mut line = Line::in_state("ringing");
    assert_eq!(
        line.input(remote_candidate(OURS)),
        [Output::AddCandidate(candidate("theirs"))]
    );
    assert_eq!(
        line.input(answer(OURS)),
        [Output::SetAnswer(SessionDescription::answer("theirs"))]
    );
    let view = line
        .call
        .view(&crate::machine::Calendar::new(line.now, 0))
        .expect("a call");
    assert_eq!(view.remote, SOUND);
    assert_eq!(
        line.input(answer(OURS)),
        [],
        "a second answer changes nothing"
    );
}

#[test]
fn every_end_closes_what_is_open_and_tells_whom_it_concerns() {
    let hung_up = |call| vec![end_message(call, EndReason::HungUp)];
    let reject = vec![reject_message(OURS, CHAT, false)];
    let table: [(&str, Vec<ClientMessage>, bool, bool); 10] = [
        ("idle", vec![], false, false),
        ("offering", vec![], true, true),
        ("calling", hung_up(OURS), true, true),
        ("ringing", hung_up(OURS), true, true),
        ("incoming", reject.clone(), true, false),
        ("answering", reject, true, true),
        ("connecting", hung_up(OURS), true, true),
        ("connected", hung_up(OURS), true, true),
        ("reconnecting", hung_up(OURS), true, true),
        ("ended", vec![], false, false),
    ];
    for (name, messages, closes_peer, stops_media) in table {
        let outputs = Line::in_state(name).input(Input::End);
        assert_eq!(sent(&outputs), messages, "{name}");
        assert_eq!(outputs.contains(&Output::ClosePeer), closes_peer, "{name}");
        assert_eq!(outputs.contains(&Output::StopMedia), stops_media, "{name}");
    }
}

#[test]
fn an_end_by_the_server_is_not_sent_back() {
    for name in STATES {
        let outputs = Line::in_state(name).input(remote_end(OURS, EndReason::HungUp));
        assert_eq!(sent(&outputs), [], "{name}");
    }
}

#[test]
fn a_failed_connection_is_told_to_the_other_side() {
    for name in [
        "calling",
        "ringing",
        "answering",
        "connecting",
        "connected",
        "reconnecting",
    ] {
        for input in [
            peer(PeerEvent::Failed),
            Input::PeerUnusable { call_id: id(OURS) },
        ] {
            let outputs = Line::in_state(name).input(input);
            assert_eq!(
                sent(&outputs),
                [end_message(OURS, EndReason::ConnectionFailed)],
                "{name}"
            );
        }
    }
}

#[test]
fn an_answer_that_is_refused_is_given_up_so_that_nobody_rings_on() {
    for code in [
        None,
        Some(CallErrorCode::InvalidSdp),
        Some(CallErrorCode::AccessDenied),
    ] {
        let outputs = Line::callee_connecting().input(refused(code));
        let told = [end_message(OURS, EndReason::ConnectionFailed)];
        assert_eq!(sent(&outputs), told, "{code:?}");
    }
    // The server knows better.
    let outputs = Line::callee_connecting().input(refused(Some(CallErrorCode::NoSuchCall)));
    assert_eq!(sent(&outputs), []);
}

#[test]
fn the_close_of_the_peer_frees_the_line_at_the_server_too() {
    let mut line = Line::in_state("connected");
    line.input(Input::ServerLost);
    assert_eq!(
        line.input(peer(PeerEvent::Closed)),
        [Output::ClosePeer, Output::StopMedia]
    );
    assert_eq!(line.reason(), Some(EndedReason::RemoteHungUp));
    assert_eq!(
        line.input(Input::ServerBack),
        [Output::Send(end_message(OURS, EndReason::HungUp))]
    );
}

#[test]
fn another_caller_hears_busy_and_the_call_does_not_notice() {
    for name in [
        "offering",
        "calling",
        "ringing",
        "incoming",
        "answering",
        "connecting",
        "connected",
        "reconnecting",
    ] {
        let mut line = Line::in_state(name);
        let before = line.call.state().clone();
        let outputs = line.input(offer_in(SMALLER, OTHER_CHAT));
        assert_eq!(
            outputs,
            [Output::Send(reject_message(SMALLER, OTHER_CHAT, true))],
            "{name}"
        );
        assert_eq!(*line.call.state(), before, "{name}");
    }
}

#[test]
fn calling_somebody_who_calls_is_answering() {
    let mut line = Line::in_state("incoming");
    let outputs = line.input(Input::Place {
        call_id: id(LARGER),
        chat_id: chat(),
        peer: person(),
        camera: false,
    });
    assert_eq!(line.name(), "answering");
    assert!(outputs.contains(&Output::StartMedia(SOUND)), "{outputs:?}");
}

#[test]
fn the_view_knows_when_it_connected_and_ended() {
    let mut line = Line::in_state("connecting");
    let calendar = crate::machine::Calendar::new(line.now, 1_000_000);
    line.now += Duration::from_millis(250);
    line.input(peer(PeerEvent::Connected));
    let view = line.call.view(&calendar).expect("a call");
    assert_eq!(
        (view.connected_at_ms, view.ended_at_ms),
        (Some(1_000_250), None)
    );
    line.now += Duration::from_secs(60);
    line.input(peer(PeerEvent::Disconnected));
    line.input(peer(PeerEvent::Connected));
    line.input(Input::End);
    let view = line.call.view(&calendar).expect("the call that ended");
    assert_eq!(
        (view.connected_at_ms, view.ended_at_ms),
        (Some(1_000_250), Some(1_060_250))
    );
    assert_eq!(
        calendar.unix_ms(line.now - Duration::from_secs(10_000)),
        0,
        "times before 1970 are cut off"
    );
    line.input(Input::Dismiss);
    assert_eq!(line.call.view(&calendar), None);
}

#[test]
fn whoever_calls_anew_while_media_is_lost_has_left_the_old_call() {
    let mut line = Line::in_state("reconnecting");
    let outputs = line.input(offer(LARGER));
    let call_id = id(LARGER);
    assert_eq!(
        outputs,
        [
            Output::ClosePeer,
            Output::StopMedia,
            Output::Prepare {
                call_id: call_id.clone()
            },
            Output::Send(ClientMessage::CallRinging {
                call_id,
                chat_id: chat()
            }),
        ]
    );
    let mut line = Line::in_state("reconnecting");
    line.input(offer_in(LARGER, OTHER_CHAT));
    assert_eq!(line.name(), "reconnecting", "somebody else has not");
}

#[test]
fn the_server_says_that_the_other_side_is_gone() {
    let mut line = Line::in_state("reconnecting");
    let outputs = line.input(error(OURS, CallErrorCode::UserOffline));
    assert_eq!(line.reason(), Some(EndedReason::RemoteGone));
    // So that it is not told of a call that is over when it is back.
    assert_eq!(sent(&outputs), [end_message(OURS, EndReason::HungUp)]);
}
