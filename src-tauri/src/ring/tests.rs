//! A speaker that reports what it plays, and a view that goes through every phase.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use vireo_call::{
    CallPeer, CallView, ConnectionQuality, Direction, EncodedVideoSink, EndedReason,
    KeyFrameRequester, MediaFactory, NoMedia, Speaking,
};
use vireo_client::{ClientView, ConnectionState, OwnStatus};
use vireo_media::{
    AudioSink, AudioSource, MediaError, VideoSource,
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

struct Media(Sender<Heard>);

impl MediaFactory for Media {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        panic!("ringing needs no camera");
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        panic!("ringing needs no microphone");
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        let _ = self.0.send(Heard::Opened);
        Ok(Some(Box::new(Speaker(NullSink::new(), self.0.clone()))))
    }

    fn remote_video(&self, _key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        Box::new(NoMedia)
    }
}

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
        missed: Vec::new(),
        recent: Vec::new(),
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
    let view = watch::Sender::new(view_of(Screen::Starting));
    let show = |phase| view.send_modify(|view| view.screen = screen(phase));
    let following = tokio::spawn(follow(view.subscribe(), Arc::new(Media(sender))));
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
