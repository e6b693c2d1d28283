//! The client's task.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use vireo_call::{CallStats, MediaFactory};
use vireo_protocol::{CallId, ChatId, Contact, IceServer};

use crate::{ClientError, ClientOptions, ClientView, ConnectionState, Session};

/// What the handle asks of the task.
#[derive(Debug)]
pub(crate) enum Command {
    AddContact {
        name: String,
        reply: oneshot::Sender<Result<Contact, ClientError>>,
    },
    PlaceCall {
        chat_id: ChatId,
        camera: bool,
        reply: oneshot::Sender<Result<CallId, ClientError>>,
    },
    Accept {
        camera: bool,
    },
    Decline,
    End,
    Dismiss,
    SetMicrophoneMuted(bool),
    SetCameraEnabled(bool),
    CallStats(oneshot::Sender<Option<CallStats>>),
    SetIceServers(Vec<IceServer>),
    Close(oneshot::Sender<()>),
}

pub(crate) fn start(
    session: Session,
    _media: Arc<dyn MediaFactory>,
    _options: ClientOptions,
) -> (mpsc::UnboundedSender<Command>, watch::Receiver<ClientView>) {
    let (commands, _) = mpsc::unbounded_channel();
    let (_, view) = watch::channel(ClientView {
        connection: ConnectionState::Connecting,
        me: session.user,
        contacts: Vec::new(),
        call: None,
    });
    (commands, view)
}
