//! Every timer, on virtual time.

use vireo_protocol::CallErrorCode;

use super::*;
use crate::machine::{
    ANSWER_GRACE, CONNECT_TIMEOUT, DEFAULT_ANSWER_TIMEOUT, DESCRIPTION_TIMEOUT, UNTOLD_TIMEOUT,
};

const ALMOST: Duration = Duration::from_millis(1);

#[test]
fn each_state_gives_up_in_its_own_time() {
    let answer = DEFAULT_ANSWER_TIMEOUT + ANSWER_GRACE;
    let failed = || vec![end_message(OURS, EndReason::ConnectionFailed)];
    let hung_up = || vec![end_message(OURS, EndReason::HungUp)];
    let table = [
        (
            "offering",
            DESCRIPTION_TIMEOUT,
            EndedReason::ConnectionFailed,
            vec![],
        ),
        ("calling", answer, EndedReason::NoAnswer, hung_up()),
        ("ringing", answer, EndedReason::NoAnswer, hung_up()),
        ("incoming", answer, EndedReason::Missed, vec![]),
        (
            "answering",
            DESCRIPTION_TIMEOUT,
            EndedReason::ConnectionFailed,
            failed(),
        ),
        (
            "connecting",
            CONNECT_TIMEOUT,
            EndedReason::ConnectionFailed,
            failed(),
        ),
    ];
    for (name, timeout, reason, told) in table {
        let mut line = Line::in_state(name);
        assert_eq!(line.call.next_timeout(), Some(line.now + timeout), "{name}");
        assert_eq!(line.wait(timeout - ALMOST), [], "{name}");
        assert_eq!(line.name(), name);
        let outputs = line.wait(ALMOST);
        assert_eq!(line.reason(), Some(reason), "{name}");
        assert_eq!(sent(&outputs), told, "{name}");
        assert!(outputs.contains(&Output::ClosePeer), "{name}");
        assert_eq!(line.call.next_timeout(), None, "{name}");
    }
}

#[test]
fn states_that_wait_for_people_have_no_timer() {
    for name in ["idle", "connected", "ended"] {
        let mut line = Line::in_state(name);
        assert_eq!(line.call.next_timeout(), None, "{name}");
        assert_eq!(line.wait(Duration::from_secs(1_000_000)), [], "{name}");
        assert_eq!(line.name(), name);
    }
}

#[test]
fn ringing_does_not_prolong_the_wait() {
    let mut line = Line::in_state("calling");
    let deadline = line.call.next_timeout();
    line.now += Duration::from_secs(3);
    line.input(ringing(OURS));
    assert_eq!(line.call.next_timeout(), deadline);
}

#[test]
fn the_servers_own_time_out_sets_ours() {
    let policy = CallPolicy {
        answer_timeout: Duration::from_secs(2),
        longest: None,
    };
    let mut line = Line::with_policy(policy);
    line.input(offer(OURS));
    assert_eq!(
        line.call.next_timeout(),
        Some(line.now + Duration::from_secs(2) + ANSWER_GRACE)
    );
    line.call.set_policy(CallPolicy::default());
    assert_eq!(
        line.call.next_timeout(),
        Some(line.now + Duration::from_secs(2) + ANSWER_GRACE),
        "not in the middle of a call"
    );
}

fn gives_up_at(line: &Line) -> Option<Instant> {
    match line.call.state() {
        CallState::Reconnecting { deadline, .. } => *deadline,
        _ => panic!("{}", line.name()),
    }
}

fn forgotten() -> Input {
    Input::Forgotten { call_id: id(OURS) }
}

#[test]
fn a_call_that_the_server_has_forgotten_is_not_waited_for_without_end() {
    let mut line = Line::in_state("reconnecting");
    line.input(forgotten());
    assert_eq!(line.wait(UNTOLD_TIMEOUT - ALMOST), []);
    line.input(forgotten()); // Saying it again prolongs nothing.
    let outputs = line.wait(ALMOST);
    assert_eq!(line.reason(), Some(EndedReason::ConnectionLost));
    let told = end_message(OURS, EndReason::ConnectionFailed);
    assert_eq!(sent(&outputs), [told]);
}

#[test]
fn a_forgotten_call_goes_on_while_media_flows_and_a_loss_has_its_whole_time() {
    let mut line = Line::in_state("connected");
    line.input(forgotten());
    assert_eq!(line.call.next_timeout(), None);
    for _ in 0..2 {
        line.input(peer(PeerEvent::Disconnected));
        let deadline = Some(line.now + UNTOLD_TIMEOUT);
        assert_eq!(line.call.next_timeout(), deadline);
        line.wait(UNTOLD_TIMEOUT - ALMOST);
        line.input(peer(PeerEvent::Connected));
        assert_eq!(line.call.next_timeout(), None);
    }
}

#[test]
fn who_speaks_through_the_server_is_waited_for() {
    let mut line = Line::in_state("connected");
    line.input(error(OURS, CallErrorCode::UserOffline));
    line.input(peer(PeerEvent::Disconnected));
    assert!(gives_up_at(&line).is_some());
    line.input(remote_media(OURS, SOUND));
    assert_eq!(gives_up_at(&line), None);
    line.input(peer(PeerEvent::Connected));
    line.input(peer(PeerEvent::Disconnected));
    assert_eq!(gives_up_at(&line), None);
}

#[test]
fn a_service_hangs_up_after_its_longest_call() {
    let longest = Duration::from_secs(10);
    let policy = CallPolicy {
        longest: Some(longest),
        ..CallPolicy::default()
    };
    let connected = || {
        let mut line = Line::with_policy(policy);
        for input in [
            offer(OURS),
            accept(),
            described(),
            peer(PeerEvent::Connected),
        ] {
            line.input(input);
        }
        line
    };
    let mut line = connected();
    assert_eq!(line.call.next_timeout(), Some(line.now + longest));
    assert_eq!(line.wait(longest - ALMOST), []);
    let outputs = line.wait(ALMOST);
    assert_eq!(sent(&outputs), [end_message(OURS, EndReason::HungUp)]);
    assert_eq!(line.reason(), Some(EndedReason::HungUp));

    let mut line = connected();
    line.now += Duration::from_secs(5);
    line.input(peer(PeerEvent::Disconnected));
    assert_eq!(
        line.call.next_timeout(),
        Some(line.now + Duration::from_secs(5)),
        "reconnecting counts too"
    );
    line.wait(Duration::from_secs(5));
    assert_eq!(line.reason(), Some(EndedReason::ConnectionLost));
}
