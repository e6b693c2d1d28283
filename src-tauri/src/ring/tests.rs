//! A speaker that reports what it plays, and a view that goes through every phase.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use vireo_call::{CallPeer, CallView, ConnectionQuality, Direction, EndedReason, Speaking};
use vireo_client::{ClientView, ConnectionState, OwnStatus};
use vireo_media::{
    AudioSink, MediaError,
    audio::{AudioFrame, NullSink},
};
use vireo_protocol::{CallId, ChatId, MediaState, User, UserId};

use super::*;
use crate::view::Screen;

/// How long a busy machine may take for anything here.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, PartialEq)]
enum Heard {
    Opened,
    Sound,
    Closed,
}

struct Speaker(NullSink, Sender<Heard>);

impl Speaker {
    fn open(told: &Sender<Heard>) -> Opened {
        let _ = told.send(Heard::Opened);
        Ok(Some(Box::new(Self(NullSink::new(), told.clone()))))
    }
}

impl AudioSink for Speaker {
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError> {
        if *frame != AudioFrame::SILENCE {
            let _ = self.1.send(Heard::Sound);
        }
        self.0.write(frame)
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        let _ = self.1.send(Heard::Closed);
    }
}

/// What is heard from the speaker of calls, and from the second one.
struct Both(Sender<Heard>, Sender<Heard>);

impl Speakers for Both {
    fn speaker(&self) -> Opened {
        Speaker::open(&self.0)
    }

    fn second_speaker(&self, id: &str) -> Opened {
        assert_eq!(id, SECOND);
        Speaker::open(&self.1)
    }
}

const SECOND: &str = "built-in";

fn screen(phase: Option<Phase>) -> Screen {
    let media = MediaState::of(true, true);
    let call = phase.map(|phase| CallView {
        call_id: CallId("call".into()),
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
    });
    Screen::Home(Box::new(ClientView {
        connection: ConnectionState::Online,
        me: User {
            id: UserId("anna".into()),
            name: "Anna".into(),
        },
        status: OwnStatus::Online,
        contacts: Vec::new(),
        call,
        servers: Vec::new(),
        avatar: None,
        missed: Vec::new(),
        recent: Vec::new(),
        has_relay: false,
    }))
}

fn view_of(screen: Screen) -> AppView {
    AppView {
        screen,
        ..AppView::default()
    }
}

#[test]
fn a_ringing_that_was_put_away_is_not_heard() {
    let mut view = view_of(screen(Some(Phase::Incoming)));
    assert!(tone_of(&view).is_some());
    view.desk.silent = true;
    assert_eq!(tone_of(&view), None);
}

#[test]
fn whoever_does_not_wish_to_be_disturbed_hears_only_their_own_calls() {
    let tone = |phase, status| {
        let mut screen = screen(Some(phase));
        if let Screen::Home(client) = &mut screen {
            client.status = status;
        }
        tone_of(&view_of(screen))
    };
    assert_eq!(tone(Phase::Incoming, OwnStatus::DoNotDisturb), None);
    assert!(tone(Phase::Incoming, OwnStatus::Away).is_some());
    assert!(tone(Phase::Ringing, OwnStatus::DoNotDisturb).is_some());
}

#[test]
fn a_ring_tone_that_is_switched_off_is_not_heard_and_the_ringback_is() {
    let mut view = view_of(screen(Some(Phase::Incoming)));
    view.alerts.ringtone = false;
    assert_eq!(sounds_of(&view), []);
    view.screen = screen(Some(Phase::Ringing));
    view.alerts.second_speaker = Some(SECOND.into());
    let ringback = Sound {
        tone: Tone::Ringback,
        second: None,
    };
    assert_eq!(sounds_of(&view), [ringback], "nobody else waits for it");
}

/// Waits for the first sound, having seen the speaker opened.
fn starts(heard: &Receiver<Heard>) {
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(Heard::Opened));
    assert_eq!(heard.recv_timeout(PATIENCE), Ok(Heard::Sound));
}

/// Waits until the speaker is closed.
fn stops(heard: &Receiver<Heard>) {
    let deadline = Instant::now() + PATIENCE;
    while heard.recv_timeout(PATIENCE) != Ok(Heard::Closed) {
        assert!(Instant::now() < deadline, "it goes on ringing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rings_until_there_is_any_outcome() {
    let outcomes = [
        Some(Phase::Connecting),
        Some(Phase::Connected),
        Some(Phase::Ended {
            reason: EndedReason::CallerCancelled,
        }),
        Some(Phase::Ended {
            reason: EndedReason::AnsweredElsewhere,
        }),
        None,
    ];
    let (sender, heard) = channel();
    let (unheard, _) = channel();
    let view = watch::Sender::new(view_of(Screen::Starting));
    let show = |phase| view.send_modify(|view| view.screen = screen(phase));
    let following = tokio::spawn(follow(view.subscribe(), Arc::new(Both(sender, unheard))));
    for rings in [Phase::Incoming, Phase::Ringing] {
        for outcome in outcomes {
            show(Some(rings));
            starts(&heard);
            show(outcome);
            stops(&heard);
        }
    }
    // The application ends while it rings.
    show(Some(Phase::Incoming));
    starts(&heard);
    drop(view);
    stops(&heard);
    following.await.expect("it ends with the views");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rings_on_a_second_speaker_as_soon_as_one_is_chosen() {
    let ((sender, heard), (other, heard_there)) = (channel(), channel());
    let view = watch::Sender::new(view_of(screen(Some(Phase::Incoming))));
    let speakers = Arc::new(Both(sender, other));
    let following = tokio::spawn(follow(view.subscribe(), speakers));
    starts(&heard);
    view.send_modify(|view| view.alerts.second_speaker = Some(SECOND.into()));
    starts(&heard_there);
    view.send_modify(|view| view.alerts.second_speaker = None);
    stops(&heard_there);
    view.send_modify(|view| view.screen = screen(None));
    stops(&heard);
    drop(view);
    following.await.expect("it ends with the views");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_heard_once_and_so_is_its_return() {
    let (sender, heard) = channel();
    let (unheard, _) = channel();
    let view = watch::Sender::new(view_of(screen(Some(Phase::Connecting))));
    let show = |phase| view.send_modify(|view| view.screen = screen(Some(phase)));
    let following = tokio::spawn(follow(view.subscribe(), Arc::new(Both(sender, unheard))));
    // Each by itself, since a view that nobody has looked at counts as none.
    let settle = || tokio::time::sleep(Duration::from_millis(50));
    settle().await;
    show(Phase::Connected);
    settle().await;
    assert!(heard.try_recv().is_err(), "nothing was lost");
    for phase in [Phase::Reconnecting, Phase::Connected] {
        show(phase);
        starts(&heard);
        stops(&heard);
    }
    show(Phase::Reconnecting);
    starts(&heard);
    let reason = EndedReason::ConnectionLost;
    show(Phase::Ended { reason });
    stops(&heard);
    drop(view);
    following.await.expect("it ends with the views");
}

#[test]
fn a_cue_belongs_to_one_call() {
    let moment = |call: &str, phase| Some((CallId(call.into()), phase));
    let heard =
        |before: Option<Moment>, now: Option<Moment>| cue_between(before.as_ref(), now.as_ref());
    let lost = moment("one", Phase::Reconnecting);
    assert_eq!(
        heard(moment("one", Phase::Connected), lost.clone()),
        Some(Tone::Lost)
    );
    assert_eq!(heard(lost.clone(), lost.clone()), None);
    assert_eq!(
        heard(lost.clone(), moment("one", Phase::Connected)),
        Some(Tone::Back)
    );
    assert_eq!(heard(lost, moment("other", Phase::Connected)), None);
    assert_eq!(heard(None, moment("one", Phase::Connected)), None);
}
