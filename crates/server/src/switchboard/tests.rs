use vireo_protocol::{
    CallErrorCode, CallId, CallOutcome, ChatId, ClientMessage, MediaState, Presence,
    SessionDescription, User,
};

use super::board::{Board, SETTLE};
use super::*;
use crate::calls::Calls;

const RING: Duration = Duration::from_secs(30);

/// A board, and the time.
struct Town {
    board: Board,
    now: Now,
}

fn user(name: &str) -> UserId {
    UserId(name.to_owned())
}

fn account(name: &str) -> Arc<Account> {
    Arc::new(Account {
        user: User {
            id: user(name),
            name: name.to_owned(),
        },
        service: false,
    })
}

impl Town {
    fn new() -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_ms: 1_000_000,
        };
        let board = Board::new(Calls::new(RING));
        Self { board, now }
    }

    fn pass(&mut self, time: Duration) -> Vec<Output> {
        self.now.instant += time;
        self.now.unix_ms += i64::try_from(time.as_millis()).expect("short");
        self.board.tick(self.now)
    }

    fn ask(&mut self, command: Command) -> Vec<Output> {
        self.board.handle(command, self.now)
    }

    fn connect(&mut self, name: &str, device: u64, watchers: &[&str]) -> Vec<Output> {
        let connect = Command::Connect {
            device: DeviceId(device),
            account: account(name),
            session: Some(format!("session {device}")),
        };
        let mut out = self.ask(connect);
        out.extend(self.watch(name, watchers, 1));
        out
    }

    fn watch(&mut self, name: &str, watchers: &[&str], version: i64) -> Vec<Output> {
        self.ask(Command::Watchers {
            user: user(name),
            watchers: watchers.iter().map(|name| user(name)).collect(),
            do_not_disturb: false,
            version,
        })
    }

    fn disturb_not(&mut self, name: &str, watchers: &[&str], version: i64) -> Vec<Output> {
        self.ask(Command::Watchers {
            user: user(name),
            watchers: watchers.iter().map(|name| user(name)).collect(),
            do_not_disturb: true,
            version,
        })
    }

    fn leave(&mut self, device: u64) -> Vec<Output> {
        let device = DeviceId(device);
        let closed = true;
        self.ask(Command::Disconnect { device, closed })
    }

    fn call(&mut self, device: u64, partner: &str) -> Vec<Output> {
        let offer = Offer {
            call_id: CallId("c".into()),
            chat_id: ChatId("ab".into()),
            offer: SessionDescription::offer("sdp"),
            media_state: media_state(),
        };
        let partner = account(partner).as_ref().clone();
        self.ask(Command::Call {
            device: DeviceId(device),
            request: 7,
            call: CallCommand::Initiate { partner, offer },
        })
    }

    fn answer(&mut self, device: u64) -> Vec<Output> {
        let message = ClientMessage::CallAnswer {
            call_id: CallId("c".into()),
            chat_id: ChatId("ab".into()),
            answer: SessionDescription::answer("sdp"),
            media_state: media_state(),
        };
        self.ask(Command::Call {
            device: DeviceId(device),
            request: 8,
            call: CallCommand::Other(message),
        })
    }

    fn hang_up(&mut self, device: u64) -> Vec<Output> {
        let message = ClientMessage::CallEnd {
            call_id: CallId("c".into()),
            chat_id: ChatId("ab".into()),
            reason: vireo_protocol::EndReason::HungUp,
        };
        self.ask(Command::Call {
            device: DeviceId(device),
            request: 9,
            call: CallCommand::Other(message),
        })
    }
}

fn media_state() -> MediaState {
    MediaState::of(true, true)
}

/// Who hears what of whose presence.
fn presence(out: &[Output]) -> Vec<(u64, String, Presence)> {
    let news = out.iter().filter_map(|output| match output {
        Output::Send {
            to,
            message: ServerMessage::Presence {
                user_id, presence, ..
            },
        } => Some((to.0, user_id.0.clone(), *presence)),
        _ => None,
    });
    news.collect()
}

/// When a call began, was answered and ended, and how.
type Kept = (i64, Option<i64>, Option<i64>, Option<CallOutcome>);

/// What the history is told of how calls went.
fn outcomes(out: &[Output]) -> Vec<Kept> {
    let kept = out.iter().flat_map(|output| match output {
        Output::Keep { records, .. } => records.clone(),
        _ => Vec::new(),
    });
    kept.map(|r| (r.started_at, r.answered_at, r.ended_at, r.outcome))
        .collect()
}

/// What the history is to keep.
fn records(output: Output) -> Vec<CallRecord> {
    match output {
        Output::Keep { records, .. } => records,
        _ => Vec::new(),
    }
}

fn hears(out: &[Output], device: u64, fits: impl Fn(&ServerMessage) -> bool) -> bool {
    out.iter().any(|output| match output {
        Output::Send { to, message } => to.0 == device && fits(message),
        Output::Keep {
            then: Some((to, message)),
            ..
        } => to.0 == device && fits(message),
        _ => false,
    })
}

#[test]
fn a_call_rings_for_as_long_as_was_said_and_is_remembered() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    let out = town.call(1, "bob");
    assert!(hears(&out, 2, |m| matches!(
        m,
        ServerMessage::CallOffer { .. }
    )));
    assert_eq!(outcomes(&out), [(1_000_000, None, None, None)]);
    assert_eq!(town.pass(RING - Duration::from_millis(1)), []);
    let out = town.pass(Duration::from_millis(1));
    assert!(hears(&out, 1, |m| matches!(
        m,
        ServerMessage::CallError {
            id: None,
            code: CallErrorCode::NoAnswer,
            ..
        }
    )));
    assert!(hears(&out, 2, |m| matches!(
        m,
        ServerMessage::CallEnd { .. }
    )));
    let over = (
        1_000_000,
        None,
        Some(1_030_000),
        Some(CallOutcome::NoAnswer),
    );
    assert_eq!(outcomes(&out), [over]);
}

#[test]
fn who_asks_hears_that_it_was_done_once_the_history_is_safe() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    let out = town.call(1, "bob");
    let ok = ServerMessage::Ok { id: 7 };
    let then = Some((DeviceId(1), ok.clone()));
    let kept = |output: &Output| matches!(output, Output::Keep { then: t, .. } if *t == then);
    assert!(out.iter().any(kept), "{out:?}");
    let said = |output: &Output| matches!(output, Output::Send { message, .. } if *message == ok);
    assert!(!out.iter().any(said), "{out:?}");
}

#[test]
fn a_call_whose_sides_are_gone_ends_when_the_last_of_them_went() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    town.answer(2);
    town.pass(Duration::from_secs(60));
    town.leave(1);
    town.pass(Duration::from_secs(5));
    town.leave(2);
    assert_eq!(outcomes(&town.pass(Duration::from_secs(119))), []);
    let over = (
        1_000_000,
        Some(1_000_000),
        Some(1_065_000),
        Some(CallOutcome::Completed),
    );
    assert_eq!(outcomes(&town.pass(Duration::from_secs(2))), [over]);
}

#[test]
fn presence_follows_calls_and_what_people_say_of_themselves() {
    let mut town = Town::new();
    town.connect("eve", 3, &[]);
    let said = |out: &[Output]| -> Vec<Presence> {
        presence(out)
            .into_iter()
            .filter(|(to, ..)| *to == 3)
            .map(|(_, _, p)| p)
            .collect()
    };
    assert_eq!(said(&town.connect("ann", 1, &["eve"])), [Presence::Online]);
    town.connect("bob", 2, &[]);
    assert_eq!(said(&town.call(1, "bob")), [Presence::InCall]);
    assert_eq!(said(&town.answer(2)), []);
    assert_eq!(said(&town.leave(1)), [Presence::Offline]);
    assert_eq!(said(&town.connect("ann", 4, &["eve"])), [Presence::Online]);
    let set = |status| Command::SetStatus {
        device: DeviceId(4),
        status,
    };
    assert_eq!(said(&town.ask(set(DeviceStatus::Away))), [Presence::Away]);
    // Another device in use: the person is there.
    assert_eq!(said(&town.connect("ann", 5, &["eve"])), [Presence::Online]);
    assert_eq!(
        said(&town.disturb_not("ann", &["eve"], 2)),
        [Presence::DoNotDisturb]
    );
    // The person, not a device: whatever one says, and whichever is there.
    assert_eq!(said(&town.ask(set(DeviceStatus::Online))), []);
    assert_eq!(said(&town.leave(5)), []);
    assert_eq!(said(&town.leave(4)), [Presence::Offline]);
}

#[test]
fn only_those_who_may_see_somebody_hear_of_them() {
    let mut town = Town::new();
    town.connect("ann", 1, &["bob"]);
    town.connect("eve", 2, &[]);
    let came = ("bob".to_owned(), Presence::Online);
    let out = town.connect("bob", 3, &["ann"]);
    let heard: Vec<_> = presence(&out);
    assert_eq!(heard, [(1, came.0.clone(), came.1)]);
    let out = town.leave(3);
    assert_eq!(presence(&out), [(1, came.0, Presence::Offline)]);
    let at_ms = 1_000_000;
    let user = user("bob");
    assert!(out.contains(&Output::LastSeen { user, at_ms }));
}

#[test]
fn an_older_list_of_watchers_does_not_replace_a_newer_one() {
    let mut town = Town::new();
    town.connect("eve", 1, &[]);
    town.connect("bob", 2, &[]);
    town.watch("bob", &[], 5);
    assert_eq!(presence(&town.watch("bob", &["eve"], 4)), []);
    assert_eq!(presence(&town.leave(2)), []);
}

#[test]
fn a_revoked_session_ends_its_connections_and_no_others() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("ann", 2, &[]);
    let session = "session 1".to_owned();
    let device = DeviceId(1);
    let out = town.ask(Command::EndSession { session });
    assert_eq!(out, [Output::SignOut { device }]);
}

#[test]
fn nobody_connects_without_end() {
    let mut town = Town::new();
    for device in 1..=20 {
        town.connect("ann", device, &[]);
    }
    let device = DeviceId(21);
    assert_eq!(
        town.connect("ann", 21, &[]),
        [Output::OneTooMany { device }]
    );
    town.leave(21);
    town.leave(3);
    assert_eq!(town.connect("ann", 22, &[]), []);
}

#[test]
fn another_board_goes_on_with_a_call_that_rings() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    let calls = town.board.snapshots();
    let text = serde_json::to_string(&calls).expect("plain data");
    let calls: Vec<Snapshot> = serde_json::from_str(&text).expect("as it was written");

    town.board = Board::new(Calls::new(RING));
    town.ask(Command::Adopt { calls });
    // Known connections do not hear the offer again; a new one does.
    assert!(!hears(&town.connect("ann", 1, &[]), 1, |_| true));
    assert!(!hears(&town.connect("bob", 2, &[]), 2, |_| true));
    let offer = |m: &ServerMessage| matches!(m, ServerMessage::CallOffer { .. });
    assert!(hears(&town.connect("bob", 3, &[]), 3, offer));
    // What was asked of the old board and not confirmed is asked again, and does no harm.
    assert!(hears(&town.call(1, "bob"), 1, |m| *m
        == ServerMessage::Ok { id: 7 }));
    assert_eq!(town.pass(Duration::from_secs(6)), []);
    let out = town.answer(2);
    let answered = |m: &ServerMessage| matches!(m, ServerMessage::CallAnswer { .. });
    assert!(hears(&out, 1, answered));
}

#[test]
fn who_comes_back_to_another_board_a_little_later_misses_nothing() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    town.answer(2);
    let calls = town.board.snapshots();
    town.board = Board::new(Calls::new(RING));
    town.ask(Command::Adopt { calls });
    town.connect("ann", 1, &[]);
    town.hang_up(1);
    let ended = |m: &ServerMessage| matches!(m, ServerMessage::CallEnd { .. });
    assert!(hears(&town.connect("bob", 2, &[]), 2, ended));
}

#[test]
fn a_call_that_has_ended_is_not_taken_up_from_a_history_that_does_not_know_it_yet() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    let answered: Vec<CallRecord> = town.answer(2).into_iter().flat_map(records).collect();
    town.hang_up(1);
    assert_eq!(town.board.adopt_records(answered, 0, town.now), []);
    assert!(hears(&town.call(1, "bob"), 1, |m| *m
        == ServerMessage::Ok { id: 7 }));
}

#[test]
fn who_is_there_already_takes_part_in_a_call_that_is_taken_over() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    town.answer(2);
    town.leave(2);
    let calls = town.board.snapshots();
    town.board = Board::new(Calls::new(RING));
    town.connect("bob", 2, &[]);
    town.ask(Command::Adopt { calls });
    town.connect("ann", 1, &[]);
    let ended = |m: &ServerMessage| matches!(m, ServerMessage::CallEnd { .. });
    assert!(hears(&town.hang_up(1), 2, ended));
}

#[test]
fn who_does_not_come_back_to_another_board_has_left() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    let calls = town.board.snapshots();
    town.board = Board::new(Calls::new(RING));
    town.ask(Command::Adopt { calls });
    town.connect("bob", 2, &[]);
    let out = town.pass(SETTLE);
    let ended = |m: &ServerMessage| matches!(m, ServerMessage::CallEnd { .. });
    assert!(hears(&out, 2, ended), "{out:?}");
}

#[test]
fn a_call_that_went_on_when_the_server_stopped_goes_on_or_ends_when_it_was_last_alive() {
    let mut town = Town::new();
    town.connect("ann", 1, &[]);
    town.connect("bob", 2, &[]);
    town.call(1, "bob");
    let out = town.answer(2);
    let records: Vec<CallRecord> = out.into_iter().flat_map(records).collect();
    let mut ringing = records[0].clone();
    ringing.id = "another".to_owned();
    ringing.call_id = CallId("another".to_owned());
    ringing.answered_at = None;

    town.board = Board::new(Calls::new(RING));
    town.pass(Duration::from_secs(10));
    let known = vec![records[0].clone(), ringing];
    town.board.expect_records();
    let out = town.board.adopt_records(known, 1_004_000, town.now);
    let failed = (1_000_000, None, Some(1_004_000), Some(CallOutcome::Failed));
    assert_eq!(outcomes(&out), [failed]);
    let out = town.pass(Duration::from_secs(121));
    let completed = (
        1_000_000,
        Some(1_000_000),
        Some(1_004_000),
        Some(CallOutcome::Completed),
    );
    assert_eq!(outcomes(&out), [completed]);
}
