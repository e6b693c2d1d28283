//! What the messages of a call carry. Names and shapes are the W3C's (webrtc-pc), so that a browser can pass them on unchanged.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether a description offers or answers (W3C `RTCSdpType`; only these two are sent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// Made by the caller.
    Offer,
    /// Made by the callee when the call is accepted.
    Answer,
}

/// W3C `RTCSessionDescriptionInit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionDescription {
    /// Offer or answer.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The session description (RFC 8866), at most [`MAX_SDP_BYTES`](crate::MAX_SDP_BYTES) long.
    pub sdp: String,
}

impl SessionDescription {
    /// An offer with this SDP.
    #[must_use]
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Offer,
            sdp: sdp.into(),
        }
    }

    /// An answer with this SDP.
    #[must_use]
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self {
            kind: SdpType::Answer,
            sdp: sdp.into(),
        }
    }
}

/// W3C `RTCIceCandidateInit`. An empty `candidate` says that no more will follow (RFC 8838).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The `candidate-attribute` of RFC 8839, beginning with `candidate:`.
    pub candidate: String,
    /// The media section the candidate belongs to, by name.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// The media section the candidate belongs to, by index.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    /// The `ice-ufrag` of the generation the candidate belongs to.
    #[serde(default)]
    pub username_fragment: Option<String>,
}

/// W3C `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IceServer {
    /// `stun:host:port` or `turn:host:port?transport=udp`.
    pub urls: Vec<String>,
    /// TURN user name; limited in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What a side is sending at the moment, and what it can make use of. A call is a video call as long as one side's camera is
/// on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MediaState {
    /// False while the side is muted or has no microphone.
    pub microphone: bool,
    /// False while the camera is off or there is none, and while pictures are paused.
    pub camera: bool,
    /// True while the camera is on and its pictures are not sent, because the side's connection carries no more than sound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub video_paused: bool,
    /// The place in which the side shows the other one's pictures; larger ones are of no use to it. None: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<PictureSize>,
}

impl MediaState {
    /// Microphone and camera, and nothing else to say.
    #[must_use]
    pub const fn of(microphone: bool, camera: bool) -> Self {
        Self {
            microphone,
            camera,
            video_paused: false,
            shown: None,
        }
    }
}

/// The size of a picture or of its place, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PictureSize {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Why a call ended, for the side that did not end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The other side hung up.
    HungUp,
    /// The caller gave up before anyone answered.
    Cancelled,
    /// Nobody answered in time (the callee's devices hear this; the caller gets `call:error` with `no-answer`).
    NoAnswer,
    /// Another device of the same person answered.
    AnsweredElsewhere,
    /// Another device of the same person declined.
    DeclinedElsewhere,
    /// The other side could not bring the media connection up, or lost it for good.
    ConnectionFailed,
}

/// How a call went, for the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CallOutcome {
    /// The two have talked.
    Completed,
    /// The callee declined.
    Declined,
    /// Nobody answered in time.
    NoAnswer,
    /// The caller gave up before anybody answered.
    Cancelled,
    /// The callee was in another call.
    Busy,
    /// The callee had no device connected, or the last one went while it rang.
    Offline,
    /// The media connection did not come up, or was lost for good.
    Failed,
}

/// Codes of `call:error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CallErrorCode {
    /// The sender is not a member of the chat.
    AccessDenied,
    /// The callee has no device connected.
    UserOffline,
    /// The callee (or the caller) is in another call.
    UserBusy,
    /// Nobody answered in time.
    NoAnswer,
    /// The description is malformed, too long or has no media.
    InvalidSdp,
    /// The candidate is malformed, too long, or one too many.
    InvalidCandidate,
    /// The `callId` is malformed or already taken.
    InvalidCall,
    /// The call does not exist (any more), or the message does not fit its state.
    NoSuchCall,
    /// Too many messages; try again later.
    RateLimited,
}

impl CallErrorCode {
    /// The sentence that travels with the code.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::AccessDenied => "Access denied",
            Self::UserOffline => "User offline",
            Self::UserBusy => "User busy",
            Self::NoAnswer => "No answer",
            Self::InvalidSdp => "Invalid session description",
            Self::InvalidCandidate => "Invalid candidate",
            Self::InvalidCall => "Invalid call id",
            Self::NoSuchCall => "No such call",
            Self::RateLimited => "Too many requests",
        }
    }
}
