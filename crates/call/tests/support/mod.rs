//! Two engines and what lies between them: a server that only passes messages on, and media that is made up.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc as std_mpsc,
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};
use vireo_call::{
    CallPeer, CallStats, CallView, EncodedVideoSink, Engine, EngineConfig, EngineEvent,
    KeyFrameRequester, MediaFactory, Phase, machine::Input, peer::Addresses,
};
use vireo_media::{
    AudioSink, AudioSource, EncodedFrame, MediaError, VideoFormat, VideoSource,
    audio::{NullSink, ToneMicrophone},
    video::PatternCamera,
};
use vireo_protocol::{
    CallId, ChatId, ClientMessage, EndReason, PictureSize, ServerMessage, UserId,
};

/// Far longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Media that counts what is opened.
pub struct TestMedia {
    pub opened: AtomicUsize,
    pub camera_is_broken: AtomicBool,
    /// Until its sender is dropped, opening any device takes for ever.
    slow: Option<Mutex<std_mpsc::Receiver<()>>>,
    frames: mpsc::UnboundedSender<EncodedFrame>,
    /// Where the other side's pictures are shown.
    pub window: Arc<Mutex<Option<PictureSize>>>,
}

const FORMAT: VideoFormat = VideoFormat {
    width: 640,
    height: 360,
    frame_rate: 30,
};

impl TestMedia {
    fn open<T>(&self, open: impl FnOnce() -> T) -> T {
        self.opened.fetch_add(1, SeqCst);
        if let Some(slow) = &self.slow {
            let _ = slow.lock().expect("no opener panics").recv();
        }
        open()
    }
}

impl MediaFactory for TestMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        self.open(|| {
            if self.camera_is_broken.load(SeqCst) {
                return Err(MediaError::Device(
                    "The camera is in use by another program.".to_owned(),
                ));
            }
            Ok(Some(
                Box::new(PatternCamera::new(FORMAT)) as Box<dyn VideoSource>
            ))
        })
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        self.open(|| {
            Ok(Some(
                Box::new(ToneMicrophone::new(440.0)) as Box<dyn AudioSource>
            ))
        })
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        self.open(|| Ok(Some(Box::new(NullSink::new()) as Box<dyn AudioSink>)))
    }

    fn remote_video(&self, _key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        Box::new(Sink {
            frames: self.frames.clone(),
            window: self.window.clone(),
        })
    }

    fn video_format(&self) -> VideoFormat {
        FORMAT
    }

    fn max_bitrate(&self) -> u32 {
        500_000
    }
}

struct Sink {
    frames: mpsc::UnboundedSender<EncodedFrame>,
    window: Arc<Mutex<Option<PictureSize>>>,
}

impl EncodedVideoSink for Sink {
    fn frame(&mut self, frame: EncodedFrame) {
        let _ = self.frames.send(frame);
    }

    fn shown(&self) -> Option<PictureSize> {
        *self.window.lock().expect("nobody panics with it")
    }
}

/// One end of the line.
pub struct Side {
    pub engine: Arc<Engine>,
    pub media: Arc<TestMedia>,
    pub frames: mpsc::UnboundedReceiver<EncodedFrame>,
    view: watch::Receiver<Option<Box<CallView>>>,
}

impl Side {
    pub fn place(&self, call: &str, camera: bool) {
        self.engine.input(Input::Place {
            call_id: CallId(call.to_owned()),
            chat_id: ChatId("chat".to_owned()),
            peer: CallPeer {
                user_id: UserId("other".to_owned()),
                name: "Other".to_owned(),
            },
            camera,
        });
    }

    pub fn view(&self) -> Option<CallView> {
        self.view.borrow().as_deref().cloned()
    }

    /// Waits until the call looks like this.
    pub async fn until(&mut self, what: &str, condition: impl Fn(&CallView) -> bool) -> CallView {
        let fits = |view: &Option<Box<CallView>>| view.as_deref().is_some_and(&condition);
        let found = timeout(PATIENCE, self.view.wait_for(fits)).await.is_ok();
        let view = self.view();
        assert!(found, "waited for {what}; the call is {view:?}");
        view.expect("the condition asked for a call")
    }

    pub async fn until_phase(&mut self, phase: Phase) -> CallView {
        self.until(phase.name(), |view| view.phase == phase).await
    }

    /// Waits until devices have been tried more than so many times, and the engine has done what it was asked before.
    pub async fn opens_more_than(&self, tried: usize) {
        let more = async {
            while self.media.opened.load(SeqCst) <= tried {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, more).await.expect("another try in time");
        self.stats().await;
    }

    pub async fn frame(&mut self) -> EncodedFrame {
        let frame = timeout(PATIENCE, self.frames.recv()).await;
        frame
            .expect("a picture in time")
            .expect("the engine is there")
    }

    pub async fn stats(&self) -> Option<CallStats> {
        let (reply, answer) = oneshot::channel();
        self.engine.stats(reply);
        answer.await.expect("the engine answers")
    }
}

/// Two engines with a server between them.
pub struct Pair {
    pub alice: Side,
    pub bob: Side,
    pub server_is_there: Arc<AtomicBool>,
}

#[derive(Default)]
pub struct Setting {
    pub bob_reflects: bool,
    pub bobs_devices_wait_for: Option<std_mpsc::Receiver<()>>,
    pub bobs_camera_is_broken: bool,
}

impl Pair {
    pub fn new() -> Self {
        Self::with(Setting::default())
    }

    pub fn with(setting: Setting) -> Self {
        let server_is_there = Arc::new(AtomicBool::new(true));
        let (to_bob, from_alice) = mpsc::unbounded_channel();
        let (to_alice, from_bob) = mpsc::unbounded_channel();
        let alice = side(to_bob, false, None, false);
        let bob = side(
            to_alice,
            setting.bob_reflects,
            setting.bobs_devices_wait_for,
            setting.bobs_camera_is_broken,
        );
        tokio::spawn(forward(
            from_alice,
            bob.engine.clone(),
            "alice",
            server_is_there.clone(),
        ));
        tokio::spawn(forward(
            from_bob,
            alice.engine.clone(),
            "bob",
            server_is_there.clone(),
        ));
        Self {
            alice,
            bob,
            server_is_there,
        }
    }

    /// Alice calls, Bob accepts, both are connected.
    pub async fn connect(&mut self, camera: bool) {
        self.alice.place("call", camera);
        self.bob.until_phase(Phase::Incoming).await;
        self.bob.engine.input(Input::Accept { camera });
        self.alice.until_phase(Phase::Connected).await;
        self.bob.until_phase(Phase::Connected).await;
    }
}

fn side(
    outgoing: mpsc::UnboundedSender<ClientMessage>,
    reflect: bool,
    slow: Option<std_mpsc::Receiver<()>>,
    camera_is_broken: bool,
) -> Side {
    let (frame_sender, frames) = mpsc::unbounded_channel();
    let media = Arc::new(TestMedia {
        opened: AtomicUsize::new(0),
        camera_is_broken: AtomicBool::new(camera_is_broken),
        slow: slow.map(Mutex::new),
        frames: frame_sender,
        window: Arc::default(),
    });
    let config = EngineConfig {
        addresses: Addresses::Loopback,
        reflect,
        ..EngineConfig::default()
    };
    let (show, view) = watch::channel(None);
    let engine = Engine::start(config, media.clone(), move |event| match event {
        EngineEvent::Send(message) => drop(outgoing.send(message)),
        EngineEvent::View(view) => drop(show.send(view)),
    });
    engine.input(Input::ServerBack);
    Side {
        engine: Arc::new(engine),
        media,
        frames,
        view,
    }
}

async fn forward(
    mut messages: mpsc::UnboundedReceiver<ClientMessage>,
    to: Arc<Engine>,
    from: &'static str,
    server_is_there: Arc<AtomicBool>,
) {
    while let Some(message) = messages.recv().await {
        if server_is_there.load(SeqCst) {
            to.input(Input::Receive(forwarded(message, from)));
        }
    }
}

fn forwarded(message: ClientMessage, from: &str) -> ServerMessage {
    match message {
        ClientMessage::CallInitiate {
            call_id,
            chat_id,
            offer,
            media_state,
        } => ServerMessage::CallOffer {
            call_id,
            chat_id,
            offer,
            caller_id: UserId(from.to_owned()),
            caller_name: from.to_owned(),
            media_state,
        },
        ClientMessage::CallRinging { call_id, chat_id } => {
            ServerMessage::CallRinging { call_id, chat_id }
        }
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
        ClientMessage::CallIceCandidate {
            call_id,
            chat_id,
            candidate,
        } => ServerMessage::CallIceCandidate {
            call_id,
            chat_id,
            candidate,
        },
        ClientMessage::CallMediaState {
            call_id,
            chat_id,
            media_state,
        } => ServerMessage::CallMediaState {
            call_id,
            chat_id,
            media_state,
        },
        ClientMessage::CallRestart {
            call_id,
            chat_id,
            attempt,
            description,
        } => ServerMessage::CallRestart {
            call_id,
            chat_id,
            attempt,
            description,
        },
        ClientMessage::CallEnd {
            call_id, chat_id, ..
        } => {
            let reason = EndReason::HungUp;
            ServerMessage::CallEnd {
                call_id,
                chat_id,
                reason,
            }
        }
        ClientMessage::CallReject {
            call_id, chat_id, ..
        } => ServerMessage::CallRejected { call_id, chat_id },
        ClientMessage::Hello { .. }
        | ClientMessage::ContactsList {}
        | ClientMessage::ContactsAdd { .. }
        | ClientMessage::ContactsAccept { .. }
        | ClientMessage::ContactsDecline { .. }
        | ClientMessage::ContactsRemove { .. }
        | ClientMessage::ContactsBlock { .. }
        | ClientMessage::ContactsUnblock { .. }
        | ClientMessage::PresenceSet { .. }
        | ClientMessage::PresenceDoNotDisturb { .. }
        | ClientMessage::CallsHistory { .. } => {
            unreachable!("an engine speaks of calls only")
        }
    }
}
