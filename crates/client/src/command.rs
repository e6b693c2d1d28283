//! What the client's handle asks of its task.

use tokio::sync::oneshot;
use vireo_call::{CallStats, VoiceSettings};
use vireo_protocol::{CallId, ChatId, Contact, HistoryId, IceServer, PastCall, UserId};

use crate::contacts::ContactChange;
use crate::{ClientError, OwnStatus};

/// One thing that is asked. Most are answered by the view that follows.
#[derive(Debug)]
pub(crate) enum Command {
    ChangeContacts {
        change: ContactChange,
        reply: oneshot::Sender<Result<Option<Contact>, ClientError>>,
    },
    History {
        before: Option<HistoryId>,
        limit: u32,
        reply: oneshot::Sender<Result<Vec<PastCall>, ClientError>>,
    },
    SetStatus(OwnStatus),
    ForgetMissed(UserId),
    ShowAvatar(Option<String>),
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
    SetVideoKept(bool),
    CallStats(oneshot::Sender<Option<CallStats>>),
    SetIceServers(Vec<IceServer>),
    SetRelayOnly(bool),
    SetVoice(VoiceSettings),
    Close(oneshot::Sender<()>),
}
