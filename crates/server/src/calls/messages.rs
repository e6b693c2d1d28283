//! What the two sides of a call say, each message by a method of its own.

use std::time::Instant;

use vireo_protocol::{
    CallErrorCode, CallId, CallOutcome, ChatId, ClientMessage, EndReason, IceCandidate,
    MAX_CANDIDATES_PER_SIDE, MediaState, ServerMessage, SessionDescription,
};

use super::leg::Leg;
use super::{Answer, Call, Calls, FORGET_AFTER, Ids, Send, Sender, Side, State};

impl Calls {
    /// Carries out what a member of the chat says about a call that exists. Nothing where the message is of another sort.
    pub fn handle(
        &mut self,
        from: Sender<'_>,
        message: ClientMessage,
        now: Instant,
    ) -> Option<(Ids, Answer)> {
        use ClientMessage as M;
        let (ids, answer) = match message {
            M::CallRinging { call_id, chat_id } => {
                let answer = self.ringing(from, &call_id, &chat_id);
                ((call_id, chat_id), answer)
            }
            M::CallAnswer {
                call_id,
                chat_id,
                answer,
                media_state,
            } => {
                let answer = self.answer(from, &call_id, &chat_id, answer, media_state);
                ((call_id, chat_id), answer)
            }
            M::CallIceCandidate {
                call_id,
                chat_id,
                candidate,
            } => {
                let answer = self.candidate(from, &call_id, &chat_id, candidate);
                ((call_id, chat_id), answer)
            }
            M::CallMediaState {
                call_id,
                chat_id,
                media_state,
            } => {
                let answer = self.media_state(from, &call_id, &chat_id, media_state);
                ((call_id, chat_id), answer)
            }
            M::CallRestart {
                call_id,
                chat_id,
                attempt,
                description,
            } => {
                let answer = self.restart(from, &call_id, &chat_id, attempt, description);
                ((call_id, chat_id), answer)
            }
            M::CallEnd {
                call_id,
                chat_id,
                reason,
            } => {
                let answer = self.end(from, &call_id, &chat_id, reason, now);
                ((call_id, chat_id), answer)
            }
            M::CallReject {
                call_id,
                chat_id,
                busy,
            } => {
                let answer = self.reject(from, &call_id, &chat_id, busy);
                ((call_id, chat_id), answer)
            }
            M::Hello { .. }
            | M::ContactsList {}
            | M::ContactsAdd { .. }
            | M::ContactsAccept { .. }
            | M::ContactsDecline { .. }
            | M::ContactsRemove { .. }
            | M::ContactsBlock { .. }
            | M::ContactsUnblock { .. }
            | M::PresenceSet { .. }
            | M::PresenceDoNotDisturb { .. }
            | M::CallsHistory { .. }
            | M::CallInitiate { .. } => return None,
        };
        Some((ids, answer))
    }

    /// A device of the callee's rings.
    pub fn ringing(&mut self, from: Sender<'_>, id: &CallId, chat: &ChatId) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Callee => {
                ringing.device_rings(id, chat, from.device)
            }
            State::Ringing(_) | State::Active { .. } | State::Ended { .. } => {
                Err(CallErrorCode::NoSuchCall)
            }
        }
    }

    /// A device of the callee's accepts.
    pub fn answer(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        answer: SessionDescription,
        media_state: MediaState,
    ) -> Answer {
        let now_ms = self.now_ms;
        let (call, side) = self.find(from, id, chat)?;
        let State::Ringing(ringing) = &call.state else {
            return Err(CallErrorCode::NoSuchCall);
        };
        if side != Side::Callee || !ringing.rings_at(from.device) {
            return Err(CallErrorCode::NoSuchCall);
        }
        let mut out = vec![Send {
            to: ringing.caller(),
            message: ServerMessage::CallAnswer {
                call_id: id.clone(),
                chat_id: chat.clone(),
                answer,
                media_state,
            },
        }];
        out.extend(ringing.tell_other_devices(id, chat, from.device, EndReason::AnsweredElsewhere));
        call.state = State::Active {
            caller: Leg::at(ringing.caller()),
            callee: Leg::at(from.device),
        };
        call.record.answered_at = Some(now_ms.max(call.record.started_at));
        let record = call.record.clone();
        let talking = [call.caller.user.clone(), call.callee.user.clone()];
        self.affected.extend(talking);
        self.records.push(record);
        self.changed.insert(id.clone());
        self.set_deadline(id, None);
        Ok(out)
    }

    /// A candidate for the other side.
    pub fn candidate(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        candidate: IceCandidate,
    ) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        let party = call.party_mut(side);
        if party.candidates >= MAX_CANDIDATES_PER_SIDE {
            return Err(CallErrorCode::InvalidCandidate);
        }
        party.candidates += 1;
        let message = ServerMessage::CallIceCandidate {
            call_id: id.clone(),
            chat_id: chat.clone(),
            candidate,
        };
        self.forward(from, id, side, message)
    }

    /// What a side sends from now on, for the other side.
    pub fn media_state(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        media_state: MediaState,
    ) -> Answer {
        let (_, side) = self.find(from, id, chat)?;
        let message = ServerMessage::CallMediaState {
            call_id: id.clone(),
            chat_id: chat.clone(),
            media_state,
        };
        self.forward(from, id, side, message)
    }

    /// The media connection is to be made anew: what one side says about that, for the other.
    pub fn restart(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        attempt: u32,
        description: Option<SessionDescription>,
    ) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        if !matches!(call.state, State::Active { .. }) {
            return Err(CallErrorCode::NoSuchCall);
        }
        if description.is_some() {
            call.party_mut(side).candidates = 0;
        }
        let message = ServerMessage::CallRestart {
            call_id: id.clone(),
            chat_id: chat.clone(),
            attempt,
            description,
        };
        self.forward(from, id, side, message)
    }

    /// A side cancels, gives up or hangs up.
    pub fn end(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        reason: EndReason,
        now: Instant,
    ) -> Answer {
        // The sender knows of these two only; whether it was a cancel is for this table to say.
        let reason = match reason {
            EndReason::ConnectionFailed => EndReason::ConnectionFailed,
            EndReason::HungUp
            | EndReason::Cancelled
            | EndReason::NoAnswer
            | EndReason::AnsweredElsewhere
            | EndReason::DeclinedElsewhere => EndReason::HungUp,
        };
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) => {
                let out = ringing.ended_by(id, chat, from.device, side == Side::Caller, reason)?;
                let outcome = match (side, reason) {
                    (_, EndReason::ConnectionFailed) => CallOutcome::Failed,
                    (Side::Caller, _) => CallOutcome::Cancelled,
                    (Side::Callee, _) => CallOutcome::Declined,
                };
                self.end_in_history(id, outcome, self.now_ms);
                self.forget(id);
                Ok(out)
            }
            State::Active { .. } => {
                let notice = ServerMessage::CallEnd {
                    call_id: id.clone(),
                    chat_id: chat.clone(),
                    reason,
                };
                let outcome = match reason {
                    EndReason::ConnectionFailed => CallOutcome::Failed,
                    _ => CallOutcome::Completed,
                };
                let out = self.forward(from, id, side, notice.clone())?;
                self.end_in_history(id, outcome, self.now_ms);
                self.finish(id, side.other(), notice, &out, now);
                Ok(out)
            }
            State::Ended { .. } => Err(CallErrorCode::NoSuchCall),
        }
    }

    /// A device of the callee's declines.
    pub fn reject(&mut self, from: Sender<'_>, id: &CallId, chat: &ChatId, busy: bool) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Callee => {
                let (out, over) = ringing.rejected_by(id, chat, from.device, busy)?;
                if over {
                    if busy && let Some(news) = ringing.missed() {
                        let callee = call.callee.user.clone();
                        self.missed.push((callee, news));
                    }
                    let outcome = match busy {
                        true => CallOutcome::Busy,
                        false => CallOutcome::Declined,
                    };
                    self.end_in_history(id, outcome, self.now_ms);
                    self.forget(id);
                }
                Ok(out)
            }
            State::Ringing(_) | State::Active { .. } | State::Ended { .. } => {
                Err(CallErrorCode::NoSuchCall)
            }
        }
    }

    /// The call of this id, where the sender belongs to it.
    fn find(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
    ) -> Result<(&mut Call, Side), CallErrorCode> {
        let call = self
            .calls
            .get_mut(id)
            .filter(|call| call.chat == *chat)
            .ok_or(CallErrorCode::NoSuchCall)?;
        let side = call.side_of(from.user).ok_or(CallErrorCode::AccessDenied)?;
        Ok((call, side))
    }

    /// Passes a message on to the other side of a call.
    fn forward(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        side: Side,
        message: ServerMessage,
    ) -> Answer {
        self.affected.insert(from.user.clone());
        let call = self.calls.get_mut(id).ok_or(CallErrorCode::NoSuchCall)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Caller => {
                ringing.caller_says(from.device, message)
            }
            State::Active { caller, callee } => {
                let (own, other) = match side {
                    Side::Caller => (caller, callee),
                    Side::Callee => (callee, caller),
                };
                own.claim(from.device)?;
                Ok(other.deliver(message))
            }
            // The callee has nothing to say before it has answered, and nobody has after the end.
            State::Ringing(_) | State::Ended { .. } => Err(CallErrorCode::NoSuchCall),
        }
    }

    /// An active call ends. Where the other side is away, the news of it waits.
    pub(super) fn finish(
        &mut self,
        id: &CallId,
        other: Side,
        notice: ServerMessage,
        told: &[Send],
        now: Instant,
    ) {
        if !told.is_empty() {
            return self.forget(id);
        }
        self.changed.insert(id.clone());
        if let Some(call) = self.calls.get_mut(id) {
            let parties = [call.caller.user.clone(), call.callee.user.clone()];
            self.affected.extend(parties);
            call.state = State::Ended {
                away: other,
                notice,
            };
            self.set_deadline(id, Some(now + FORGET_AFTER));
        }
    }
}
