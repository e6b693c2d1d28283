//! A real server, people on it, and media that is made up.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use vireo_call::{
    CallView, EncodedVideoSink, EndedReason, KeyFrameRequester, MediaFactory, NoMedia, Phase,
};
use vireo_client::{Client, ClientOptions, ClientView, ConnectionState, Session};
use vireo_media::{
    AudioSink, AudioSource, EncodedFrame, MediaError, VideoFormat, VideoSource,
    audio::{NullSink, ToneMicrophone},
    video::PatternCamera,
};
use vireo_protocol::{CallId, ChatId, Contact, ContactStatus, Credentials, Presence, Registration};
use vireo_server::{Config, Running, Server};

/// Far longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const PASSWORD: &str = "a good password";

pub fn registration(name: &str, password: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        password: password.to_owned(),
        device: "a test".to_owned(),
        invite: None,
    }
}

pub fn credentials(name: &str, password: &str) -> Credentials {
    Credentials {
        name: name.to_owned(),
        password: password.to_owned(),
        device: "a test".to_owned(),
    }
}

/// A server and the directory it lives in.
pub struct TestServer {
    pub running: Running,
    pub config: Config,
    _directory: tempfile::TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with_answer_timeout(answer_timeout: Duration) -> Self {
        Self::with(|config| config.answer_timeout = answer_timeout).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::new(directory.path());
        config.listen[0].set_port(0);
        config.open_registration = true;
        change(&mut config);
        let running = Server::start(config.clone()).await.expect("a free port");
        Self {
            running,
            config,
            _directory: directory,
        }
    }

    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// Stops, runs `meanwhile`, and starts again at the same address with the same data.
    pub async fn restart(self, meanwhile: impl AsyncFnOnce()) -> Self {
        let Self {
            running,
            mut config,
            _directory,
        } = self;
        let port = running
            .url()
            .split('#')
            .next()
            .and_then(|url| url.rsplit(':').next())
            .and_then(|port| port.parse().ok());
        config.listen[0].set_port(port.expect("a URL with a port"));
        running.shutdown().await;
        meanwhile().await;
        let running = Server::start(config.clone())
            .await
            .expect("the port is free again");
        Self {
            running,
            config,
            _directory,
        }
    }

    pub async fn register(&self, name: &str) -> Session {
        let session = Client::register(self.url(), registration(name, PASSWORD)).await;
        session.expect("a new account")
    }

    /// A new person, connected, with made-up devices.
    pub async fn person(&self, name: &str) -> Person {
        Person::connect(self.register(name).await).await
    }

    /// Two people who have added each other.
    pub async fn couple(&self) -> (Person, Person) {
        let mut alice = self.person("Alice").await;
        let mut bob = self.person("Bob").await;
        befriend(&mut alice, &mut bob).await;
        (alice, bob)
    }
}

pub async fn befriend(one: &mut Person, other: &mut Person) {
    one.client
        .add_contact(&other.name())
        .await
        .expect("they exist");
    other
        .client
        .add_contact(&one.name())
        .await
        .expect("they exist");
    let can_call = |name: String| {
        move |view: &ClientView| {
            view.contacts.iter().any(|contact| {
                contact.name == name
                    && contact.status == ContactStatus::Contact
                    && contact.presence == Presence::Online
            })
        }
    };
    one.until("a contact who is there", can_call(other.name()))
        .await;
    other
        .until("a contact who is there", can_call(one.name()))
        .await;
}

/// A client and what it receives.
pub struct Person {
    pub client: Client,
    pub session: Session,
    frames: mpsc::UnboundedReceiver<EncodedFrame>,
}

impl Person {
    pub async fn connect(session: Session) -> Self {
        let (media, frames) = TestMedia::new();
        let client = Client::connect(session.clone(), Arc::new(media), ClientOptions::default());
        client.ready().await.expect("the server is there");
        Self {
            client,
            session,
            frames,
        }
    }

    /// A device of the same account's without anything to see or hear.
    pub async fn other_device(&self) -> Self {
        let client = Client::connect(
            self.session.clone(),
            Arc::new(NoMedia),
            ClientOptions::default(),
        );
        client.ready().await.expect("the server is there");
        Self {
            client,
            session: self.session.clone(),
            frames: mpsc::unbounded_channel().1,
        }
    }

    pub fn name(&self) -> String {
        self.session.user.name.clone()
    }

    pub fn view(&self) -> ClientView {
        self.client.view().borrow().clone()
    }

    pub fn contact(&self, name: &str) -> Contact {
        let view = self.view();
        let contact = view.contacts.iter().find(|contact| contact.name == name);
        contact.expect("in the list").clone()
    }

    pub fn chat_with(&self, name: &str) -> ChatId {
        self.contact(name)
            .chat_id
            .expect("both have added each other")
    }

    pub async fn call(&self, name: &str, camera: bool) -> CallId {
        let placed = self.client.place_call(self.chat_with(name), camera).await;
        placed.expect("nothing is in the way of a call")
    }

    /// Waits until the client looks like this.
    pub async fn until(&self, what: &str, condition: impl Fn(&ClientView) -> bool) -> ClientView {
        let mut view = self.client.view();
        let found = timeout(PATIENCE, view.wait_for(&condition)).await;
        match found {
            Ok(Ok(view)) => view.clone(),
            _ => panic!(
                "{} waited for {what}; the client is {:#?}",
                self.name(),
                self.view()
            ),
        }
    }

    pub async fn until_call(&self, what: &str, condition: impl Fn(&CallView) -> bool) -> CallView {
        let view = self
            .until(what, |view| view.call.as_ref().is_some_and(&condition))
            .await;
        view.call.expect("the condition asked for a call")
    }

    pub async fn until_phase(&self, phase: Phase) -> CallView {
        self.until_call(phase.name(), |call| call.phase == phase)
            .await
    }

    pub async fn until_ended(&self, reason: EndedReason) -> CallView {
        let ended = Phase::Ended { reason };
        let what = format!("the end: {reason:?}");
        self.until_call(&what, |call| call.phase == ended).await
    }

    pub async fn until_connection(&self, connection: ConnectionState) {
        self.until("the connection", |view| view.connection == connection)
            .await;
    }

    pub async fn frame(&mut self) -> EncodedFrame {
        let frame = timeout(PATIENCE, self.frames.recv()).await;
        frame
            .expect("a picture in time")
            .expect("the client is there")
    }

    /// Waits for a picture that has come after now.
    pub async fn new_frame(&mut self) {
        while self.frames.try_recv().is_ok() {}
        self.frame().await;
    }
}

/// One calls, the other accepts, both are connected.
pub async fn connect(caller: &Person, callee: &Person, camera: bool) {
    caller.call(&callee.name(), camera).await;
    callee.until_phase(Phase::Incoming).await;
    callee.client.accept(camera);
    caller.until_phase(Phase::Connected).await;
    callee.until_phase(Phase::Connected).await;
}

pub struct TestMedia(mpsc::UnboundedSender<EncodedFrame>);

impl TestMedia {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<EncodedFrame>) {
        let (sender, frames) = mpsc::unbounded_channel();
        (Self(sender), frames)
    }
}

const FORMAT: VideoFormat = VideoFormat {
    width: 320,
    height: 180,
    frame_rate: 30,
};

impl MediaFactory for TestMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        Ok(Some(Box::new(PatternCamera::new(FORMAT))))
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        Ok(Some(Box::new(ToneMicrophone::new(440.0))))
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        Ok(Some(Box::new(NullSink::new())))
    }

    fn remote_video(&self, _key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        Box::new(Sink(self.0.clone()))
    }

    fn video_format(&self) -> VideoFormat {
        FORMAT
    }

    fn max_bitrate(&self) -> u32 {
        500_000
    }
}

struct Sink(mpsc::UnboundedSender<EncodedFrame>);

impl EncodedVideoSink for Sink {
    fn frame(&mut self, frame: EncodedFrame) {
        let _ = self.0.send(frame);
    }
}
