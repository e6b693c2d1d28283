//! The engine: one task that owns a [`Call`](crate::Call), its peer connection and its devices, and does what the state
//! machine says.

mod connection;
mod devices;
mod playback;
mod run;
mod setup;
mod snapshot;
mod steering;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use vireo_media::audio::VoiceSettings;
use vireo_protocol::{ClientMessage, IceServer};

use crate::{
    CallStats, CallView, MediaFactory,
    machine::{CallPolicy, Input},
    peer::Addresses,
};

/// How an engine works.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// Times of the state machine.
    pub policy: CallPolicy,
    /// STUN and TURN servers, for the calls to come.
    pub ice_servers: Vec<IceServer>,
    /// Whether calls to come go only through a TURN server, so that the other side does not learn where this computer is.
    pub relay_only: bool,
    /// Which local addresses the other side is offered.
    pub addresses: Addresses,
    /// What is done to the user's voice, in the call that goes on too.
    pub voice: VoiceSettings,
    /// Answers every call by itself and sends back what it receives; no device is opened.
    pub reflect: bool,
}

/// What an engine reports.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineEvent {
    /// Send this to the server.
    Send(ClientMessage),
    /// The call looks like this now; none when there is no call.
    View(Option<Box<CallView>>),
}

/// The handle of an engine. When it is dropped the call ends.
#[derive(Debug)]
pub struct Engine {
    orders: mpsc::UnboundedSender<Order>,
}

#[derive(Debug)]
enum Order {
    Input(Input),
    Configure(EngineConfig),
    Stats(oneshot::Sender<Option<CallStats>>),
    Close(oneshot::Sender<()>),
}

impl Engine {
    /// Starts an engine on the current tokio runtime. `report` is called on its task and must not wait.
    pub fn start(
        config: EngineConfig,
        media: Arc<dyn MediaFactory>,
        report: impl FnMut(EngineEvent) + Send + 'static,
    ) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(run::Run::new(config, media, Box::new(report)).run(inbox));
        Self { orders }
    }

    /// Something happened.
    pub fn input(&self, input: Input) {
        self.order(Order::Input(input));
    }

    /// Takes another configuration, for the calls to come; what is done to the voice changes at once.
    pub fn configure(&self, config: EngineConfig) {
        self.order(Order::Configure(config));
    }

    /// Asks for the statistics of the call. The answer is none when no call has been placed or accepted yet; those of an
    /// ended call stay until the next one.
    pub fn stats(&self, reply: oneshot::Sender<Option<CallStats>>) {
        self.order(Order::Stats(reply));
    }

    /// Ends the call and stops. Returns when the other side has been told and the devices are closed.
    pub async fn close(&self) {
        let (reply, done) = oneshot::channel();
        self.order(Order::Close(reply));
        let _ = done.await;
    }

    fn order(&self, order: Order) {
        // An engine that has been closed has no call to do anything to.
        let _ = self.orders.send(order);
    }
}
