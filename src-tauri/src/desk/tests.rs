use vireo_call::{CallPeer, ConnectionQuality, Direction, EndedReason, Speaking};
use vireo_protocol::{ChatId, MediaState, UserId};

use super::*;

fn call(id: &str, phase: Phase) -> CallView {
    let media = MediaState::of(true, true);
    CallView {
        call_id: CallId(id.into()),
        chat_id: ChatId("chat".into()),
        peer: CallPeer {
            user_id: UserId("boris".into()),
            name: "Boris".into(),
        },
        direction: Direction::Incoming,
        phase,
        local: media,
        remote: media,
        speaking: Speaking::default(),
        microphone_hint: None,
        connection: ConnectionQuality::Good,
        connected_at_ms: None,
        ended_at_ms: None,
        server_reachable: true,
        notices: Vec::new(),
    }
}

const OVER: Phase = Phase::Ended {
    reason: EndedReason::CallerCancelled,
};

/// A desk with a tray icon and a main window that has the focus or not.
fn desk(focused: bool) -> Desk {
    let mut desk = Desk::default();
    desk.set_tray(true);
    desk.main_open(focused);
    desk
}

fn follow(desk: &mut Desk, phase: Phase) -> DeskView {
    desk.follow(Some(&call("call", phase)), false);
    desk.view()
}

#[test]
fn a_call_rings_in_one_place() {
    let here = follow(&mut desk(true), Phase::Incoming);
    assert_eq!(here.call, CallPlace::MainWindow);
    let mut elsewhere = desk(false);
    let rings = follow(&mut elsewhere, Phase::Incoming);
    assert_eq!(rings.call, CallPlace::RingingWindow);
    elsewhere.main_open(true);
    assert_eq!(elsewhere.view().call, CallPlace::RingingWindow, "it stays");
    let answered = follow(&mut elsewhere, Phase::Connecting);
    assert_eq!(answered.call, CallPlace::MainWindow);
    assert!(answered.main_window, "it comes up");
    assert!(!follow(&mut desk(true), Phase::Connecting).main_window);
}

#[test]
fn nothing_comes_up_for_whoever_does_not_wish_to_be_disturbed() {
    let mut desk = desk(false);
    desk.follow(Some(&call("call", Phase::Incoming)), true);
    assert_eq!(desk.view().call, CallPlace::MainWindow);
}

#[test]
fn a_ringing_that_was_put_away_stays_away_unless_the_main_window_is_asked_for() {
    let mut desk = desk(false);
    follow(&mut desk, Phase::Incoming);
    desk.dismiss_ringing();
    let away = follow(&mut desk, Phase::Incoming);
    assert_eq!((away.call, away.silent), (CallPlace::Nowhere, true));
    // The focus goes to the main window by itself when another window closes.
    desk.main_open(true);
    assert_eq!(desk.view().call, CallPlace::Nowhere);
    desk.main_asked_for();
    let asked = desk.view();
    assert_eq!((asked.call, asked.silent), (CallPlace::MainWindow, true));
    desk.follow(Some(&call("another", Phase::Incoming)), false);
    assert!(!desk.view().silent);
}

#[test]
fn a_call_that_was_never_answered_leaves_nothing_behind() {
    for dismissed in [false, true] {
        let mut desk = desk(false);
        follow(&mut desk, Phase::Incoming);
        if dismissed {
            desk.dismiss_ringing();
        }
        assert!(!desk.is_done_with());
        assert_eq!(follow(&mut desk, OVER).call, CallPlace::Nowhere);
        assert!(desk.is_done_with());
    }
    let mut seen = desk(true);
    follow(&mut seen, Phase::Incoming);
    assert_eq!(follow(&mut seen, OVER).call, CallPlace::MainWindow);
    assert!(!seen.is_done_with());
}

#[test]
fn the_small_window_is_there_while_the_main_one_is_not() {
    let mut desk = desk(true);
    assert!(!follow(&mut desk, Phase::Connected).small_window);
    desk.main_minimised();
    assert!(desk.view().small_window);
    desk.close_small();
    assert!(!desk.view().small_window);
    desk.main_open(true);
    desk.main_closed();
    assert!(desk.view().small_window, "closed once is not for ever");
    assert!(!follow(&mut desk, OVER).small_window);
    assert!(!follow(&mut desk, Phase::Incoming).small_window);
}

#[test]
fn closing_releases_the_window_only_where_it_can_be_brought_back() {
    let mut desk = desk(true);
    let release = |ends_call| Closing::Release { ends_call };
    assert_eq!(desk.close_main(None), release(false));
    desk.set_tray(false);
    assert_eq!(desk.close_main(None), Closing::Minimise);
    follow(&mut desk, Phase::Connected);
    assert_eq!(desk.close_main(Some(false)), Closing::Minimise);
}

#[test]
fn what_becomes_of_a_call_is_asked_once() {
    let mut desk = desk(true);
    follow(&mut desk, Phase::Connected);
    assert_eq!(desk.close_main(None), Closing::Ask);
    assert!(desk.view().asks_to_close);
    desk.stay_open();
    assert!(!desk.view().asks_to_close);
    assert_eq!(desk.close_main(None), Closing::Ask);
    let keeps = Closing::Release { ends_call: false };
    assert_eq!(desk.close_main(Some(true)), keeps);
    let ends = Closing::Release { ends_call: true };
    assert_eq!(desk.close_main(Some(false)), ends);
    desk.main_open(false);
    desk.main_closed();
    assert!(!desk.view().small_window, "it shows up for a moment");
    // Nobody is asked about a call that is over.
    assert_eq!(desk.close_main(None), Closing::Ask);
    assert!(!follow(&mut desk, OVER).asks_to_close);
    assert_eq!(desk.close_main(None), Closing::Release { ends_call: false });
}
