//! The calls of a client: one for a person; several, each by itself, for a service that sends back what it receives.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use vireo_call::machine::{CallPolicy, Input};
use vireo_call::{
    CallPeer, CallStats, Engine, EngineConfig, EngineEvent, MediaFactory, VoiceSettings,
};
use vireo_protocol::{CallErrorCode, CallId, ChatId, ClientMessage, IceServer, ServerMessage};

use crate::Reflect;

/// What the server had no room for is said again after so long, where it does not say after how long.
const SAY_AGAIN: Duration = Duration::from_secs(1);

type Report = (Option<CallId>, EngineEvent);

/// Whoever holds the calls: one engine, or one for each call.
enum Engines {
    Person(Engine),
    Service {
        calls: HashMap<CallId, Engine>,
        most: usize,
    },
}

/// The calls of a client.
pub(crate) struct Calls {
    engines: Engines,
    config: EngineConfig,
    media: Arc<dyn MediaFactory>,
    report: mpsc::UnboundedSender<Report>,
    events: mpsc::UnboundedReceiver<Report>,
    /// What the server had no room for at that moment, and when it is said again.
    later: VecDeque<(Instant, ClientMessage)>,
}

impl Calls {
    pub fn new(media: Arc<dyn MediaFactory>, reflect: Option<Reflect>) -> Self {
        let (report, events) = mpsc::unbounded_channel();
        let config = EngineConfig {
            policy: CallPolicy {
                longest: reflect.map(|reflect| reflect.longest),
                ..CallPolicy::default()
            },
            reflect: reflect.is_some(),
            ..EngineConfig::default()
        };
        let engines = match reflect {
            Some(reflect) => Engines::Service {
                calls: HashMap::new(),
                most: reflect.calls,
            },
            None => Engines::Person(start(&config, &media, &report, None)),
        };
        Self {
            engines,
            config,
            media,
            report,
            events,
            later: VecDeque::new(),
        }
    }

    pub fn place(&self, call_id: CallId, chat_id: ChatId, peer: CallPeer, camera: bool) {
        self.person(Input::Place {
            call_id,
            chat_id,
            peer,
            camera,
        });
    }

    pub fn accept(&self, camera: bool) {
        self.person(Input::Accept { camera });
    }

    pub fn decline(&self) {
        self.person(Input::Decline);
    }

    pub fn end(&self) {
        self.person(Input::End);
    }

    pub fn dismiss(&self) {
        self.person(Input::Dismiss);
    }

    pub fn set_microphone_muted(&self, muted: bool) {
        self.person(Input::SetMicrophoneMuted(muted));
    }

    pub fn set_camera_enabled(&self, enabled: bool) {
        self.person(Input::SetCameraEnabled(enabled));
    }

    pub fn set_video_kept(&self, kept: bool) {
        self.person(Input::SetVideoKept(kept));
    }

    pub async fn stats(&self) -> Option<CallStats> {
        let Engines::Person(engine) = &self.engines else {
            return None;
        };
        let (reply, stats) = oneshot::channel();
        engine.stats(reply);
        stats.await.ok().flatten()
    }

    /// The server did not carry this out. Without its offer or its answer a call cannot go on, nor where the server knows of
    /// none that rings; without anything else it can, though nobody may say then when it is over.
    pub fn refused(
        &mut self,
        message: ClientMessage,
        code: Option<CallErrorCode>,
        retry_after: Option<Duration>,
    ) {
        match message {
            // Whether to call again is up to the person.
            ClientMessage::CallInitiate { call_id, .. } => self.refuse(call_id, code),
            message if code == Some(CallErrorCode::RateLimited) => {
                let at = Instant::now() + retry_after.unwrap_or(SAY_AGAIN);
                self.later.push_back((at, message));
            }
            ClientMessage::CallAnswer { call_id, .. } => self.refuse(call_id, code),
            ClientMessage::CallRinging { call_id, .. }
                if code == Some(CallErrorCode::NoSuchCall) =>
            {
                self.refuse(call_id, code);
            }
            ClientMessage::CallMediaState { call_id, .. }
                if code == Some(CallErrorCode::NoSuchCall) =>
            {
                if let Some(engine) = self.of(&call_id) {
                    engine.input(Input::Forgotten { call_id });
                }
            }
            _ => tracing::debug!(?code, "the server left a message of a call out"),
        }
    }

    fn refuse(&self, call_id: CallId, code: Option<CallErrorCode>) {
        if let Some(engine) = self.of(&call_id) {
            engine.input(Input::Refused { call_id, code });
        }
    }

    /// The connection to the server was lost, and this had been sent to it without a reply.
    pub fn unconfirmed(&self, message: ClientMessage) {
        if let Some(engine) = subject(&message).and_then(|call_id| self.of(call_id)) {
            engine.input(Input::Unconfirmed(message));
        }
    }

    pub fn server_lost(&mut self) {
        self.all(|engine| engine.input(Input::ServerLost));
        for (_, message) in std::mem::take(&mut self.later) {
            self.unconfirmed(message);
        }
    }

    pub fn server_back(&mut self, answer_timeout: Duration) {
        self.config.policy.answer_timeout = answer_timeout;
        self.configure();
        self.all(|engine| engine.input(Input::ServerBack));
    }

    pub fn set_ice_servers(&mut self, servers: Vec<IceServer>) {
        self.config.ice_servers = servers;
        self.configure();
    }

    pub fn set_relay_only(&mut self, relay_only: bool) {
        self.config.relay_only = relay_only;
        self.configure();
    }

    pub fn set_voice(&mut self, voice: VoiceSettings) {
        self.config.voice = voice;
        self.configure();
    }

    /// Gives a message of the server's to the call it is about.
    pub fn receive(&mut self, message: ServerMessage) {
        let Some(call_id) = call_of(&message).cloned() else {
            return;
        };
        if let Some(engine) = self.of(&call_id) {
            engine.input(Input::Receive(message));
        } else if let ServerMessage::CallOffer { chat_id, .. } = &message {
            let chat_id = chat_id.clone();
            self.take_or_refuse(call_id, chat_id, message);
        }
    }

    /// Waits for what an engine reports. Cancelling it loses nothing.
    pub async fn next_event(&mut self) -> EngineEvent {
        loop {
            let due = self.later.front().map(|(at, _)| *at);
            let event = tokio::select! {
                // This struct holds a sender, so the channel never closes.
                Some(report) = self.events.recv() => self.reported(report),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.say_again(),
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    fn say_again(&mut self) -> Option<EngineEvent> {
        match self.later.pop_front()? {
            // What this side sends may have changed since.
            (_, message @ ClientMessage::CallMediaState { .. }) => {
                self.unconfirmed(message);
                None
            }
            (_, message) => Some(EngineEvent::Send(message)),
        }
    }

    /// What an engine has reported and nobody has taken yet.
    pub fn try_next_event(&mut self) -> Option<EngineEvent> {
        loop {
            let report = self.events.try_recv().ok()?;
            if let Some(event) = self.reported(report) {
                return Some(event);
            }
        }
    }

    /// Ends every call; the other sides have been told when this returns.
    pub async fn close(&mut self) {
        match &mut self.engines {
            Engines::Person(engine) => engine.close().await,
            Engines::Service { calls, .. } => {
                for (_, engine) in calls.drain() {
                    engine.close().await;
                }
            }
        }
    }

    fn take_or_refuse(&mut self, call_id: CallId, chat_id: ChatId, offer: ServerMessage) {
        let Engines::Service { calls, most } = &mut self.engines else {
            return;
        };
        if calls.len() >= *most {
            let refusal = ClientMessage::CallReject {
                call_id,
                chat_id,
                busy: true,
            };
            let _ = self.report.send((None, EngineEvent::Send(refusal)));
            return;
        }
        let engine = start(
            &self.config,
            &self.media,
            &self.report,
            Some(call_id.clone()),
        );
        engine.input(Input::ServerBack);
        engine.input(Input::Receive(offer));
        calls.insert(call_id, engine);
    }

    /// A service shows nothing; it only lets go of a call that is over.
    fn reported(&mut self, (call_id, event): Report) -> Option<EngineEvent> {
        let (Some(call_id), EngineEvent::View(view)) = (call_id, &event) else {
            return Some(event);
        };
        if view.as_ref().is_none_or(|view| view.phase.is_ended())
            && let Engines::Service { calls, .. } = &mut self.engines
        {
            calls.remove(&call_id);
        }
        None
    }

    fn person(&self, input: Input) {
        if let Engines::Person(engine) = &self.engines {
            engine.input(input);
        }
    }

    /// Who takes messages about this call. A person's engine takes them all and knows which are late.
    fn of(&self, call_id: &CallId) -> Option<&Engine> {
        match &self.engines {
            Engines::Person(engine) => Some(engine),
            Engines::Service { calls, .. } => calls.get(call_id),
        }
    }

    fn all(&self, tell: impl Fn(&Engine)) {
        match &self.engines {
            Engines::Person(engine) => tell(engine),
            Engines::Service { calls, .. } => calls.values().for_each(tell),
        }
    }

    fn configure(&self) {
        self.all(|engine| engine.configure(self.config.clone()));
    }
}

fn start(
    config: &EngineConfig,
    media: &Arc<dyn MediaFactory>,
    report: &mpsc::UnboundedSender<Report>,
    call_id: Option<CallId>,
) -> Engine {
    let report = report.clone();
    Engine::start(config.clone(), Arc::clone(media), move |event| {
        // Nobody listens any more when the client is closing.
        let _ = report.send((call_id.clone(), event));
    })
}

fn subject(message: &ClientMessage) -> Option<&CallId> {
    match message {
        ClientMessage::CallInitiate { call_id, .. }
        | ClientMessage::CallRinging { call_id, .. }
        | ClientMessage::CallAnswer { call_id, .. }
        | ClientMessage::CallIceCandidate { call_id, .. }
        | ClientMessage::CallMediaState { call_id, .. }
        | ClientMessage::CallRestart { call_id, .. }
        | ClientMessage::CallEnd { call_id, .. }
        | ClientMessage::CallReject { call_id, .. } => Some(call_id),
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
        | ClientMessage::CallsHistory { .. } => None,
    }
}

fn call_of(message: &ServerMessage) -> Option<&CallId> {
    match message {
        ServerMessage::CallOffer { call_id, .. }
        | ServerMessage::CallRinging { call_id, .. }
        | ServerMessage::CallAnswer { call_id, .. }
        | ServerMessage::CallIceCandidate { call_id, .. }
        | ServerMessage::CallMediaState { call_id, .. }
        | ServerMessage::CallRestart { call_id, .. }
        | ServerMessage::CallEnd { call_id, .. }
        | ServerMessage::CallRejected { call_id, .. }
        | ServerMessage::CallError { call_id, .. } => Some(call_id),
        ServerMessage::Hello { .. }
        | ServerMessage::Ok { .. }
        | ServerMessage::Error { .. }
        | ServerMessage::Contacts { .. }
        | ServerMessage::Contact { .. }
        | ServerMessage::ContactRemoved { .. }
        | ServerMessage::Presence { .. }
        | ServerMessage::DoNotDisturb { .. }
        | ServerMessage::CallMissed { .. }
        | ServerMessage::Calls { .. } => None,
    }
}
