//! A call before the answer: one device of the caller's, and all of the callee's that ring.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vireo_protocol::{
    CallErrorCode, CallId, CallOutcome, ChatId, EndReason, MediaState, ServerMessage,
    SessionDescription, User, UserId,
};

use super::{Answer, DeviceId, Send};

/// Who calls, and from which device.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The connection.
    pub device: DeviceId,
}

/// Who is called.
#[derive(Debug, Clone)]
pub struct Callee {
    /// The person.
    pub user: UserId,
    /// True for a service, which is never busy.
    pub service: bool,
    /// Every connection the person has.
    pub devices: Vec<DeviceId>,
}

/// What the caller offers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offer {
    /// The call, as the caller named it.
    pub call_id: CallId,
    /// Where.
    pub chat_id: ChatId,
    /// The session description.
    pub offer: SessionDescription,
    /// What the caller is going to send.
    pub media_state: MediaState,
}

impl Offer {
    pub(super) fn into_message(self, caller: User) -> ServerMessage {
        ServerMessage::CallOffer {
            call_id: self.call_id,
            chat_id: self.chat_id,
            offer: self.offer,
            caller_id: caller.id,
            caller_name: caller.name,
            media_state: self.media_state,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ringing {
    caller: DeviceId,
    /// Connections that the caller has opened since. Each may be the same device come back, before its loss was noticed.
    #[serde(default)]
    caller_since: BTreeSet<DeviceId>,
    callee: BTreeSet<DeviceId>,
    /// Whether the caller has heard that it rings.
    confirmed: bool,
    /// The offer, and what the caller has said since, for devices that connect while it rings.
    said: Vec<ServerMessage>,
}

impl Ringing {
    pub(super) fn new(caller: DeviceId, offer: ServerMessage) -> Self {
        Self {
            caller,
            caller_since: BTreeSet::new(),
            callee: BTreeSet::new(),
            confirmed: false,
            said: vec![offer],
        }
    }

    /// A device of the callee's is there and rings from now on.
    pub(super) fn device_opened(&mut self, device: DeviceId) -> Vec<Send> {
        self.callee.insert(device);
        let send = |message: &ServerMessage| Send {
            to: device,
            message: message.clone(),
        };
        self.said.iter().map(send).collect()
    }

    /// The caller has opened another connection.
    pub(super) fn caller_opened(&mut self, device: DeviceId) {
        self.caller_since.insert(device);
    }

    pub(super) fn caller(&self) -> DeviceId {
        self.caller
    }

    /// Every connection that takes part.
    pub(super) fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.callee.iter().copied().chain([self.caller])
    }

    pub(super) fn rings_at(&self, device: DeviceId) -> bool {
        self.callee.contains(&device)
    }

    /// A device confirms that it rings; the caller hears of the first.
    pub(super) fn device_rings(&mut self, id: &CallId, chat: &ChatId, device: DeviceId) -> Answer {
        if !self.rings_at(device) {
            return Err(CallErrorCode::NoSuchCall);
        }
        if std::mem::replace(&mut self.confirmed, true) {
            return Ok(Vec::new());
        }
        Ok(vec![Send {
            to: self.caller,
            message: ServerMessage::CallRinging {
                call_id: id.clone(),
                chat_id: chat.clone(),
            },
        }])
    }

    /// What the caller says goes to every device that rings.
    pub(super) fn caller_says(&mut self, device: DeviceId, message: ServerMessage) -> Answer {
        if device != self.caller {
            return Err(CallErrorCode::NoSuchCall);
        }
        let out = self.to_callee(&message);
        let is_media_state =
            |said: &ServerMessage| matches!(said, ServerMessage::CallMediaState { .. });
        if is_media_state(&message) {
            // Only the newest matters.
            self.said.retain(|said| !is_media_state(said));
        }
        self.said.push(message);
        Ok(out)
    }

    /// A connection is gone. Returns who hears of it when that ends the call.
    pub(super) fn device_lost(
        &mut self,
        id: &CallId,
        chat: &ChatId,
        device: DeviceId,
    ) -> Option<(Vec<Send>, CallOutcome)> {
        if device == self.caller {
            let news = self.to_callee(&ended(id, chat, EndReason::Cancelled));
            return Some((news, CallOutcome::Cancelled));
        }
        if self.callee.remove(&device) && self.callee.is_empty() {
            let news = vec![self.failed(id, chat, CallErrorCode::UserOffline)];
            return Some((news, CallOutcome::Offline));
        }
        None
    }

    pub(super) fn nobody_answered(&self, id: &CallId, chat: &ChatId) -> Vec<Send> {
        let mut out = self.to_callee(&ended(id, chat, EndReason::NoAnswer));
        out.push(self.failed(id, chat, CallErrorCode::NoAnswer));
        out
    }

    /// Somebody ends the call before it was answered: the caller cancels, or the callee gives up while accepting.
    pub(super) fn ended_by(
        &self,
        id: &CallId,
        chat: &ChatId,
        device: DeviceId,
        by_caller: bool,
        reason: EndReason,
    ) -> Answer {
        let may_end = match by_caller {
            true => device == self.caller || self.caller_since.contains(&device),
            false => self.rings_at(device),
        };
        if !may_end {
            return Err(CallErrorCode::NoSuchCall);
        }
        if by_caller {
            return Ok(self.to_callee(&ended(id, chat, EndReason::Cancelled)));
        }
        let to_caller = match reason {
            EndReason::ConnectionFailed => ended(id, chat, reason),
            EndReason::HungUp
            | EndReason::Cancelled
            | EndReason::NoAnswer
            | EndReason::AnsweredElsewhere
            | EndReason::DeclinedElsewhere => rejected(id, chat),
        };
        Ok(self.over(id, chat, device, to_caller))
    }

    /// A device declines. True when that ends the call: one that is merely busy leaves the others ringing.
    pub(super) fn rejected_by(
        &mut self,
        id: &CallId,
        chat: &ChatId,
        device: DeviceId,
        busy: bool,
    ) -> Result<(Vec<Send>, bool), CallErrorCode> {
        if !self.rings_at(device) {
            return Err(CallErrorCode::NoSuchCall);
        }
        if !busy {
            return Ok((self.over(id, chat, device, rejected(id, chat)), true));
        }
        self.callee.remove(&device);
        match self.callee.is_empty() {
            true => Ok((vec![self.failed(id, chat, CallErrorCode::UserBusy)], true)),
            false => Ok((Vec::new(), false)),
        }
    }

    /// What the callee hears where they had no time for it.
    pub(super) fn missed(&self) -> Option<ServerMessage> {
        missed(self.said.first()?.clone())
    }

    /// Tells every device of the callee's but this one why it stops ringing.
    pub(super) fn tell_other_devices(
        &self,
        id: &CallId,
        chat: &ChatId,
        device: DeviceId,
        reason: EndReason,
    ) -> Vec<Send> {
        let mut out = self.to_callee(&ended(id, chat, reason));
        out.retain(|send| send.to != device);
        out
    }

    fn over(
        &self,
        id: &CallId,
        chat: &ChatId,
        device: DeviceId,
        to_caller: ServerMessage,
    ) -> Vec<Send> {
        let mut out = self.tell_other_devices(id, chat, device, EndReason::DeclinedElsewhere);
        out.push(Send {
            to: self.caller,
            message: to_caller,
        });
        out
    }

    fn to_callee(&self, message: &ServerMessage) -> Vec<Send> {
        let send = |&to| Send {
            to,
            message: message.clone(),
        };
        self.callee.iter().map(send).collect()
    }

    fn failed(&self, id: &CallId, chat: &ChatId, code: CallErrorCode) -> Send {
        Send {
            to: self.caller,
            message: ServerMessage::CallError {
                id: None,
                call_id: id.clone(),
                chat_id: chat.clone(),
                code,
                message: code.message().to_owned(),
                retry_after_seconds: None,
            },
        }
    }
}

/// What somebody hears who was busy when this was offered; nothing where it is no offer.
pub(super) fn missed(offer: ServerMessage) -> Option<ServerMessage> {
    let ServerMessage::CallOffer {
        call_id,
        chat_id,
        caller_id,
        caller_name,
        media_state,
        ..
    } = offer
    else {
        return None;
    };
    Some(ServerMessage::CallMissed {
        call_id,
        chat_id,
        caller_id,
        caller_name,
        media_state,
    })
}

fn ended(id: &CallId, chat: &ChatId, reason: EndReason) -> ServerMessage {
    ServerMessage::CallEnd {
        call_id: id.clone(),
        chat_id: chat.clone(),
        reason,
    }
}

fn rejected(id: &CallId, chat: &ChatId) -> ServerMessage {
    ServerMessage::CallRejected {
        call_id: id.clone(),
        chat_id: chat.clone(),
    }
}
