//! The life of calls, with time and devices made up: here the world they take place in, beside it the tests.

mod active;
mod away;
mod property;
mod ringing;
mod starting;

use std::time::{Duration, Instant};

use vireo_protocol::{
    CallErrorCode, CallId, ChatId, ClientMessage, EndReason, IceCandidate, MAX_CANDIDATES_PER_SIDE,
    MediaState, ServerMessage, SessionDescription, User, UserId,
};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(30);
const MEDIA: MediaState = MediaState::of(true, true);

/// Calls, who is connected, and the time.
struct World {
    calls: Calls,
    devices: Vec<(&'static str, DeviceId)>,
    now: Instant,
}

impl World {
    fn new(devices: &[(&'static str, u64)]) -> Self {
        let mut world = Self {
            calls: Calls::new(TIMEOUT),
            devices: Vec::new(),
            now: Instant::now(),
        };
        for &(user, device) in devices {
            world.connect(user, device);
        }
        world
    }

    fn connect(&mut self, user: &'static str, device: u64) -> Vec<(u64, String)> {
        self.devices.push((user, DeviceId(device)));
        words(self.calls.connected(&id(user), DeviceId(device)))
    }

    /// The client closes the connection.
    fn disconnect(&mut self, device: u64) -> Vec<(u64, String)> {
        self.lose(device, true)
    }

    fn lose(&mut self, device: u64, closed: bool) -> Vec<(u64, String)> {
        let at = self.devices.iter().position(|(_, d)| d.0 == device);
        let (user, device) = self.devices.remove(at.expect("connected"));
        let news = self.calls.disconnected(&id(user), device, closed, self.now);
        words(news)
    }

    fn wait(&mut self, time: Duration) -> Vec<(u64, String)> {
        self.now += time;
        words(self.calls.tick(self.now))
    }

    fn user(&self, device: u64) -> &'static str {
        let found = self.devices.iter().find(|(_, d)| d.0 == device);
        found.expect("connected").0
    }

    fn call(&mut self, device: u64, callee: &str, chat: &str, call: &str) -> Said {
        let caller = Caller {
            user: User {
                id: id(self.user(device)),
                name: self.user(device).to_owned(),
            },
            device: DeviceId(device),
        };
        let devices = self.devices.iter().filter(|(user, _)| *user == callee);
        let callee = Callee {
            user: id(callee),
            service: callee == "echo",
            devices: devices.map(|(_, device)| *device).collect(),
        };
        let offer = Offer {
            call_id: CallId(call.to_owned()),
            chat_id: ChatId(chat.to_owned()),
            offer: SessionDescription::offer("sdp"),
            media_state: MEDIA,
        };
        self.calls
            .initiate(caller, callee, offer, self.now)
            .map(words)
    }

    /// Who has heard since this was asked last that they were called in vain, and by whom.
    fn missed(&mut self) -> Vec<(String, String)> {
        let who = |(user, news): (UserId, ServerMessage)| match news {
            ServerMessage::CallMissed { caller_id, .. } => (user.0, caller_id.0),
            other => panic!("{other:?}"),
        };
        self.calls.take_missed().into_iter().map(who).collect()
    }

    fn say(&mut self, device: u64, message: ClientMessage) -> Said {
        let user = id(self.user(device));
        let from = Sender {
            user: &user,
            device: DeviceId(device),
        };
        let (_, answer) = self
            .calls
            .handle(from, message, self.now)
            .expect("about a call");
        answer.map(words)
    }
}

/// Who hears what.
type Said = Result<Vec<(u64, String)>, CallErrorCode>;

fn id(user: &str) -> UserId {
    UserId(user.to_owned())
}

fn words(sends: Vec<Send>) -> Vec<(u64, String)> {
    let word = |send: Send| (send.to.0, word_of(&send.message));
    sends.into_iter().map(word).collect()
}

fn word_of(message: &ServerMessage) -> String {
    match message {
        ServerMessage::CallEnd { reason, .. } => format!("end {reason:?}"),
        ServerMessage::CallError { code, .. } => format!("error {code:?}"),
        ServerMessage::CallOffer { .. } => "offer".into(),
        ServerMessage::CallRinging { .. } => "ringing".into(),
        ServerMessage::CallAnswer { .. } => "answer".into(),
        ServerMessage::CallIceCandidate { .. } => "candidate".into(),
        ServerMessage::CallMediaState { .. } => "media".into(),
        ServerMessage::CallRestart { attempt, .. } => format!("restart {attempt}"),
        ServerMessage::CallRejected { .. } => "rejected".into(),
        other => format!("{other:?}"),
    }
}

fn says(expected: &[(u64, &str)]) -> Said {
    let own = |(to, word): &(u64, &str)| (*to, (*word).to_owned());
    Ok(expected.iter().map(own).collect())
}

fn ids(call: &str) -> (CallId, ChatId) {
    (CallId(call.to_owned()), ChatId("ab".to_owned()))
}

fn ringing(call: &str) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallRinging { call_id, chat_id }
}

fn answer(call: &str) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallAnswer {
        call_id,
        chat_id,
        answer: SessionDescription::answer("sdp"),
        media_state: MEDIA,
    }
}

fn candidate(call: &str) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallIceCandidate {
        call_id,
        chat_id,
        candidate: IceCandidate::default(),
    }
}

fn media(call: &str) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallMediaState {
        call_id,
        chat_id,
        media_state: MEDIA,
    }
}

fn restart(call: &str, attempt: u32) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallRestart {
        call_id,
        chat_id,
        attempt,
        description: (attempt > 0).then(|| SessionDescription::offer("sdp")),
    }
}

fn end(call: &str, reason: EndReason) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallEnd {
        call_id,
        chat_id,
        reason,
    }
}

fn reject(call: &str, busy: bool) -> ClientMessage {
    let (call_id, chat_id) = ids(call);
    ClientMessage::CallReject {
        call_id,
        chat_id,
        busy,
    }
}

const GONE: Said = Err(CallErrorCode::NoSuchCall);

/// Ann (device 1) and Bob (device 2) in a call.
fn active() -> World {
    let mut world = World::new(&[("ann", 1), ("bob", 2)]);
    assert_eq!(world.call(1, "bob", "ab", "c"), says(&[(2, "offer")]));
    assert_eq!(world.say(2, answer("c")), says(&[(1, "answer")]));
    world
}
