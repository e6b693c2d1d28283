//! The life of calls, with time and devices made up.

mod property;

use std::time::{Duration, Instant};

use vireo_protocol::{
    CallErrorCode, CallId, ChatId, ClientMessage, EndReason, IceCandidate, MAX_CANDIDATES_PER_SIDE,
    MediaState, ServerMessage, SessionDescription, User, UserId,
};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(30);
const MEDIA: MediaState = MediaState {
    microphone: true,
    camera: true,
};

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

    fn disconnect(&mut self, device: u64) -> Vec<(u64, String)> {
        let at = self.devices.iter().position(|(_, d)| d.0 == device);
        let (user, device) = self.devices.remove(at.expect("connected"));
        words(self.calls.disconnected(&id(user), device, self.now))
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

#[test]
fn every_device_rings_and_the_first_to_answer_wins() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3), ("bob", 4)]);
    let offers = says(&[(2, "offer"), (3, "offer"), (4, "offer")]);
    assert_eq!(world.call(1, "bob", "ab", "c"), offers);
    assert_eq!(world.say(2, ringing("c")), says(&[(1, "ringing")]));
    assert_eq!(
        world.say(3, ringing("c")),
        says(&[]),
        "the caller heard it already"
    );
    let both = says(&[(2, "candidate"), (3, "candidate"), (4, "candidate")]);
    assert_eq!(world.say(1, candidate("c")), both);
    let answered = says(&[
        (1, "answer"),
        (2, "end AnsweredElsewhere"),
        (4, "end AnsweredElsewhere"),
    ]);
    assert_eq!(world.say(3, answer("c")), answered);
    // What the others still say changes nothing.
    for message in [
        answer("c"),
        reject("c", false),
        candidate("c"),
        media("c"),
        end("c", EndReason::HungUp),
    ] {
        assert_eq!(world.say(2, message), GONE);
    }
    assert_eq!(world.say(1, candidate("c")), says(&[(3, "candidate")]));
    assert_eq!(
        world.say(3, end("c", EndReason::HungUp)),
        says(&[(1, "end HungUp")])
    );
    assert!(world.calls.calls.is_empty() && world.calls.by_user.is_empty());
}

#[test]
fn declining_stops_every_device_and_being_busy_only_one() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(
        world.say(2, reject("c", false)),
        says(&[(3, "end DeclinedElsewhere"), (1, "rejected")])
    );
    world.call(1, "bob", "ab", "d").expect("rings");
    assert_eq!(world.say(2, reject("d", true)), says(&[]));
    assert_eq!(
        world.say(3, reject("d", true)),
        says(&[(1, "error UserBusy")])
    );
    assert_eq!(world.say(3, answer("d")), GONE);
}

#[test]
fn a_callee_that_fails_while_accepting_says_so() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let failed = says(&[(3, "end DeclinedElsewhere"), (1, "end ConnectionFailed")]);
    assert_eq!(world.say(2, end("c", EndReason::ConnectionFailed)), failed);
    world.call(1, "bob", "ab", "d").expect("rings");
    let declined = says(&[(3, "end DeclinedElsewhere"), (1, "rejected")]);
    assert_eq!(world.say(2, end("d", EndReason::HungUp)), declined);
}

#[test]
fn the_caller_cancels() {
    for reason in [
        EndReason::HungUp,
        EndReason::ConnectionFailed,
        EndReason::AnsweredElsewhere,
    ] {
        let mut world = World::new(&[("ann", 1), ("bob", 2)]);
        world.call(1, "bob", "ab", "c").expect("rings");
        assert_eq!(
            world.say(1, end("c", reason)),
            says(&[(2, "end Cancelled")])
        );
        assert_eq!(world.say(2, answer("c")), GONE);
    }
}

#[test]
fn a_call_that_nobody_answers_ends() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(world.calls.next_deadline(), Some(world.now + TIMEOUT));
    assert_eq!(world.wait(TIMEOUT - Duration::from_millis(1)), []);
    let news = world.wait(Duration::from_millis(1));
    assert_eq!(
        Ok(news),
        says(&[
            (2, "end NoAnswer"),
            (3, "end NoAnswer"),
            (1, "error NoAnswer")
        ])
    );
    assert_eq!(world.calls.next_deadline(), None);
    assert_eq!(world.say(2, answer("c")), GONE);
}

#[test]
fn an_answered_call_has_no_time_limit() {
    let mut world = active();
    assert_eq!(world.calls.next_deadline(), None);
    assert_eq!(world.wait(TIMEOUT * 1000), []);
    assert_eq!(world.say(1, media("c")), says(&[(2, "media")]));
}

#[test]
fn whoever_is_in_a_call_is_busy() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("eve", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let busy = Err(CallErrorCode::UserBusy);
    assert_eq!(world.call(3, "bob", "be", "d"), busy);
    assert_eq!(world.call(3, "ann", "ae", "e"), busy);
    assert_eq!(
        world.call(1, "eve", "ae", "f"),
        busy,
        "the caller is in a call"
    );
    assert_eq!(
        world.call(2, "eve", "be", "g"),
        busy,
        "the callee is being rung"
    );
    world.say(2, answer("c")).expect("answered");
    assert_eq!(world.call(3, "bob", "be", "d"), busy);
    assert_eq!(
        world.call(2, "ann", "ab", "h"),
        busy,
        "only a pending call is glare"
    );
    world.say(1, end("c", EndReason::HungUp)).expect("ended");
    assert_eq!(world.call(3, "bob", "be", "d"), says(&[(2, "offer")]));
}

#[test]
fn glare_is_left_to_the_clients() {
    let mut world = World::new(&[("ann", 1), ("bob", 2)]);
    world.call(1, "bob", "ab", "a").expect("rings");
    assert_eq!(world.call(2, "ann", "ab", "b"), says(&[(1, "offer")]));
    assert_eq!(
        world.call(1, "bob", "ab", "x"),
        Err(CallErrorCode::UserBusy),
        "no third"
    );
    assert_eq!(
        world.say(2, end("b", EndReason::HungUp)),
        says(&[(1, "end Cancelled")])
    );
    assert_eq!(world.say(2, answer("a")), says(&[(1, "answer")]));
    assert_eq!(world.say(1, media("a")), says(&[(2, "media")]));
}

#[test]
fn a_service_takes_as_many_as_it_likes() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("echo", 3)]);
    assert_eq!(world.call(1, "echo", "ae", "c"), says(&[(3, "offer")]));
    assert_eq!(world.call(2, "echo", "be", "d"), says(&[(3, "offer")]));
    assert_eq!(
        world.call(1, "echo", "ae", "e"),
        Err(CallErrorCode::UserBusy)
    );
}

#[test]
fn ids_are_checked() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("eve", 3), ("dan", 4)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    let invalid = Err(CallErrorCode::InvalidCall);
    assert_eq!(world.call(3, "dan", "de", "c"), invalid, "taken");
    for bad in ["", "a b", "ü", &"x".repeat(65)] {
        assert_eq!(world.call(3, "dan", "de", bad), invalid);
    }
    assert_eq!(
        world.call(3, "nobody", "en", "d"),
        Err(CallErrorCode::UserOffline)
    );
    assert_eq!(
        world.say(3, end("c", EndReason::HungUp)),
        Err(CallErrorCode::AccessDenied)
    );
    let elsewhere = ClientMessage::CallEnd {
        call_id: CallId("c".into()),
        chat_id: ChatId("other".into()),
        reason: EndReason::HungUp,
    };
    assert_eq!(world.say(1, elsewhere), GONE);
}

#[test]
fn a_side_says_only_what_is_its_to_say() {
    let mut world = World::new(&[("ann", 1), ("ann", 5), ("bob", 2)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    for message in [ringing("c"), answer("c"), reject("c", false)] {
        assert_eq!(world.say(1, message), GONE, "the caller's own call");
    }
    for message in [candidate("c"), media("c")] {
        assert_eq!(world.say(2, message), GONE, "before the answer");
    }
    assert_eq!(
        world.say(5, candidate("c")),
        GONE,
        "not the device that calls"
    );
    assert_eq!(world.say(5, end("c", EndReason::HungUp)), GONE);
    assert_eq!(world.say(2, candidate("unknown")), GONE);
    world.say(2, answer("c")).expect("answered");
    for message in [ringing("c"), answer("c"), reject("c", false)] {
        assert_eq!(world.say(2, message), GONE, "too late");
    }
}

#[test]
fn candidates_are_counted_for_each_side() {
    let mut world = active();
    for _ in 0..MAX_CANDIDATES_PER_SIDE {
        world.say(1, candidate("c")).expect("forwarded");
    }
    assert_eq!(
        world.say(1, candidate("c")),
        Err(CallErrorCode::InvalidCandidate)
    );
    assert_eq!(world.say(2, candidate("c")), says(&[(1, "candidate")]));
}

#[test]
fn a_connection_lost_while_it_rings_ends_the_call() {
    let mut world = World::new(&[("ann", 1), ("bob", 2), ("bob", 3)]);
    world.call(1, "bob", "ab", "c").expect("rings");
    assert_eq!(world.disconnect(2), [], "another one rings on");
    assert_eq!(Ok(world.disconnect(3)), says(&[(1, "error UserOffline")]));
    world.connect("bob", 4);
    world.call(1, "bob", "ab", "d").expect("rings");
    assert_eq!(Ok(world.disconnect(1)), says(&[(4, "end Cancelled")]));
    assert!(world.calls.calls.is_empty() && world.calls.deadlines.is_empty());
}

#[test]
fn an_active_call_outlives_a_connection() {
    let mut world = active();
    assert_eq!(world.disconnect(2), []);
    assert_eq!(world.say(1, media("c")), says(&[]));
    assert_eq!(world.say(1, media("c")), says(&[]));
    assert_eq!(world.say(1, candidate("c")), says(&[]));
    // Only the newest state is kept.
    assert_eq!(
        Ok(world.connect("bob", 7)),
        says(&[(7, "candidate"), (7, "media")])
    );
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.say(1, media("c")), says(&[(7, "media")]));
    assert_eq!(
        world.say(1, end("c", EndReason::HungUp)),
        says(&[(7, "end HungUp")])
    );
}

#[test]
fn a_side_that_is_back_hears_all_before_it_speaks() {
    let mut world = active();
    world.connect("bob", 6); // It may be the one that comes back: it is told as well until one of them speaks.
    assert_eq!(
        world.say(1, candidate("c")),
        says(&[(2, "candidate"), (6, "candidate")])
    );
    world.disconnect(2);
    assert_eq!(world.say(1, media("c")), says(&[(6, "media")]));
    assert_eq!(Ok(world.connect("bob", 7)), says(&[(7, "media")]));
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.say(6, media("c")), GONE);
    assert_eq!(
        world.say(1, end("c", EndReason::HungUp)),
        says(&[(7, "end HungUp")])
    );
}

#[test]
fn a_side_is_believed_to_be_back_before_its_loss_is_noticed() {
    let mut world = active();
    world.connect("bob", 7);
    assert_eq!(world.say(7, media("c")), says(&[(1, "media")]));
    assert_eq!(world.disconnect(2), []);
    assert_eq!(world.say(1, media("c")), says(&[(7, "media")]));
}

#[test]
fn the_end_waits_for_a_side_that_is_away() {
    let mut world = active();
    world.disconnect(2);
    assert_eq!(world.say(1, end("c", EndReason::HungUp)), says(&[]));
    assert_eq!(world.say(1, media("c")), GONE);
    let others = says(&[(1, "offer")]);
    world.connect("eve", 3);
    assert_eq!(
        world.call(3, "ann", "ae", "d"),
        others,
        "nobody is busy with a call that is over"
    );
    assert_eq!(Ok(world.connect("bob", 7)), says(&[(7, "end HungUp")]));
    assert_eq!(world.say(7, media("c")), GONE);
    world.wait(FORGET_AFTER);
    assert_eq!(world.connect("bob", 8), []);
    assert!(!world.calls.calls.contains_key(&CallId("c".into())));
}

#[test]
fn a_call_that_both_have_left_is_forgotten() {
    let mut world = active();
    world.disconnect(1);
    world.disconnect(2);
    world.wait(FORGET_AFTER - Duration::from_secs(1));
    assert_eq!(world.calls.calls.len(), 1);
    world.wait(Duration::from_secs(1));
    assert!(world.calls.calls.is_empty() && world.calls.by_user.is_empty());
}

#[test]
fn a_call_that_one_returns_to_is_not() {
    let mut world = active();
    world.disconnect(1);
    world.disconnect(2);
    world.connect("bob", 7);
    world.say(7, media("c")).expect("kept");
    world.wait(FORGET_AFTER);
    assert_eq!(Ok(world.connect("ann", 8)), says(&[(8, "media")]));
}

#[test]
fn whoever_lost_a_call_is_free_again() {
    let mut world = active();
    world.connect("eve", 3);
    world.disconnect(2);
    world.connect("bob", 7);
    assert_eq!(
        world.call(3, "bob", "be", "d"),
        Err(CallErrorCode::UserBusy)
    );
    world.wait(BUSY_AFTER_LOSS);
    assert_eq!(world.call(3, "bob", "be", "d"), says(&[(7, "offer")]));
    // A new call of one's own says that the old one is lost, and the other side hears it.
    let mut world = active();
    world.disconnect(2);
    world.connect("bob", 7);
    let called = world.call(7, "ann", "ab", "d");
    assert_eq!(called, says(&[(1, "end ConnectionFailed"), (1, "offer")]));
}
