//! What goes into the state machine and what comes out.

use vireo_media::{DeviceTrouble, MicrophoneHint};
use vireo_protocol::{
    CallErrorCode, CallId, ChatId, ClientMessage, IceCandidate, MediaState, PictureSize,
    ServerMessage, SessionDescription,
};

use crate::{CallPeer, ConnectionQuality, NoticeKind, peer::PeerEvent};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The user calls somebody.
    Place {
        /// A new one.
        call_id: CallId,
        /// Where to call.
        chat_id: ChatId,
        /// Who that is.
        peer: CallPeer,
        /// Whether this side's camera is to be on.
        camera: bool,
    },
    /// The user accepts the call that rings.
    Accept {
        /// Whether this side's camera is to be on.
        camera: bool,
    },
    /// The user declines the call that rings.
    Decline,
    /// The user cancels, declines or hangs up, whatever fits.
    End,
    /// The user has seen that the call has ended.
    Dismiss,
    /// The user mutes or unmutes.
    SetMicrophoneMuted(bool),
    /// The user switches the camera.
    SetCameraEnabled(bool),
    /// The user wants pictures to go out for a while even where they take the sound's room, or leaves that to the policy.
    SetVideoKept(bool),
    /// The server says something. What is not about a call is ignored.
    Receive(ServerMessage),
    /// The server did not carry out the request that started or accepted the call, or knows of no call that rings here.
    Refused {
        /// The call.
        call_id: CallId,
        /// Why, where the server has a word for it.
        code: Option<CallErrorCode>,
    },
    /// The server knows of no such call any more. Once it has been accepted that does not end it: media decides.
    Forgotten {
        /// The call.
        call_id: CallId,
    },
    /// The connection to the server is gone.
    ServerLost,
    /// After that: what had been sent and was not confirmed. The server may have it or not.
    Unconfirmed(ClientMessage),
    /// The connection to the server is there (again).
    ServerBack,
    /// The peer connection has made the offer or the answer that was asked for.
    Description {
        /// The call.
        call_id: CallId,
        /// The offer or the answer.
        description: SessionDescription,
    },
    /// The peer connection cannot be used: it could not be made, or the other side's description makes no sense.
    PeerUnusable {
        /// The call.
        call_id: CallId,
    },
    /// The peer connection reports something.
    Peer {
        /// The call.
        call_id: CallId,
        /// What.
        event: PeerEvent,
    },
    /// A device does not work, or not any more.
    DeviceFailed {
        /// The call.
        call_id: CallId,
        /// Which device.
        device: NoticeKind,
        /// What the user is told; nothing when they have chosen to have no such device.
        trouble: Option<DeviceTrouble>,
    },
    /// A device works (again).
    DeviceReady {
        /// The call.
        call_id: CallId,
        /// Which device.
        device: NoticeKind,
    },
    /// What is heard of one of the two has changed.
    Heard {
        /// The call.
        call_id: CallId,
        /// What.
        heard: Heard,
    },
    /// What this side sends gets to the other one better or worse than before.
    Quality {
        /// The call.
        call_id: CallId,
        /// How well.
        connection: ConnectionQuality,
    },
    /// The other side's pictures are shown in a place of this size.
    PicturesShown {
        /// The call.
        call_id: CallId,
        /// In device pixels.
        size: PictureSize,
    },
    /// The time that [`Call::next_timeout`](super::Call::next_timeout) named has come.
    Timeout,
}

/// What is heard of one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The person at this side speaks, or not any more.
    Local(bool),
    /// The other one speaks, or not any more.
    Remote(bool),
    /// There is something to say about this side's microphone, or not any more.
    Hint(Option<MicrophoneHint>),
}

impl Input {
    /// A short name for the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Place { .. } => "place",
            Self::Accept { .. } => "accept",
            Self::Decline => "decline",
            Self::End => "end",
            Self::Dismiss => "dismiss",
            Self::SetMicrophoneMuted(_) => "set-microphone-muted",
            Self::SetCameraEnabled(_) => "set-camera-enabled",
            Self::SetVideoKept(_) => "set-video-kept",
            Self::Receive(message) => received_name(message),
            Self::Refused { .. } => "refused",
            Self::Forgotten { .. } => "forgotten",
            Self::ServerLost => "server-lost",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::ServerBack => "server-back",
            Self::Description { .. } => "description",
            Self::PeerUnusable { .. } => "peer-unusable",
            Self::Peer { event, .. } => peer_name(event),
            Self::DeviceFailed { .. } => "device-failed",
            Self::DeviceReady { .. } => "device-ready",
            Self::Heard { .. } => "heard",
            Self::Quality { .. } => "quality",
            Self::PicturesShown { .. } => "pictures-shown",
            Self::Timeout => "timeout",
        }
    }
}

fn received_name(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::CallOffer { .. } => "call:offer",
        ServerMessage::CallRinging { .. } => "call:ringing",
        ServerMessage::CallAnswer { .. } => "call:answer",
        ServerMessage::CallIceCandidate { .. } => "call:ice-candidate",
        ServerMessage::CallMediaState { .. } => "call:media-state",
        ServerMessage::CallRestart { .. } => "call:restart",
        ServerMessage::CallEnd { .. } => "call:end",
        ServerMessage::CallRejected { .. } => "call:rejected",
        ServerMessage::CallError { .. } => "call:error",
        ServerMessage::Hello { .. }
        | ServerMessage::Ok { .. }
        | ServerMessage::Error { .. }
        | ServerMessage::Contacts { .. }
        | ServerMessage::Contact { .. }
        | ServerMessage::ContactRemoved { .. }
        | ServerMessage::Presence { .. }
        | ServerMessage::DoNotDisturb { .. }
        | ServerMessage::Calls { .. }
        | ServerMessage::CallMissed { .. } => "not-about-a-call",
    }
}

fn peer_name(event: &PeerEvent) -> &'static str {
    match event {
        PeerEvent::LocalCandidate(_) => "peer-candidate",
        PeerEvent::NegotiatedRedundancy(_) => "peer-redundancy",
        PeerEvent::NegotiatedVideo(_) => "peer-negotiated",
        PeerEvent::Connected => "peer-connected",
        PeerEvent::Disconnected => "peer-disconnected",
        PeerEvent::Failed => "peer-failed",
        PeerEvent::Closed => "peer-closed",
        PeerEvent::KeyFrameRequested => "peer-key-frame",
        PeerEvent::AudioLoss(_) => "peer-loss",
        PeerEvent::TargetBitrate(_) => "peer-bitrate",
    }
}

/// Something to do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this to the server.
    Send(ClientMessage),
    /// Make a peer connection and its offer.
    CreateOffer {
        /// The call.
        call_id: CallId,
    },
    /// Make a peer connection for a call that rings. It sends nothing and nobody learns an address from it.
    Prepare {
        /// The call.
        call_id: CallId,
    },
    /// Make the answer to this offer, on the prepared peer connection where there is one.
    CreateAnswer {
        /// The call.
        call_id: CallId,
        /// The caller's offer.
        offer: SessionDescription,
    },
    /// Give the peer connection the other side's answer.
    SetAnswer(SessionDescription),
    /// Give the peer connection a candidate of the other side's.
    AddCandidate(IceCandidate),
    /// Let the peer connection begin anew on the network as it is now, and make the offer of that.
    OfferRestart,
    /// Let it begin anew, and make the answer to this offer.
    AnswerRestart(SessionDescription),
    /// Give the peer connection the other side's answer to the offer of a restart.
    FinishRestart(SessionDescription),
    /// Open the devices. A camera that is off stays closed; a microphone that is off is open and sends nothing.
    StartMedia(MediaState),
    /// Send the microphone's sound from now on, or stop. One that has failed is tried again.
    SetMicrophone(bool),
    /// Open the camera and send its pictures, or stop and close it. One that has failed is tried again.
    SetCamera(bool),
    /// Keep pictures going out for a while whatever the policy of quality says, or not.
    KeepVideo(bool),
    /// Close the peer connection.
    ClosePeer,
    /// Close the devices.
    StopMedia,
}
