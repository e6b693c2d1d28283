//! One side of an active call: the connections it is reached through, and what it missed while it had none.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use vireo_protocol::{CallErrorCode, ServerMessage};

use super::{BUSY_AFTER_LOSS, DeviceId, GONE_AFTER_SILENCE, Send};

/// So many messages are kept for a side that is away; the oldest go first.
const MAX_MISSED: usize = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Leg {
    /// The connection the side spoke through last, and every connection of the person's opened since: each of those may
    /// be the same device come back, which becomes certain when it speaks. Until then all of them hear what is said.
    devices: Vec<DeviceId>,
    /// Through which the side spoke last.
    speaker: DeviceId,
    /// When that was lost.
    #[serde(skip)]
    lost_at: Option<Instant>,
    /// By the client. An application that still runs is back at once then.
    #[serde(default)]
    closed: bool,
    /// The other side has been told that this one is gone.
    #[serde(default)]
    pub(super) reported_gone: bool,
    missed: Vec<ServerMessage>,
    /// What the other side has said last that it sends. It is repeated to a side that comes back even when it was
    /// delivered: the connection may have been dead already.
    media_state: Option<Box<ServerMessage>>,
}

impl Leg {
    pub(super) fn at(device: DeviceId) -> Self {
        Self {
            devices: vec![device],
            speaker: device,
            lost_at: None,
            closed: false,
            reported_gone: false,
            missed: Vec::new(),
            media_state: None,
        }
    }

    /// A side of whose connections nothing is known.
    pub(super) fn away(now: Instant) -> Self {
        Self {
            devices: Vec::new(),
            speaker: DeviceId(0),
            lost_at: Some(now),
            closed: false,
            reported_gone: false,
            missed: Vec::new(),
            media_state: None,
        }
    }

    /// The connections that belong to this side, the one that spoke last among them even where it is gone.
    pub(super) fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.devices.iter().copied().chain([self.speaker])
    }

    /// Whether what this side is to hear goes through this connection.
    pub(super) fn hears(&self, device: DeviceId) -> bool {
        self.devices.contains(&device)
    }

    /// Time does not travel with a call: a side without a connection counts as lost from now on.
    pub(super) fn restored(&mut self, now: Instant) {
        if self.is_away() {
            self.lost_at = Some(now);
        }
    }

    /// Whether nothing reaches this side.
    pub(super) fn is_away(&self) -> bool {
        self.devices.is_empty()
    }

    /// Whether the side's connection was lost and it has not spoken since.
    pub(super) fn is_abandoned(&self) -> bool {
        self.lost_at.is_some()
    }

    /// When this side, whose connection was lost, has probably left for good. None once the other one has been told.
    pub(super) fn gone_at(&self) -> Option<Instant> {
        let patience = match self.closed {
            true => BUSY_AFTER_LOSS,
            false => GONE_AFTER_SILENCE,
        };
        let lost_at = self.lost_at.filter(|_| !self.reported_gone);
        lost_at.map(|at| at + patience)
    }

    pub(super) fn keeps_busy(&self, now: Instant) -> bool {
        self.lost_at.is_none_or(|at| now < at + BUSY_AFTER_LOSS)
    }

    /// The person has opened another connection. Returns what it has to hear.
    pub(super) fn device_opened(&mut self, device: DeviceId) -> Vec<Send> {
        self.devices.push(device);
        let missed = self
            .missed
            .drain(..)
            .chain(self.media_state.as_deref().cloned());
        missed
            .map(|message| Send {
                to: device,
                message,
            })
            .collect()
    }

    pub(super) fn device_lost(&mut self, device: DeviceId, closed: bool, now: Instant) {
        self.devices.retain(|other| *other != device);
        if self.speaker == device {
            self.lost_at = Some(now);
            self.closed = closed;
        }
    }

    /// The device speaks for this side. One that was connected before the answer and did not give it may not.
    pub(super) fn claim(&mut self, device: DeviceId) -> Result<(), CallErrorCode> {
        if !self.devices.contains(&device) {
            return Err(CallErrorCode::NoSuchCall);
        }
        self.devices.clear();
        self.devices.push(device);
        self.speaker = device;
        self.lost_at = None;
        self.closed = false;
        self.reported_gone = false;
        Ok(())
    }

    /// Says it to this side where it is there.
    pub(super) fn tell(&self, message: &ServerMessage) -> Vec<Send> {
        let send = |&to| Send {
            to,
            message: message.clone(),
        };
        self.devices.iter().map(send).collect()
    }

    /// Says it to this side, now or when it is back.
    pub(super) fn deliver(&mut self, message: ServerMessage) -> Vec<Send> {
        let is_media_state = matches!(message, ServerMessage::CallMediaState { .. });
        if is_media_state {
            self.media_state = Some(Box::new(message.clone()));
        } else if self.is_away() {
            if matches!(message, ServerMessage::CallRestart { .. }) {
                // What belongs to an earlier attempt is of no use any more.
                self.missed.clear();
            }
            if self.missed.len() == MAX_MISSED {
                self.missed.remove(0);
            }
            self.missed.push(message.clone());
        }
        self.tell(&message)
    }
}
