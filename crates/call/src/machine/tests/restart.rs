//! Lost media connections that are made anew.

use super::*;
use crate::machine::{
    RESTART_AFTER_SILENCE, RESTART_AGAIN, RESTART_GRACE, RESTART_PAUSE, SERVER_BACK_LATELY,
};

const ALMOST: Duration = Duration::from_millis(1);

fn told(attempt: u32, description: Option<SessionDescription>) -> Input {
    remote_restart(OURS, attempt, description)
}

fn says(attempt: u32, description: Option<SessionDescription>) -> Output {
    Output::Send(ClientMessage::CallRestart {
        call_id: id(OURS),
        chat_id: chat(),
        attempt,
        description,
    })
}

fn their_offer() -> SessionDescription {
    SessionDescription::offer("theirs")
}

fn their_answer() -> SessionDescription {
    SessionDescription::answer("theirs")
}

fn callee_in_call() -> Line {
    let mut line = Line::callee_connecting();
    line.input(peer(PeerEvent::Connected));
    line
}

/// Media and the server are lost, and the server is back.
fn on_another_network(mut line: Line) -> Line {
    line.input(peer(PeerEvent::Disconnected));
    line.input(Input::ServerLost);
    line.input(Input::ServerBack);
    line
}

#[test]
fn a_caller_on_another_network_offers_a_restart_and_takes_its_answer() {
    let mut line = on_another_network(Line::in_state("connected"));
    assert_eq!(line.wait(RESTART_GRACE - ALMOST), []);
    assert_eq!(line.wait(ALMOST), [Output::OfferRestart]);
    let offer = SessionDescription::offer("made here");
    assert_eq!(line.input(described()), [says(1, Some(offer))]);
    let outputs = line.input(told(1, Some(their_answer())));
    assert_eq!(outputs, [Output::FinishRestart(their_answer())]);
    line.input(peer(PeerEvent::Connected));
    assert_eq!(line.name(), "connected");
    assert_eq!(line.call.next_timeout(), None);
}

#[test]
fn a_callee_on_another_network_asks_and_answers() {
    let mut line = on_another_network(callee_in_call());
    assert_eq!(line.wait(RESTART_GRACE), [says(0, None)]);
    let outputs = line.input(told(4, Some(their_offer())));
    assert_eq!(outputs, [Output::AnswerRestart(their_offer())]);
    let answer = Input::Description {
        call_id: id(OURS),
        description: SessionDescription::answer("made here"),
    };
    let made = Some(SessionDescription::answer("made here"));
    assert_eq!(line.input(answer), [says(4, made)]);
}

/// The other side's network is another one; this side may have noticed nothing yet.
#[test]
fn who_is_asked_makes_an_offer_and_who_is_offered_answers() {
    for name in ["connected", "reconnecting"] {
        let mut line = Line::in_state(name);
        assert_eq!(line.input(told(0, None)), [Output::OfferRestart], "{name}");
        assert_eq!(line.name(), "reconnecting", "{name}");
    }
    let mut line = callee_in_call();
    let outputs = line.input(told(1, Some(their_offer())));
    assert_eq!(outputs, [Output::AnswerRestart(their_offer())]);
    assert_eq!(line.name(), "reconnecting");
}

#[test]
fn a_connection_that_was_lost_soon_after_the_server_was_is_made_anew_as_well() {
    let mut line = Line::in_state("connected");
    line.input(Input::ServerLost);
    line.input(Input::ServerBack);
    line.now += SERVER_BACK_LATELY - ALMOST;
    line.input(peer(PeerEvent::Disconnected));
    assert_eq!(line.wait(RESTART_GRACE), [Output::OfferRestart]);
}

/// Who is back at the server says again what it sends. Behind another router it may still hear this side.
#[test]
fn where_the_other_side_had_lost_the_server_it_is_made_anew_as_well() {
    let mut line = Line::in_state("reconnecting");
    line.input(remote_media(OURS, BOTH));
    assert_eq!(
        line.wait(RESTART_GRACE),
        [],
        "it has switched its camera on"
    );
    line.input(remote_media(OURS, BOTH));
    assert_eq!(line.wait(RESTART_GRACE), [Output::OfferRestart]);
}

/// A client that has just started has lost no server.
#[test]
fn the_first_connection_to_the_server_says_nothing_of_the_network() {
    let mut line = Line::in_state("reconnecting");
    assert_eq!(line.wait(SERVER_BACK_LATELY), []);
}

#[test]
fn where_only_media_is_lost_it_is_waited_for_first() {
    let mut line = Line::in_state("reconnecting");
    assert_eq!(line.wait(RESTART_AFTER_SILENCE - ALMOST), []);
    assert_eq!(line.wait(ALMOST), [Output::OfferRestart]);
    for _ in 0..10_000 {
        assert_eq!(line.wait(RESTART_AGAIN), [Output::OfferRestart]);
    }
    assert_eq!(line.name(), "reconnecting", "until somebody leaves");
}

#[test]
fn a_restart_that_does_not_help_is_repeated() {
    let mut line = on_another_network(Line::in_state("connected"));
    line.wait(RESTART_GRACE);
    assert_eq!(line.wait(RESTART_AGAIN - ALMOST), []);
    assert_eq!(line.wait(ALMOST), [Output::OfferRestart]);
    line.input(described());
    // An answer to the attempt before comes late.
    assert_eq!(line.input(told(1, Some(their_answer()))), []);
    let outputs = line.input(told(2, Some(their_answer())));
    assert_eq!(outputs, [Output::FinishRestart(their_answer())]);
}

#[test]
fn nothing_is_restarted_while_the_server_is_away() {
    let mut line = Line::in_state("reconnecting");
    line.input(Input::ServerLost);
    assert_eq!(line.call.next_timeout(), None);
    assert_eq!(line.wait(2 * RESTART_AFTER_SILENCE), []);
    line.input(Input::ServerBack);
    assert_eq!(line.wait(RESTART_GRACE), [Output::OfferRestart]);
}

#[test]
fn the_other_side_cannot_have_it_restarted_all_the_time() {
    let mut line = Line::in_state("connected");
    assert_eq!(line.input(told(0, None)), [Output::OfferRestart]);
    line.now += RESTART_PAUSE / 2;
    assert_eq!(line.input(told(0, None)), []);
    // But what it has asked for is not forgotten, since the offer under way may have got lost.
    assert_eq!(line.call.next_timeout(), Some(line.now + RESTART_PAUSE / 2));
    assert_eq!(line.wait(RESTART_PAUSE / 2 - ALMOST), []);
    assert_eq!(line.wait(ALMOST), [Output::OfferRestart]);
    // What was asked for before it helped comes late.
    line.input(peer(PeerEvent::Connected));
    assert_eq!(line.input(told(0, None)), []);
    assert_eq!(line.name(), "connected");

    let mut line = callee_in_call();
    line.input(told(1, Some(their_offer())));
    line.now += RESTART_PAUSE / 2 - ALMOST;
    assert_eq!(line.input(told(2, Some(their_offer()))), []);
    line.now += ALMOST;
    let outputs = line.input(told(2, Some(their_offer())));
    assert_eq!(outputs, [Output::AnswerRestart(their_offer())]);
}

#[test]
fn only_what_fits_the_side_is_taken() {
    let mut line = Line::in_state("connected");
    for description in [their_offer(), their_answer()] {
        assert_eq!(line.input(told(1, Some(description))), []);
    }
    let mut line = callee_in_call();
    assert_eq!(line.input(told(0, None)), []);
    assert_eq!(line.input(told(0, Some(their_answer()))), []);
    for name in STATES {
        if !matches!(name, "connected" | "reconnecting") {
            let mut line = Line::in_state(name);
            assert_eq!(line.input(told(0, None)), [], "{name}");
            assert_eq!(line.name(), name);
        }
    }
}
