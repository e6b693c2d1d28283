//! The state machine on virtual time.

mod glare;
mod heard;
mod late;
mod media_state;
mod outputs;
mod properties;
mod restart;
mod server;
mod timers;
mod transitions;

use std::time::{Duration, Instant};

use vireo_protocol::{
    CallErrorCode, CallId, ChatId, ClientMessage, EndReason, IceCandidate, MediaState, PictureSize,
    ServerMessage, SessionDescription, UserId,
};

use super::{Call, CallPolicy, CallState, Input, Output};
use crate::{CallPeer, EndedReason, peer::PeerEvent};

/// The call that the tests are about.
const OURS: &str = "call-m";
/// Another one, of the same chat, that loses against [`OURS`] in a glare.
const LARGER: &str = "call-z";
/// Another one, of the same chat, that wins against [`OURS`] in a glare.
const SMALLER: &str = "call-a";
const CHAT: &str = "chat";
const OTHER_CHAT: &str = "other-chat";

const BOTH: MediaState = MediaState::of(true, true);
const SOUND: MediaState = MediaState::of(true, false);

/// Every state, by name.
const STATES: [&str; 10] = [
    "idle",
    "offering",
    "calling",
    "ringing",
    "incoming",
    "answering",
    "connecting",
    "connected",
    "reconnecting",
    "ended",
];

/// A call and its own time.
#[derive(Clone)]
struct Line {
    call: Call,
    now: Instant,
}

impl Line {
    fn new() -> Self {
        Self::with_policy(CallPolicy::default())
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to begin somewhere"
    )]
    fn with_policy(policy: CallPolicy) -> Self {
        let mut line = Self {
            call: Call::new(policy),
            now: Instant::now(),
        };
        line.input(Input::ServerBack);
        line
    }

    /// A line in the state of this name. Those after the answer are the caller's.
    fn in_state(name: &str) -> Self {
        let mut line = Self::new();
        let way: Vec<Input> = match name {
            "idle" => vec![],
            "offering" => vec![place()],
            "calling" => vec![place(), described()],
            "ringing" => vec![place(), described(), ringing(OURS)],
            "incoming" => vec![offer(OURS)],
            "answering" => vec![offer(OURS), accept()],
            "connecting" => vec![place(), described(), answer(OURS)],
            "connected" => vec![
                place(),
                described(),
                answer(OURS),
                peer(PeerEvent::Connected),
            ],
            "reconnecting" => {
                vec![
                    place(),
                    described(),
                    answer(OURS),
                    peer(PeerEvent::Connected),
                    peer(PeerEvent::Disconnected),
                ]
            }
            "ended" => vec![place(), described(), Input::End],
            other => panic!("no state is called {other}"),
        };
        for input in way {
            line.input(input);
        }
        assert_eq!(line.name(), name);
        line
    }

    /// The callee's side of a call that connects.
    fn callee_connecting() -> Self {
        let mut line = Self::in_state("answering");
        line.input(described());
        assert_eq!(line.name(), "connecting");
        line
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.call.handle(input, self.now)
    }

    fn wait(&mut self, duration: Duration) -> Vec<Output> {
        self.now += duration;
        self.input(Input::Timeout)
    }

    fn name(&self) -> &'static str {
        self.call.state().name()
    }

    fn reason(&self) -> Option<EndedReason> {
        match self.call.state() {
            CallState::Ended { reason, .. } => Some(*reason),
            _ => None,
        }
    }
}

fn id(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn chat() -> ChatId {
    ChatId(CHAT.to_owned())
}

fn person() -> CallPeer {
    CallPeer {
        user_id: UserId("bob".to_owned()),
        name: "Bob".to_owned(),
    }
}

fn place() -> Input {
    place_in(CHAT)
}

fn place_in(chat: &str) -> Input {
    Input::Place {
        call_id: id(OURS),
        chat_id: ChatId(chat.to_owned()),
        peer: person(),
        camera: true,
    }
}

fn accept() -> Input {
    Input::Accept { camera: true }
}

fn described() -> Input {
    Input::Description {
        call_id: id(OURS),
        description: SessionDescription::offer("made here"),
    }
}

fn peer(event: PeerEvent) -> Input {
    Input::Peer {
        call_id: id(OURS),
        event,
    }
}

fn candidate(name: &str) -> IceCandidate {
    IceCandidate {
        candidate: format!("candidate:{name}"),
        ..IceCandidate::default()
    }
}

fn offer(call: &str) -> Input {
    offer_in(call, CHAT)
}

fn offer_in(call: &str, chat: &str) -> Input {
    Input::Receive(ServerMessage::CallOffer {
        call_id: id(call),
        chat_id: ChatId(chat.to_owned()),
        offer: SessionDescription::offer("theirs"),
        caller_id: person().user_id,
        caller_name: person().name,
        media_state: BOTH,
    })
}

fn ringing(call: &str) -> Input {
    Input::Receive(ServerMessage::CallRinging {
        call_id: id(call),
        chat_id: chat(),
    })
}

fn answer(call: &str) -> Input {
    Input::Receive(ServerMessage::CallAnswer {
        call_id: id(call),
        chat_id: chat(),
        answer: SessionDescription::answer("theirs"),
        media_state: SOUND,
    })
}

fn remote_candidate(call: &str) -> Input {
    Input::Receive(ServerMessage::CallIceCandidate {
        call_id: id(call),
        chat_id: chat(),
        candidate: candidate("theirs"),
    })
}

fn remote_media(call: &str, media_state: MediaState) -> Input {
    Input::Receive(ServerMessage::CallMediaState {
        call_id: id(call),
        chat_id: chat(),
        media_state,
    })
}

fn remote_restart(call: &str, attempt: u32, description: Option<SessionDescription>) -> Input {
    Input::Receive(ServerMessage::CallRestart {
        call_id: id(call),
        chat_id: chat(),
        attempt,
        description,
    })
}

fn remote_end(call: &str, reason: EndReason) -> Input {
    Input::Receive(ServerMessage::CallEnd {
        call_id: id(call),
        chat_id: chat(),
        reason,
    })
}

fn rejected(call: &str) -> Input {
    Input::Receive(ServerMessage::CallRejected {
        call_id: id(call),
        chat_id: chat(),
    })
}

fn error(call: &str, code: CallErrorCode) -> Input {
    Input::Receive(ServerMessage::CallError {
        id: None,
        call_id: id(call),
        chat_id: chat(),
        code,
        message: code.message().to_owned(),
        retry_after_seconds: None,
    })
}

fn refused(code: Option<CallErrorCode>) -> Input {
    Input::Refused {
        call_id: id(OURS),
        code,
    }
}

/// The messages among the outputs.
fn sent(outputs: &[Output]) -> Vec<ClientMessage> {
    let message = |output: &Output| match output {
        Output::Send(message) => Some(message.clone()),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

fn end_message(call: &str, reason: EndReason) -> ClientMessage {
    ClientMessage::CallEnd {
        call_id: id(call),
        chat_id: chat(),
        reason,
    }
}

fn reject_message(call: &str, chat: &str, busy: bool) -> ClientMessage {
    ClientMessage::CallReject {
        call_id: id(call),
        chat_id: ChatId(chat.to_owned()),
        busy,
    }
}

fn media_message(media_state: MediaState) -> ClientMessage {
    ClientMessage::CallMediaState {
        call_id: id(OURS),
        chat_id: chat(),
        media_state,
    }
}
