//! The engine's task.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    time::{sleep_until, timeout},
};
use tokio_util::task::TaskTracker;
use vireo_protocol::{CallId, MediaState};

use super::{
    EngineConfig, EngineEvent, Order,
    connection::{Connection, News, Operation},
    devices::{DeviceNews, Devices, Outlet},
    playback::{Playback, Receiver},
    setup::Setup,
    snapshot::{Parts, snapshot},
    steering::Steering,
};
use crate::{
    CallStats, CallView, Direction, EndedReason, MediaFactory, Phase,
    machine::{Calendar, Call, CallState, Input, Output},
    peer::{PeerConfig, PeerEvent, ReceivedMedia},
    quality::{EncoderState, QualityPolicy},
};

/// How long stopping waits for what is being closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

type Report = Box<dyn FnMut(EngineEvent) + Send>;

pub(super) struct Run {
    config: EngineConfig,
    media: Arc<dyn MediaFactory>,
    report: Report,
    call: Call,
    calendar: Calendar,
    shown: Option<CallView>,
    connection: Option<Connection>,
    /// Whether the last connection might take no other way than through a relay.
    relay_only: bool,
    devices: Devices,
    device_news: mpsc::UnboundedReceiver<DeviceNews>,
    outlet: Outlet,
    playback: Arc<Playback>,
    /// While devices are open.
    steering: Option<Steering>,
    setup: Setup,
    /// Those of the call that ended last.
    last_stats: Option<(CallId, CallStats)>,
    closing: TaskTracker,
}

impl Run {
    pub(super) fn new(config: EngineConfig, media: Arc<dyn MediaFactory>, report: Report) -> Self {
        let (news, device_news) = mpsc::unbounded_channel();
        let outlet = Outlet::default();
        let mut devices = Devices::new(media.clone(), outlet.clone(), news);
        devices.set_voice(config.voice);
        Self {
            call: Call::new(config.policy),
            calendar: Calendar::of_system(),
            shown: None,
            connection: None,
            relay_only: false,
            devices,
            device_news,
            outlet,
            playback: Arc::default(),
            steering: None,
            setup: Setup::default(),
            last_stats: None,
            closing: TaskTracker::new(),
            config,
            media,
            report,
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut closed = None;
        while closed.is_none() {
            let deadline = self.call.next_timeout();
            let look_at = self.steering.as_ref().map(Steering::next_at);
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Input(input)) => self.handle(input).await,
                    Some(Order::Configure(config)) => self.configure(config),
                    Some(Order::Stats(reply)) => {
                        let _ = reply.send(self.stats());
                    }
                    Some(Order::Close(reply)) => closed = Some(Some(reply)),
                    None => closed = Some(None),
                },
                news = news(self.connection.as_mut()) => self.connection_news(news).await,
                Some(news) = self.device_news.recv() => self.device_changed(news).await,
                () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => {
                    self.handle(Input::Timeout).await;
                }
                () = sleep_until(look_at.unwrap_or_else(Instant::now).into()), if look_at.is_some() => {
                    self.look().await;
                }
            }
        }
        self.handle(Input::End).await;
        self.closing.close();
        // A device that hangs must not keep anyone from leaving.
        let _ = timeout(CLOSE_TIMEOUT, self.closing.wait()).await;
        if let Some(Some(reply)) = closed {
            let _ = reply.send(());
        }
    }

    fn configure(&mut self, config: EngineConfig) {
        self.call.set_policy(config.policy);
        self.devices.set_voice(config.voice);
        self.config = config;
    }

    async fn connection_news(&mut self, news: News) {
        let Some(connection) = self.connection.as_mut() else {
            return;
        };
        match news {
            News::Opened(opened) => {
                let inputs = connection.opened(opened).await;
                self.outlet.set(connection.media());
                for input in inputs {
                    self.handle(input).await;
                }
            }
            News::Event(event) => {
                let call_id = connection.call_id().clone();
                if event == PeerEvent::Failed
                    && matches!(self.call.state(), CallState::Incoming { .. })
                {
                    // It died before it was needed; an acceptance opens another.
                    self.close_connection();
                }
                let steers = self.follow(&event);
                self.handle(Input::Peer { call_id, event }).await;
                if steers {
                    self.steer().await;
                }
            }
        }
    }

    /// What devices and policy make of the peer connection's news. True when the policy has to be asked.
    fn follow(&mut self, event: &PeerEvent) -> bool {
        match (event, self.steering.as_mut()) {
            (PeerEvent::NegotiatedVideo(codec), _) => self.devices.set_codec(*codec),
            (PeerEvent::KeyFrameRequested, _) => self.devices.request_key_frame(),
            (PeerEvent::NegotiatedRedundancy(taken), Some(steering)) => {
                steering.set_redundancy(*taken);
                return true;
            }
            (PeerEvent::AudioLoss(share), Some(steering)) => {
                steering.reported(*share);
                return true;
            }
            (PeerEvent::TargetBitrate(bits_per_second), Some(steering)) => {
                steering.set_bitrate(*bits_per_second);
                return true;
            }
            (
                PeerEvent::NegotiatedRedundancy(_)
                | PeerEvent::AudioLoss(_)
                | PeerEvent::TargetBitrate(_)
                | PeerEvent::LocalCandidate(_)
                | PeerEvent::Connected
                | PeerEvent::Disconnected
                | PeerEvent::Failed
                | PeerEvent::Closed,
                _,
            ) => {}
        }
        false
    }

    /// Looks at what changes without being told.
    async fn look(&mut self) {
        let transport = self.connection.as_ref().map(Connection::stats);
        let shown = self.playback.shown();
        let call_id = self.call.state().details().map(|call| call.call_id.clone());
        if let (Some(steering), Some(call_id)) = (self.steering.as_mut(), call_id)
            && let Some(size) = steering.look(&transport.unwrap_or_default(), shown, Instant::now())
        {
            self.handle(Input::PicturesShown { call_id, size }).await;
        }
        self.steer().await;
    }

    /// Asks the policy, and does what it says.
    async fn steer(&mut self) {
        let (Some(steering), Some(call)) = (self.steering.as_mut(), self.call.state().details())
        else {
            return;
        };
        let encoder = self.devices.encoder();
        let camera = call.local().camera;
        let (quality, news) = steering.decide(camera, encoder, call.remote.shown, Instant::now());
        self.devices.set_quality(&quality);
        if let Some(connection) = news {
            let call_id = call.call_id.clone();
            let input = Input::Quality {
                call_id,
                connection,
            };
            self.handle(input).await;
        }
    }

    async fn device_changed(&mut self, news: DeviceNews) {
        let call_id = self.call.state().details().map(|call| call.call_id.clone());
        if let Some(input) =
            call_id.and_then(|call_id| self.devices.input(news, call_id, &self.playback))
        {
            self.handle(input).await;
        }
    }

    /// Gives the input to the state machine and does what it says, and whatever follows from that.
    async fn handle(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = Instant::now();
            self.setup.on_input(&input, now);
            let outputs = self.call.handle(input, now);
            for output in outputs {
                self.setup.on_output(&output, Instant::now(), now);
                inputs.extend(self.perform(output).await);
            }
            inputs.extend(self.reflected());
        }
        self.show();
    }

    async fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Send(message) => {
                (self.report)(EngineEvent::Send(message));
                None
            }
            Output::CreateOffer { call_id } => {
                self.operate_on(call_id, Operation::CreateOffer).await
            }
            Output::Prepare { call_id } => {
                self.connect(call_id, VecDeque::new());
                None
            }
            Output::CreateAnswer { call_id, offer } => {
                self.operate_on(call_id, Operation::CreateAnswer(offer))
                    .await
            }
            Output::SetAnswer(answer) => self.operate(Operation::SetAnswer(answer)).await,
            Output::AddCandidate(candidate) => {
                self.operate(Operation::AddCandidate(candidate)).await
            }
            Output::OfferRestart => self.operate(Operation::OfferRestart).await,
            Output::AnswerRestart(offer) => self.operate(Operation::AnswerRestart(offer)).await,
            Output::FinishRestart(answer) => self.operate(Operation::FinishRestart(answer)).await,
            Output::StartMedia(wanted) => {
                if !self.config.reflect {
                    self.start_media(wanted);
                }
                None
            }
            Output::SetMicrophone(on) => {
                self.devices.set_microphone(on);
                None
            }
            Output::SetCamera(on) => {
                self.devices.set_camera(on);
                None
            }
            Output::KeepVideo(kept) => {
                let now = Instant::now();
                if let Some(steering) = self.steering.as_mut() {
                    steering.keep_video(kept, now);
                    steering.look_at(now);
                }
                None
            }
            Output::ClosePeer => {
                self.close_connection();
                None
            }
            Output::StopMedia => {
                self.stop_media();
                None
            }
        }
    }

    fn peer_config(&self) -> PeerConfig {
        let defaults = PeerConfig::default();
        let max_bitrate = self.media.max_bitrate();
        PeerConfig {
            ice_servers: self.config.ice_servers.clone(),
            relay_only: self.config.relay_only,
            addresses: self.config.addresses,
            video_codecs: self.media.video_codecs(),
            redundant_sound: defaults.redundant_sound,
            start_bitrate: defaults.start_bitrate.min(max_bitrate),
            max_bitrate,
        }
    }

    fn connect(&mut self, call_id: CallId, waiting: VecDeque<Operation>) {
        let config = self.peer_config();
        self.relay_only = config.relay_only;
        let received = if self.config.reflect {
            ReceivedMedia::Reflect
        } else {
            ReceivedMedia::Deliver(Box::new(Receiver(self.playback.clone())))
        };
        self.connection = Some(Connection::open(call_id, config, received, waiting));
    }

    async fn operate_on(&mut self, call_id: CallId, operation: Operation) -> Option<Input> {
        // What could not be opened while it rang may be possible by now.
        let waiting = match self.connection.as_mut() {
            Some(connection) if *connection.call_id() == call_id => connection.another_attempt(),
            Some(_) | None => Some(VecDeque::new()),
        };
        if let Some(waiting) = waiting {
            self.connect(call_id, waiting);
        }
        self.operate(operation).await
    }

    async fn operate(&mut self, operation: Operation) -> Option<Input> {
        match self.connection.as_mut() {
            Some(connection) => connection.perform(operation).await,
            None => None,
        }
    }

    fn close_connection(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The figures are gone with the connection and the devices.
            let stats = self.collect(&connection);
            self.last_stats = stats.map(|stats| (connection.call_id().clone(), stats));
            self.outlet.set(None);
            self.devices.set_codec(None);
            self.closing.spawn(connection.close());
        }
    }

    fn start_media(&mut self, wanted: MediaState) {
        let start_bitrate = self.peer_config().start_bitrate;
        let policy = QualityPolicy::new(self.media.video_format(), self.media.max_bitrate());
        let mut steering = Steering::new(policy, start_bitrate, Instant::now());
        let (quality, _) = steering.decide(true, EncoderState::default(), None, Instant::now());
        self.steering = Some(steering);
        self.devices.start(wanted, &quality, &self.playback);
    }

    fn stop_media(&mut self) {
        self.steering = None;
        let open = (self.devices.stop(), self.playback.empty());
        self.playback = Arc::default();
        // Closing a device may take a while.
        self.closing.spawn_blocking(move || drop(open));
    }

    fn stats(&self) -> Option<CallStats> {
        match &self.connection {
            Some(connection) => self.collect(connection),
            None => self.stats_of_ended_call(),
        }
    }

    /// Those of the call that ended last, as long as there is no other one.
    fn stats_of_ended_call(&self) -> Option<CallStats> {
        let (of, mut stats) = self.last_stats.clone()?;
        let state = self.call.state();
        if state.details().is_some_and(|call| call.call_id != of) {
            return None;
        }
        if let Some(phase) = state.phase() {
            stats.state = phase.name().to_owned();
        }
        Some(stats)
    }

    /// None for a call that only rings here.
    fn collect(&self, connection: &Connection) -> Option<CallStats> {
        let phase = self.call.state().phase()?;
        let call = self.call.state().details()?;
        let placed = call.direction == Direction::Outgoing;
        if !placed && !self.setup.is_accepted() {
            return None;
        }
        let transport = connection.stats();
        let playback = self.playback.picture_statistics();
        let first_picture = playback
            .first_decoded_at
            .or_else(|| self.playback.first_picture());
        Some(snapshot(Parts {
            phase,
            speaking: call.audible(),
            setup: self.setup.times(&transport, first_picture),
            transport,
            playback,
            sound_in: self.playback.sound_statistics(),
            pictures_out: self.devices.picture_statistics(),
            limitation: self
                .steering
                .as_ref()
                .map(Steering::limitation)
                .unwrap_or_default(),
        }))
    }

    /// What a reflecting engine does by itself: it answers, and sends what it is sent.
    fn reflected(&self) -> Vec<Input> {
        let Some(call) = self.call.state().details().filter(|_| self.config.reflect) else {
            return Vec::new();
        };
        match self.call.state() {
            CallState::Incoming { .. } => vec![Input::Accept {
                camera: call.remote.camera,
            }],
            CallState::Connecting { .. }
            | CallState::Connected { .. }
            | CallState::Reconnecting { .. }
                if (call.wanted.microphone, call.wanted.camera)
                    != (call.remote.microphone, call.remote.camera) =>
            {
                vec![
                    Input::SetMicrophoneMuted(!call.remote.microphone),
                    Input::SetCameraEnabled(call.remote.camera),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// The state machine has never heard of relays: a call that only one could have carried failed for want of it.
    fn explained(&self, mut view: CallView) -> CallView {
        let ended = |reason| Phase::Ended { reason };
        if self.relay_only && view.phase == ended(EndedReason::ConnectionFailed) {
            view.phase = ended(EndedReason::NoRelay);
        }
        view
    }

    fn show(&mut self) {
        let view = self.call.view(&self.calendar);
        let view = view.map(|view| self.explained(view));
        if view != self.shown {
            self.shown.clone_from(&view);
            (self.report)(EngineEvent::View(view.map(Box::new)));
        }
    }
}

/// Waits for the connection's news; for ever where there is none.
async fn news(connection: Option<&mut Connection>) -> News {
    match connection {
        Some(connection) => connection.news().await,
        None => std::future::pending().await,
    }
}
