//! What a user interface shows of a call. Everything is a value; the interface renders it and keeps no copy of its own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_media::{DeviceCause, MicrophoneHint};
use vireo_protocol::{CallId, ChatId, MediaState, UserId};

/// A call as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    /// The call.
    pub call_id: CallId,
    /// The chat it belongs to.
    pub chat_id: ChatId,
    /// The person at the other end.
    pub peer: CallPeer,
    /// Who called whom.
    pub direction: Direction,
    /// How far the call has come.
    pub phase: Phase,
    /// What this side sends. The camera is as the user has it, also while its pictures are paused.
    pub local: MediaState,
    /// What the other side sends.
    pub remote: MediaState,
    /// Who speaks at the moment.
    pub speaking: Speaking,
    /// What the person should know about their microphone's sound; null when there is nothing.
    pub microphone_hint: Option<MicrophoneHint>,
    /// How well what this side sends gets there.
    pub connection: ConnectionQuality,
    /// When the media connection came up first, in Unix milliseconds; null before.
    #[ts(type = "number | null")]
    pub connected_at_ms: Option<u64>,
    /// When the call ended, in Unix milliseconds; null before.
    #[ts(type = "number | null")]
    pub ended_at_ms: Option<u64>,
    /// False while the server cannot be reached; the call goes on without it.
    pub server_reachable: bool,
    /// What the person should know about devices and connection, oldest first.
    pub notices: Vec<Notice>,
}

/// Who speaks at the moment and is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Speaking {
    /// The person at this side, by what their microphone hears.
    pub local: bool,
    /// The other one, by what is received.
    pub remote: bool,
}

/// How well what this side sends gets to the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ConnectionQuality {
    /// There is nothing to say about it.
    #[default]
    Good,
    /// Much is lost, or takes long, or pictures have to be very small.
    Unstable,
    /// Pictures are paused, so that the sound stays clear.
    Poor,
}

/// The person at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallPeer {
    /// Their account.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// This side called.
    Outgoing,
    /// The other side called.
    Incoming,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Phase {
    /// Outgoing: the request has been sent.
    Calling,
    /// Outgoing: the other side's device rings.
    Ringing,
    /// Incoming: this device rings.
    Incoming,
    /// Accepted; the media connection comes up.
    Connecting,
    /// Sound and picture flow.
    Connected,
    /// The media connection was lost and is tried again.
    Reconnecting,
    /// Over.
    Ended {
        /// Why.
        reason: EndedReason,
    },
}

impl Phase {
    /// The phase's name as it stands in views and statistics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Calling => "calling",
            Self::Ringing => "ringing",
            Self::Incoming => "incoming",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Ended { .. } => "ended",
        }
    }

    /// Whether the call is over.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

/// Why a call ended, as this side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum EndedReason {
    /// This side hung up.
    HungUp,
    /// The other side hung up.
    RemoteHungUp,
    /// Outgoing: this side gave up before anyone answered.
    Cancelled,
    /// Incoming: the caller gave up before this side answered.
    CallerCancelled,
    /// Outgoing: the other side declined.
    Declined,
    /// Incoming: this side declined.
    DeclinedHere,
    /// Outgoing: nobody answered in time.
    NoAnswer,
    /// Incoming: this side did not answer in time.
    Missed,
    /// Outgoing: the other side is in another call.
    Busy,
    /// Outgoing: the other side has no device connected.
    Offline,
    /// The server does not allow this call.
    AccessDenied,
    /// Incoming: another device of this person answered.
    AnsweredElsewhere,
    /// Incoming: another device of this person declined.
    DeclinedElsewhere,
    /// The media connection never came up.
    ConnectionFailed,
    /// The media connection never came up, and only a relay might have carried it, as the person has chosen.
    NoRelay,
    /// The media connection was there and could not be restored.
    ConnectionLost,
    /// The media connection was lost, and the other side's device has not been seen since.
    RemoteGone,
    /// The server became unreachable before the call was answered.
    ServerUnreachable,
    /// The server refused the call for another reason, such as too many requests.
    Refused,
}

impl EndedReason {
    /// What happened and what to do next, in a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::HungUp => "You ended the call.",
            Self::RemoteHungUp => "The other side ended the call.",
            Self::Cancelled => "You cancelled the call.",
            Self::CallerCancelled => "The caller gave up. You can call back.",
            Self::Declined => "The call was declined. You can send a message or call later.",
            Self::DeclinedHere => "You declined the call.",
            Self::NoAnswer => "Nobody answered. You can call again.",
            Self::Missed => "You missed the call. You can call back.",
            Self::Busy => "The other side is already in a call. Try again later.",
            Self::Offline => "The other side is offline. Try again later.",
            Self::AccessDenied => {
                "You may not call this person. Both of you have to add each other as contacts first."
            }
            Self::AnsweredElsewhere => "The call was answered on another device.",
            Self::DeclinedElsewhere => "The call was declined on another device.",
            Self::ConnectionFailed => {
                "No connection between the two devices could be made. Check the network and call again."
            }
            Self::NoRelay => {
                "No connection through a relay could be made, and you have chosen that calls take no other way. \
                 Try again, or allow direct connections."
            }
            Self::ConnectionLost => "The connection was lost. You can call again.",
            Self::RemoteGone => {
                "The other side's application was closed or has lost its network. Call again once they are back."
            }
            Self::ServerUnreachable => {
                "The server cannot be reached. Check the network and call again."
            }
            Self::Refused => "The server refused the call. Wait a moment and call again.",
        }
    }

    /// Whether the call took place and one of the two hung up.
    #[must_use]
    pub fn is_normal(self) -> bool {
        matches!(self, Self::HungUp | Self::RemoteHungUp)
    }
}

/// Something the person should know while the call goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// What it is about; an interface shows at most one of a kind.
    pub kind: NoticeKind,
    /// What it comes down to.
    pub cause: DeviceCause,
    /// The sentence.
    pub message: String,
}

/// What a [`Notice`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// No picture goes out: no camera, or it is busy, or it has gone.
    Camera,
    /// No sound goes out.
    Microphone,
    /// The other side cannot be heard.
    Speaker,
}
