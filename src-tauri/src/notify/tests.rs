use std::time::Duration;

use vireo_call::{CallPeer, CallView, ConnectionQuality, Direction, EndedReason, Speaking};
use vireo_client::{ClientView, ConnectionState, OwnStatus};
use vireo_protocol::{MediaState, User, UserId};

use super::{news::SERVER_MAY_BE_AWAY, *};
use crate::{
    desk::CallPlace,
    view::{AppView, Screen},
};

fn call(id: &str, phase: Phase, video: bool) -> CallView {
    CallView {
        call_id: CallId(id.to_owned()),
        chat_id: ChatId("chat".to_owned()),
        peer: CallPeer {
            user_id: UserId("boris".to_owned()),
            name: "<b>Boris</b>".to_owned(),
        },
        direction: Direction::Incoming,
        phase,
        local: MediaState::of(true, true),
        remote: MediaState::of(true, video),
        speaking: Speaking::default(),
        microphone_hint: None,
        connection: ConnectionQuality::Good,
        connected_at_ms: None,
        ended_at_ms: None,
        server_reachable: true,
        notices: Vec::new(),
    }
}

struct Told {
    news: News,
    view: AppView,
    now: Instant,
}

impl Told {
    fn new(status: OwnStatus) -> Self {
        let client = ClientView {
            connection: ConnectionState::Online,
            me: User {
                id: UserId("anna".to_owned()),
                name: "Anna".to_owned(),
            },
            status,
            contacts: Vec::new(),
            call: None,
            servers: Vec::new(),
            avatar: None,
            missed: Vec::new(),
            recent: Vec::new(),
            has_relay: false,
        };
        let view = AppView {
            screen: Screen::Home(Box::new(client)),
            ..AppView::default()
        };
        Self {
            news: News::new(true),
            view,
            now: Instant::now(),
        }
    }

    fn when(&mut self, change: impl FnOnce(&mut ClientView), watched: bool) -> Vec<Change> {
        if let Screen::Home(client) = &mut self.view.screen {
            change(client);
        }
        self.news.follow(&self.view, watched, self.now)
    }

    fn call(&mut self, phase: Phase, watched: bool) -> Vec<Change> {
        self.when(|client| client.call = Some(call("1", phase, true)), watched)
    }

    /// The same, where the desk lets it ring.
    fn rings_in(&mut self, place: CallPlace, watched: bool) -> Vec<Change> {
        self.view.desk.call = place;
        self.call(Phase::Incoming, watched)
    }

    fn connection(&mut self, connection: ConnectionState) -> Vec<Change> {
        self.when(|client| client.connection = connection, false)
    }
}

fn ended(reason: EndedReason) -> Phase {
    Phase::Ended { reason }
}

fn withdrawn() -> Vec<Change> {
    vec![Change::Withdraw(Subject::Call(CallId("1".to_owned())))]
}

#[test]
fn a_call_is_told_once_with_what_can_be_done_and_goes_when_it_rings_no_more() {
    for over in [
        Phase::Connecting,
        ended(EndedReason::AnsweredElsewhere),
        ended(EndedReason::DeclinedHere),
    ] {
        let mut told = Told::new(OwnStatus::Online);
        let [Change::Show(message)] = &told.call(Phase::Incoming, false)[..] else {
            panic!("it is not told");
        };
        assert_eq!(message.title, "<b>Boris</b>");
        assert_eq!(message.text, "call.incomingVideo");
        let keys: Vec<_> = message.acts.iter().map(Act::key).collect();
        assert_eq!(keys, ["decline", "answer-without-video", "answer"]);
        assert!(told.call(Phase::Incoming, false).is_empty(), "told before");
        assert_eq!(told.call(over, false), withdrawn());
        assert!(told.call(over, false).is_empty());
    }
}

#[test]
fn an_audio_call_is_answered_as_one() {
    let mut told = Told::new(OwnStatus::Online);
    let ring = |client: &mut ClientView| client.call = Some(call("1", Phase::Incoming, false));
    let [Change::Show(message)] = &told.when(ring, false)[..] else {
        panic!("it is not told");
    };
    let answer = Act::Answer {
        call: CallId("1".to_owned()),
        camera: false,
    };
    assert_eq!(message.acts, [Act::Decline(CallId("1".to_owned())), answer]);
}

#[test]
fn a_call_that_was_missed_takes_the_place_of_the_one_that_rang() {
    for reason in [EndedReason::Missed, EndedReason::CallerCancelled] {
        let mut told = Told::new(OwnStatus::Online);
        told.call(Phase::Incoming, false);
        let [Change::Show(message)] = &told.call(ended(reason), false)[..] else {
            panic!("it is not told");
        };
        assert_eq!(message.subject, Subject::Call(CallId("1".to_owned())));
        assert_eq!(message.text, "ended.missed");
        assert!(!message.urgent);
    }
}

#[test]
fn whoever_looks_at_the_window_or_wants_peace_is_told_nothing() {
    let mut watching = Told::new(OwnStatus::Online);
    assert!(watching.call(Phase::Incoming, true).is_empty());
    assert!(watching.call(ended(EndedReason::Missed), true).is_empty());
    let mut peaceful = Told::new(OwnStatus::DoNotDisturb);
    assert!(peaceful.call(Phase::Incoming, false).is_empty());
    assert!(peaceful.call(ended(EndedReason::Missed), false).is_empty());
    // Told while nobody looked, seen before it was over.
    let mut told = Told::new(OwnStatus::Online);
    assert_eq!(told.call(Phase::Incoming, false).len(), 1);
    assert_eq!(told.call(ended(EndedReason::Missed), true), withdrawn());
}

#[test]
fn a_window_that_rings_says_it_all_until_the_call_is_missed() {
    let mut told = Told::new(OwnStatus::Online);
    assert!(told.rings_in(CallPlace::RingingWindow, false).is_empty());
    told.view.desk.call = CallPlace::Nowhere;
    // Even to whoever works in the main window by now: it was not shown there.
    let [Change::Show(message)] = &told.call(ended(EndedReason::Missed), true)[..] else {
        panic!("nobody hears of it");
    };
    assert_eq!(message.text, "ended.missed");
}

#[test]
fn a_window_that_may_lie_behind_others_does_not_say_it_all() {
    let mut told = Told::new(OwnStatus::Online);
    told.news = News::new(false);
    let rings = told.rings_in(CallPlace::RingingWindow, false);
    assert!(matches!(rings[..], [Change::Show(_)]));
    // It is put away for the notification as well.
    assert_eq!(told.rings_in(CallPlace::Nowhere, false), withdrawn());
    told.view.desk.silent = true;
    assert!(told.rings_in(CallPlace::MainWindow, false).is_empty());
}

#[test]
fn a_window_that_cannot_be_opened_leaves_it_to_the_notification() {
    let mut told = Told::new(OwnStatus::Online);
    assert!(told.rings_in(CallPlace::RingingWindow, false).is_empty());
    let rings = told.rings_in(CallPlace::MainWindow, false);
    assert!(matches!(rings[..], [Change::Show(_)]));
    assert!(told.rings_in(CallPlace::MainWindow, false).is_empty());
}

#[test]
fn notifications_that_are_switched_off_do_not_come() {
    let mut told = Told::new(OwnStatus::Online);
    assert_eq!(told.call(Phase::Incoming, false).len(), 1);
    told.view.alerts.notifications = false;
    assert_eq!(told.call(ended(EndedReason::Missed), false), withdrawn());
    assert!(told.call(Phase::Incoming, false).is_empty());
    told.connection(ConnectionState::Unreachable);
    told.now += SERVER_MAY_BE_AWAY;
    assert!(told.connection(ConnectionState::Unreachable).is_empty());
}

#[test]
fn they_speak_the_language_that_the_person_has_chosen() {
    let mut told = Told::new(OwnStatus::Online);
    told.view.appearance.language = Language::Ru;
    let [Change::Show(message)] = &told.call(Phase::Incoming, false)[..] else {
        panic!("it is not told");
    };
    assert_eq!(message.words().get(message.text), "Входящий видеозвонок");
}

#[test]
fn a_server_that_stays_away_is_told_and_its_return_clears_that() {
    let mut told = Told::new(OwnStatus::Online);
    assert!(told.connection(ConnectionState::Unreachable).is_empty());
    assert_eq!(told.news.due(), Some(told.now + SERVER_MAY_BE_AWAY));
    told.now += SERVER_MAY_BE_AWAY;
    let [Change::Show(message)] = &told.connection(ConnectionState::Unreachable)[..] else {
        panic!("it is not told");
    };
    assert_eq!(message.subject, Subject::Server);
    assert_eq!(told.news.due(), None);
    let back = told.connection(ConnectionState::Online);
    assert_eq!(back, [Change::Withdraw(Subject::Server)]);
    // One that is back in time is not worth a word.
    assert!(told.connection(ConnectionState::Unreachable).is_empty());
    told.now += SERVER_MAY_BE_AWAY - Duration::from_secs(1);
    assert!(told.connection(ConnectionState::Online).is_empty());
    assert_eq!(told.news.due(), None);
}
