//! The server goes and comes back.

use super::*;

#[test]
fn a_call_in_progress_goes_on_and_what_it_had_to_say_is_said_later() {
    for name in ["connecting", "connected", "reconnecting"] {
        let mut line = Line::in_state(name);
        assert_eq!(line.input(Input::ServerLost), [], "{name}");
        assert_eq!(line.name(), name);
        assert!(
            !line
                .call
                .view(&crate::machine::Calendar::new(line.now, 0))
                .expect("a call")
                .server_reachable
        );
        assert_eq!(
            line.input(peer(PeerEvent::LocalCandidate(candidate("ours")))),
            [],
            "{name}"
        );
        assert_eq!(
            line.input(Input::SetMicrophoneMuted(true)),
            [Output::SetMicrophone(false)],
            "{name}"
        );
        assert_eq!(
            line.input(Input::SetMicrophoneMuted(false)),
            [Output::SetMicrophone(true)],
            "{name}"
        );
        let messages = sent(&line.input(Input::ServerBack));
        assert!(
            matches!(messages[0], ClientMessage::CallIceCandidate { .. }),
            "{name}: {messages:?}"
        );
        assert_eq!(
            messages[1..],
            [media_message(BOTH)],
            "{name}: of two media states the newest"
        );
        assert_eq!(line.input(Input::ServerBack), [], "{name}: said once");
        assert!(
            line.call
                .view(&crate::machine::Calendar::new(line.now, 0))
                .expect("a call")
                .server_reachable
        );
    }
}

#[test]
fn a_call_that_rang_when_the_server_was_lost_can_ring_again() {
    let mut line = Line::in_state("incoming");
    line.input(Input::ServerLost);
    assert_eq!(line.reason(), Some(EndedReason::ServerUnreachable));
    line.input(Input::ServerBack);
    line.input(offer(OURS));
    assert_eq!(line.name(), "incoming");
    // One's own does not, nor one that has been declined.
    let mut line = Line::in_state("ringing");
    line.input(Input::ServerLost);
    line.input(Input::ServerBack);
    assert_eq!(line.input(offer(OURS)), []);
    let mut line = Line::in_state("incoming");
    line.input(Input::Decline);
    assert_eq!(line.input(offer(OURS)), []);
}

#[test]
fn a_call_in_progress_claims_the_new_connection() {
    for name in ["connecting", "connected", "reconnecting"] {
        let mut line = Line::in_state(name);
        line.input(Input::ServerLost);
        let messages = sent(&line.input(Input::ServerBack));
        assert_eq!(messages, [media_message(BOTH)], "{name}");
        assert_eq!(line.input(Input::ServerBack), [], "{name}: said once");
    }
}

#[test]
fn an_acceptance_without_the_server_is_sent_when_it_is_back() {
    let mut line = Line::in_state("answering");
    line.input(Input::ServerLost);
    assert_eq!(
        line.input(peer(PeerEvent::LocalCandidate(candidate("ours")))),
        []
    );
    assert_eq!(line.input(described()), []);
    let messages = sent(&line.input(Input::ServerBack));
    assert!(
        matches!(
            &messages[..],
            [
                ClientMessage::CallAnswer { .. },
                ClientMessage::CallIceCandidate { .. }
            ]
        ),
        "{messages:?}"
    );
}

fn unconfirmed(line: &mut Line, outputs: &[Output]) {
    for message in sent(outputs) {
        assert_eq!(line.input(Input::Unconfirmed(message)), []);
    }
}

#[test]
fn an_answer_that_may_not_have_arrived_is_sent_again_with_what_followed_it() {
    let mut line = Line::in_state("answering");
    let mut lost = line.input(described());
    lost.extend(line.input(peer(PeerEvent::LocalCandidate(candidate("ours")))));
    lost.extend(line.input(Input::SetCameraEnabled(false)));
    line.input(Input::ServerLost);
    unconfirmed(&mut line, &lost);
    let messages = sent(&line.input(Input::ServerBack));
    assert!(
        matches!(
            &messages[..],
            [
                ClientMessage::CallAnswer { .. },
                ClientMessage::CallIceCandidate { .. },
                ClientMessage::CallMediaState { .. },
            ]
        ),
        "{messages:?}"
    );
    // The first had arrived after all: media comes up, or the call is over.
    line.input(refused(Some(CallErrorCode::NoSuchCall)));
    assert_eq!(line.name(), "connecting");
    assert_eq!(
        line.call.next_timeout(),
        Some(line.now + crate::machine::SECOND_ANSWER_TIMEOUT)
    );
    line.input(refused(Some(CallErrorCode::InvalidSdp)));
    assert_eq!(line.reason(), Some(EndedReason::Refused));
}

#[test]
fn a_farewell_that_may_not_have_arrived_is_sent_again() {
    for name in ["connected", "incoming"] {
        for dismissed in [false, true] {
            let mut line = Line::in_state(name);
            let outputs = line.input(Input::End);
            let lost = sent(&outputs);
            assert_eq!(lost.len(), 1, "{name}");
            if dismissed {
                line.input(Input::Dismiss);
            }
            line.input(Input::ServerLost);
            unconfirmed(&mut line, &outputs);
            assert_eq!(sent(&line.input(Input::ServerBack)), lost, "{name}");
            assert_eq!(line.input(Input::ServerBack), [], "{name}: said once more");
        }
    }
}

#[test]
fn a_farewell_said_without_a_server_outlives_the_ended_screen() {
    let mut line = Line::in_state("connected");
    line.input(Input::ServerLost);
    assert_eq!(sent(&line.input(Input::End)), []);
    line.input(Input::Dismiss);
    assert_eq!(line.name(), "idle");
    assert_eq!(
        sent(&line.input(Input::ServerBack)),
        [end_message(OURS, EndReason::HungUp)]
    );
}

#[test]
fn what_went_down_with_an_old_call_or_is_out_of_date_is_not_said_again() {
    for name in STATES {
        let mut line = Line::in_state(name);
        line.input(Input::ServerLost);
        let before = line.call.clone();
        for call in [SMALLER, LARGER] {
            line.input(Input::Unconfirmed(reject_message(call, CHAT, true)));
        }
        line.input(Input::Unconfirmed(ClientMessage::CallRinging {
            call_id: id(OURS),
            chat_id: chat(),
        }));
        assert_eq!(line.call, before, "{name}");
    }
}

#[test]
fn the_server_coming_back_while_the_answer_is_made_sends_nothing_before_it() {
    let mut line = Line::in_state("answering");
    line.input(Input::ServerLost);
    line.input(peer(PeerEvent::LocalCandidate(candidate("ours"))));
    assert_eq!(line.input(Input::ServerBack), []);
    let messages = sent(&line.input(described()));
    assert!(
        matches!(
            &messages[..],
            [
                ClientMessage::CallAnswer { .. },
                ClientMessage::CallIceCandidate { .. }
            ]
        ),
        "{messages:?}"
    );
}

#[test]
fn hanging_up_without_the_server_closes_at_once_and_tells_the_server_later() {
    let mut line = Line::in_state("connected");
    line.input(Input::ServerLost);
    line.input(peer(PeerEvent::LocalCandidate(candidate("ours"))));
    assert_eq!(
        line.input(Input::End),
        [Output::ClosePeer, Output::StopMedia]
    );
    assert_eq!(
        line.input(Input::ServerBack),
        [Output::Send(end_message(OURS, EndReason::HungUp))]
    );
}

#[test]
fn a_call_that_nobody_has_answered_ends_with_the_server() {
    for name in ["offering", "calling", "ringing", "incoming"] {
        let mut line = Line::in_state(name);
        let outputs = line.input(Input::ServerLost);
        assert!(outputs.contains(&Output::ClosePeer), "{name}");
        assert_eq!(
            line.reason(),
            Some(EndedReason::ServerUnreachable),
            "{name}"
        );
        // The server may not have noticed that the caller was gone.
        let told = match name {
            "calling" | "ringing" => vec![end_message(OURS, EndReason::HungUp)],
            _ => vec![],
        };
        assert_eq!(sent(&line.input(Input::ServerBack)), told, "{name}");
    }
}

#[test]
fn placing_a_call_without_the_server_says_why_it_does_not_work() {
    let mut line = Line::in_state("idle");
    line.input(Input::ServerLost);
    assert_eq!(line.input(place()), [], "no device is opened");
    assert_eq!(line.reason(), Some(EndedReason::ServerUnreachable));
}
