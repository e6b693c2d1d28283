//! The states of a call.

use std::time::Instant;

use vireo_media::{DeviceTrouble, MicrophoneHint};
use vireo_protocol::{CallId, ChatId, ClientMessage, MediaState, PictureSize, SessionDescription};

use crate::{
    CallPeer, ConnectionQuality, Direction, EndedReason, Notice, NoticeKind, Phase, Speaking,
};

/// Where a call stands. Each state carries what is known in it and nothing else.
///
/// ```text
///              Place                                Receive(call:offer)
///   ┌──────────────────────────── Idle ────────────────────────────┐
///   ↓                              ↑                               ↓
/// Offering                         │ Dismiss                    Incoming
///   │ Description                  │ (a new call may also          │ Accept
///   ↓                              │  follow an ended one)         ↓
/// Calling ──────┐                  │      ┌─ glare lost ──────→ Answering
///   │ ringing   │                  │      │  (from the three        │ Description
///   ↓           │ call:answer      │      │   on the left)          │
/// Ringing ──────┴────────────→ Connecting ←────────────────────────┘
///                                  │ Connected
///                                  ↓
///                              Connected ⇄ Reconnecting
///
///   every state but Idle ── End, the other side, a failure, its timer ──→ Ended
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum CallState {
    /// No call.
    #[default]
    Idle,
    /// Outgoing: the peer connection makes its offer. Nobody has heard of the call yet.
    Offering {
        /// The call.
        call: Box<CallDetails>,
        /// When to give up.
        deadline: Instant,
    },
    /// Outgoing: the offer has been sent.
    Calling {
        /// The call.
        call: Box<CallDetails>,
        /// When to give up.
        deadline: Instant,
    },
    /// Outgoing: the other side's device rings.
    Ringing {
        /// The call.
        call: Box<CallDetails>,
        /// When to give up.
        deadline: Instant,
    },
    /// Incoming: this device rings.
    Incoming {
        /// The call.
        call: Box<CallDetails>,
        /// What an acceptance answers.
        offer: SessionDescription,
        /// When to give up.
        deadline: Instant,
    },
    /// Incoming: accepted; the peer connection makes its answer.
    Answering {
        /// The call.
        call: Box<CallDetails>,
        /// When to give up.
        deadline: Instant,
    },
    /// Offer and answer are exchanged; the media connection comes up.
    Connecting {
        /// The call.
        call: Box<CallDetails>,
        /// When to give up.
        deadline: Instant,
    },
    /// Media flows.
    Connected {
        /// The call.
        call: Box<CallDetails>,
        /// When media flowed first.
        since: Instant,
    },
    /// Media flowed and does not at the moment. The peer connection tries to get it back for as long as this lasts.
    Reconnecting {
        /// The call.
        call: Box<CallDetails>,
        /// When media flowed first.
        since: Instant,
        /// When to give up; none while the server would say that the other side has left.
        deadline: Option<Instant>,
        /// When to make the connection anew, if the server can be reached.
        restart_at: Instant,
    },
    /// Over; kept so that the user can see how it ended.
    Ended {
        /// The call.
        call: Box<CallDetails>,
        /// When media flowed first; none when it never did.
        since: Option<Instant>,
        /// Why it ended.
        reason: EndedReason,
        /// When it ended.
        at: Instant,
    },
}

/// What is true of a call in every state.
#[derive(Debug, Clone, PartialEq)]
pub struct CallDetails {
    /// The call.
    pub call_id: CallId,
    /// Its chat.
    pub chat_id: ChatId,
    /// The person at the other end.
    pub peer: CallPeer,
    /// Who called whom.
    pub direction: Direction,
    /// What the user wants to send.
    pub wanted: MediaState,
    /// False for a device that does not work, as far as is known.
    pub works: MediaState,
    /// What the other side sends.
    pub remote: MediaState,
    /// How well what this side sends gets there.
    pub connection: ConnectionQuality,
    /// Whose voice is heard, as far as the devices can tell.
    pub speaking: Speaking,
    /// What the microphone's sound gives to say.
    pub microphone_hint: Option<MicrophoneHint>,
    /// The place in which this side shows the other one's pictures.
    pub shown: Option<PictureSize>,
    /// What the user should know.
    pub notices: Vec<Notice>,
    /// Messages that wait: for the offer or the answer that must go first, or for the server to be there again.
    pub waiting: Vec<ClientMessage>,
    /// The answer is sent a second time, since nobody knows whether the first got through.
    pub answers_again: bool,
    /// Which attempt to make the media connection anew is the newest; the caller counts.
    pub restarts: u32,
    /// When that began.
    pub restarted_at: Option<Instant>,
    /// The server would not say that the other side has left: it knows of no such call any more, or has lost that side itself.
    pub untold: bool,
}

impl CallDetails {
    /// What this side sends: what is wanted, as far as the devices work and the connection carries it.
    #[must_use]
    pub fn local(&self) -> MediaState {
        let camera = self.wanted.camera && self.works.camera;
        MediaState {
            microphone: self.wanted.microphone && self.works.microphone,
            camera,
            video_paused: camera && self.connection == ConnectionQuality::Poor,
            shown: self.shown,
        }
    }

    /// What the other side hears of that: pictures that are paused are none.
    #[must_use]
    pub fn told(&self) -> MediaState {
        let local = self.local();
        MediaState {
            camera: local.camera && !local.video_paused,
            ..local
        }
    }

    /// Who of the two speaks and is heard.
    #[must_use]
    pub fn audible(&self) -> Speaking {
        Speaking {
            local: self.speaking.local && self.local().microphone,
            remote: self.speaking.remote && self.remote.microphone,
        }
    }

    /// What the user should know about their microphone's sound, where that still fits what they want.
    #[must_use]
    pub fn fitting_hint(&self) -> Option<MicrophoneHint> {
        self.microphone_hint.filter(|hint| match hint {
            MicrophoneHint::SpeaksWhileMuted => !self.wanted.microphone && self.works.microphone,
            MicrophoneHint::HearsNothing => self.local().microphone,
        })
    }

    /// A device does not work; the user is told when there is something to tell, once for each kind.
    pub(super) fn fails(&mut self, device: NoticeKind, trouble: Option<DeviceTrouble>) {
        self.works(device);
        self.set_works(device, false);
        if let Some(DeviceTrouble { cause, sentence }) = trouble {
            self.notices.push(Notice {
                kind: device,
                cause,
                message: sentence,
            });
        }
    }

    /// A device works.
    pub(super) fn works(&mut self, device: NoticeKind) {
        self.set_works(device, true);
        self.notices.retain(|notice| notice.kind != device);
    }

    fn set_works(&mut self, device: NoticeKind, works: bool) {
        match device {
            NoticeKind::Camera => self.works.camera = works,
            NoticeKind::Microphone => self.works.microphone = works,
            NoticeKind::Speaker => {}
        }
    }
}

/// Questions. Each match names every state, so that a new one forces each decision.
impl CallState {
    /// The call, in every state that has one.
    #[must_use]
    pub fn details(&self) -> Option<&CallDetails> {
        match self {
            Self::Idle => None,
            Self::Offering { call, .. }
            | Self::Calling { call, .. }
            | Self::Ringing { call, .. }
            | Self::Incoming { call, .. }
            | Self::Answering { call, .. }
            | Self::Connecting { call, .. }
            | Self::Connected { call, .. }
            | Self::Reconnecting { call, .. }
            | Self::Ended { call, .. } => Some(call),
        }
    }

    /// The same, to be changed.
    pub(super) fn details_mut(&mut self) -> Option<&mut CallDetails> {
        match self {
            Self::Idle => None,
            Self::Offering { call, .. }
            | Self::Calling { call, .. }
            | Self::Ringing { call, .. }
            | Self::Incoming { call, .. }
            | Self::Answering { call, .. }
            | Self::Connecting { call, .. }
            | Self::Connected { call, .. }
            | Self::Reconnecting { call, .. }
            | Self::Ended { call, .. } => Some(call),
        }
    }

    /// What a user interface shows.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Idle => None,
            Self::Offering { .. } | Self::Calling { .. } => Some(Phase::Calling),
            Self::Ringing { .. } => Some(Phase::Ringing),
            Self::Incoming { .. } => Some(Phase::Incoming),
            Self::Answering { .. } | Self::Connecting { .. } => Some(Phase::Connecting),
            Self::Connected { .. } => Some(Phase::Connected),
            Self::Reconnecting { .. } => Some(Phase::Reconnecting),
            Self::Ended { reason, .. } => Some(Phase::Ended { reason: *reason }),
        }
    }

    /// The state's name, for the log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Offering { .. } => "offering",
            Self::Calling { .. } => "calling",
            Self::Ringing { .. } => "ringing",
            Self::Incoming { .. } => "incoming",
            Self::Answering { .. } => "answering",
            Self::Connecting { .. } => "connecting",
            Self::Connected { .. } => "connected",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Ended { .. } => "ended",
        }
    }

    /// Whether a new call, outgoing or incoming, may begin.
    #[must_use]
    pub fn can_begin(&self) -> bool {
        match self {
            Self::Idle | Self::Ended { .. } => true,
            Self::Offering { .. }
            | Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Incoming { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. } => false,
        }
    }

    /// Whether this is a call that rang here until the server was lost. It may still ring elsewhere, and does so here when
    /// the server is back and offers it again.
    #[must_use]
    pub fn can_ring_again(&self) -> bool {
        match self {
            Self::Ended { call, reason, .. } => {
                call.direction == Direction::Incoming && *reason == EndedReason::ServerUnreachable
            }
            Self::Idle
            | Self::Offering { .. }
            | Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Incoming { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. } => false,
        }
    }

    /// Whether the user may accept or decline.
    #[must_use]
    pub fn can_answer(&self) -> bool {
        match self {
            Self::Incoming { .. } => true,
            Self::Idle
            | Self::Offering { .. }
            | Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. }
            | Self::Ended { .. } => false,
        }
    }

    /// Whether this side has called and nobody has answered yet: where two people can call each other at once.
    #[must_use]
    pub fn can_lose_to_glare(&self) -> bool {
        match self {
            Self::Offering { .. } | Self::Calling { .. } | Self::Ringing { .. } => true,
            Self::Idle
            | Self::Incoming { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. }
            | Self::Ended { .. } => false,
        }
    }

    /// Whether the call was placed or accepted here and is not over, so that devices may be open.
    #[must_use]
    pub fn can_use_devices(&self) -> bool {
        match self {
            Self::Offering { .. }
            | Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. } => true,
            Self::Idle | Self::Incoming { .. } | Self::Ended { .. } => false,
        }
    }

    /// Whether the other side knows the call by a message of ours, so that further ones may follow.
    #[must_use]
    pub fn can_send(&self) -> bool {
        match self {
            Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. } => true,
            Self::Idle
            | Self::Offering { .. }
            | Self::Incoming { .. }
            | Self::Answering { .. }
            | Self::Ended { .. } => false,
        }
    }

    /// Whether candidates of the other side's can be put to use.
    #[must_use]
    pub fn can_take_candidates(&self) -> bool {
        match self {
            Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Incoming { .. }
            | Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. } => true,
            Self::Idle | Self::Offering { .. } | Self::Ended { .. } => false,
        }
    }

    /// Whether the call can go on without the server.
    #[must_use]
    pub fn can_outlive_server(&self) -> bool {
        match self {
            Self::Answering { .. }
            | Self::Connecting { .. }
            | Self::Connected { .. }
            | Self::Reconnecting { .. }
            | Self::Idle
            | Self::Ended { .. } => true,
            Self::Offering { .. }
            | Self::Calling { .. }
            | Self::Ringing { .. }
            | Self::Incoming { .. } => false,
        }
    }
}
