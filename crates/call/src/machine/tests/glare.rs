//! Two people call each other at once.

use super::*;

#[test]
fn the_larger_id_gives_way_and_answers_with_its_devices_still_open() {
    for (name, told) in [
        ("offering", vec![]),
        ("calling", vec![end_message(OURS, EndReason::HungUp)]),
        ("ringing", vec![end_message(OURS, EndReason::HungUp)]),
    ] {
        let mut line = Line::in_state(name);
        let outputs = line.input(offer(SMALLER));
        assert_eq!(sent(&outputs), told, "{name}");
        assert!(outputs.contains(&Output::ClosePeer), "{name}");
        assert!(!outputs.contains(&Output::StopMedia), "{name}");
        let offer = SessionDescription::offer("theirs");
        assert_eq!(
            outputs.last(),
            Some(&Output::CreateAnswer {
                call_id: id(SMALLER),
                offer
            }),
            "{name}"
        );
        let call = line.call.state().details().expect("a call");
        assert_eq!((call.local(), call.remote), (BOTH, BOTH), "{name}");
        // What still comes of the call that gave way is nobody's.
        assert_eq!(line.input(answer(OURS)), [], "{name}");
        assert_eq!(line.input(peer(PeerEvent::Failed)), [], "{name}");
        assert_eq!(line.input(described()), [], "{name}");
        assert_eq!(line.name(), "answering", "{name}");
    }
}

#[test]
fn the_smaller_id_goes_on_as_if_nothing_had_happened() {
    for name in ["offering", "calling", "ringing"] {
        let mut line = Line::in_state(name);
        let before = line.call.state().clone();
        assert_eq!(line.input(offer(LARGER)), [], "{name}");
        assert_eq!(line.input(remote_candidate(LARGER)), [], "{name}");
        assert_eq!(
            line.input(remote_end(LARGER, EndReason::Cancelled)),
            [],
            "{name}"
        );
        assert_eq!(*line.call.state(), before, "{name}");
    }
}

/// The server's part: passes a message of one side on to the other.
fn forward(message: ClientMessage, from: &CallPeer) -> Option<ServerMessage> {
    Some(match message {
        ClientMessage::CallInitiate {
            call_id,
            chat_id,
            offer,
            media_state,
        } => ServerMessage::CallOffer {
            call_id,
            chat_id,
            offer,
            caller_id: from.user_id.clone(),
            caller_name: from.name.clone(),
            media_state,
        },
        ClientMessage::CallAnswer {
            call_id,
            chat_id,
            answer,
            media_state,
        } => ServerMessage::CallAnswer {
            call_id,
            chat_id,
            answer,
            media_state,
        },
        ClientMessage::CallEnd {
            call_id, chat_id, ..
        } => ServerMessage::CallEnd {
            call_id,
            chat_id,
            reason: EndReason::Cancelled,
        },
        _ => return None,
    })
}

#[test]
fn both_sides_come_to_the_same_call_whichever_message_is_first() {
    // Each digit says whose oldest message the server handles next.
    for order in ["01", "10", "0011", "1100", "0101", "1010", "0110", "1001"] {
        let people = ["alice", "bob"].map(|name| CallPeer {
            user_id: UserId(name.to_owned()),
            name: name.to_owned(),
        });
        let mut sides = [Line::new(), Line::new()];
        let mut queues: [Vec<ClientMessage>; 2] = [vec![], vec![]];
        for (side, call) in [(0, SMALLER), (1, LARGER)] {
            let peer = people[1 - side].clone();
            sides[side].input(Input::Place {
                call_id: id(call),
                chat_id: chat(),
                peer,
                camera: true,
            });
            let description = SessionDescription::offer("made here");
            queues[side].extend(sent(&sides[side].input(Input::Description {
                call_id: id(call),
                description,
            })));
        }
        for from in order
            .bytes()
            .map(|b| usize::from(b - b'0'))
            .chain([0, 1, 0, 1, 0, 1])
        {
            if queues[from].is_empty() {
                continue;
            }
            let message = queues[from].remove(0);
            let to = 1 - from;
            let Some(message) = forward(message, &people[from]) else {
                continue;
            };
            let outputs = sides[to].input(Input::Receive(message));
            queues[to].extend(sent(&outputs));
            for output in outputs {
                if let Output::CreateAnswer { call_id, .. } = output {
                    let description = SessionDescription::answer("made here");
                    queues[to].extend(sent(&sides[to].input(Input::Description {
                        call_id,
                        description,
                    })));
                }
            }
        }
        for side in &sides {
            let call = side.call.state().details().expect("a call");
            assert_eq!(
                (side.name(), call.call_id.clone()),
                ("connecting", id(SMALLER)),
                "{order}"
            );
        }
    }
}
