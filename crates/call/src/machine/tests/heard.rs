//! Who speaks, and what is said about the microphone's sound.

use super::*;
use crate::{
    CallView, MicrophoneHint, Speaking,
    machine::{Calendar, Heard},
};

fn heard(heard: Heard) -> Input {
    Input::Heard {
        call_id: id(OURS),
        heard,
    }
}

fn view(line: &Line) -> CallView {
    let calendar = Calendar::new(line.now, 0);
    line.call.view(&calendar).expect("there is a call")
}

const NOBODY: Speaking = Speaking {
    local: false,
    remote: false,
};

#[test]
fn who_speaks_is_shown_while_they_can_be_heard() {
    let mut line = Line::in_state("connected");
    line.input(remote_media(OURS, BOTH));
    for (input, local, remote) in [
        (heard(Heard::Local(true)), true, false),
        (heard(Heard::Remote(true)), true, true),
        (Input::SetMicrophoneMuted(true), false, true),
        (
            remote_media(OURS, MediaState::of(false, true)),
            false,
            false,
        ),
        (Input::SetMicrophoneMuted(false), true, false),
        (heard(Heard::Local(false)), false, false),
    ] {
        let told = line.input(input.clone());
        assert!(
            !matches!(input, Input::Heard { .. }) || told.is_empty(),
            "the other side finds out by itself: {told:?}"
        );
        assert_eq!(
            view(&line).speaking,
            Speaking { local, remote },
            "{input:?}"
        );
    }
    line.input(heard(Heard::Local(true)));
    line.input(peer(PeerEvent::Disconnected));
    assert_eq!(view(&line).speaking, NOBODY);
    line.input(Input::End);
    assert_eq!(view(&line).speaking, NOBODY);
}

#[test]
fn a_hint_goes_at_once_when_it_does_not_fit_any_more() {
    let mut line = Line::in_state("connected");
    let hint = |line: &Line| view(line).microphone_hint;
    let unaware = Some(MicrophoneHint::SpeaksWhileMuted);
    // Late news of before the microphone was switched on.
    line.input(heard(Heard::Hint(unaware)));
    assert_eq!(hint(&line), None);
    line.input(Input::SetMicrophoneMuted(true));
    line.input(heard(Heard::Hint(unaware)));
    assert_eq!(hint(&line), unaware);
    line.input(Input::SetMicrophoneMuted(false));
    assert_eq!(hint(&line), None);
    let nothing = Some(MicrophoneHint::HearsNothing);
    line.input(heard(Heard::Hint(nothing)));
    assert_eq!(hint(&line), nothing);
    line.input(Input::SetMicrophoneMuted(true));
    assert_eq!(hint(&line), None);
    line.input(Input::SetMicrophoneMuted(false));
    line.input(Input::End);
    assert_eq!(hint(&line), None);
}

#[test]
fn what_is_heard_in_another_call_is_not_of_this_one() {
    let mut line = Line::in_state("connected");
    line.input(remote_media(OURS, BOTH));
    line.input(Input::Heard {
        call_id: id(LARGER),
        heard: Heard::Remote(true),
    });
    assert_eq!(view(&line).speaking, NOBODY);
}
