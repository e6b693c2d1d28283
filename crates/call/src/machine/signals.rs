//! What the other side says, by way of the server, and what the peer connection tells.

use vireo_protocol::{CallId, ClientMessage, MediaState, ServerMessage, SessionDescription};

use super::{
    ANSWER_GRACE, CONNECT_TIMEOUT, Call, CallDetails, CallState, Output, Step, answered, connected,
    details, hang_up, remote_media, restart::restart, ringing,
};
use crate::{CallPeer, Direction, EndedReason, peer::PeerEvent};

impl Call {
    pub(super) fn receive(
        &mut self,
        state: CallState,
        message: ServerMessage,
        step: &mut Step,
    ) -> CallState {
        let is_about = |id: &CallId| state.details().is_some_and(|call| call.call_id == *id);
        match message {
            ServerMessage::CallOffer {
                call_id,
                chat_id,
                offer,
                caller_id,
                caller_name,
                media_state,
            } if !is_about(&call_id) || state.can_ring_again() => {
                let peer = CallPeer {
                    user_id: caller_id,
                    name: caller_name,
                };
                let local = MediaState::of(true, false);
                let call = details(
                    call_id,
                    chat_id,
                    peer,
                    Direction::Incoming,
                    local,
                    media_state,
                );
                self.offered(state, call, offer, step)
            }
            ServerMessage::CallRinging { call_id, .. } if is_about(&call_id) => ringing(state),
            ServerMessage::CallAnswer {
                call_id,
                answer,
                media_state,
                ..
            } if is_about(&call_id) => answered(state, answer, media_state, step),
            ServerMessage::CallIceCandidate {
                call_id, candidate, ..
            } if is_about(&call_id) => {
                if state.can_take_candidates() {
                    step.put(Output::AddCandidate(candidate));
                }
                state
            }
            ServerMessage::CallMediaState {
                call_id,
                media_state,
                ..
            } if is_about(&call_id) => remote_media(state, media_state, step),
            ServerMessage::CallRestart {
                call_id,
                attempt,
                description,
                ..
            } if is_about(&call_id) => restart(state, attempt, description, step),
            ServerMessage::CallEnd {
                call_id, reason, ..
            } if is_about(&call_id) => self.remote_end(state, reason, step),
            ServerMessage::CallRejected { call_id, .. } if is_about(&call_id) => {
                self.rejected(state, step)
            }
            ServerMessage::CallError { call_id, code, .. } if is_about(&call_id) => {
                self.remote_error(state, code, step)
            }
            // An old call's, or not about a call at all.
            ServerMessage::CallOffer { .. }
            | ServerMessage::CallRinging { .. }
            | ServerMessage::CallAnswer { .. }
            | ServerMessage::CallIceCandidate { .. }
            | ServerMessage::CallMediaState { .. }
            | ServerMessage::CallRestart { .. }
            | ServerMessage::CallEnd { .. }
            | ServerMessage::CallRejected { .. }
            | ServerMessage::CallError { .. }
            | ServerMessage::CallMissed { .. }
            | ServerMessage::Hello { .. }
            | ServerMessage::Ok { .. }
            | ServerMessage::Error { .. }
            | ServerMessage::Contacts { .. }
            | ServerMessage::Contact { .. }
            | ServerMessage::ContactRemoved { .. }
            | ServerMessage::Presence { .. }
            | ServerMessage::DoNotDisturb { .. }
            | ServerMessage::Calls { .. } => state,
        }
    }

    pub(super) fn offered(
        &self,
        state: CallState,
        mut offered: Box<CallDetails>,
        offer: SessionDescription,
        step: &mut Step,
    ) -> CallState {
        let state = self.superseded(state, &offered, step);
        if state.can_begin() {
            step.put(Output::Prepare {
                call_id: offered.call_id.clone(),
            });
            step.put(Output::Send(ClientMessage::CallRinging {
                call_id: offered.call_id.clone(),
                chat_id: offered.chat_id.clone(),
            }));
            let deadline = step.after(self.policy.answer_timeout + ANSWER_GRACE);
            return CallState::Incoming {
                call: offered,
                offer,
                deadline,
            };
        }
        let Some(own) = state.details() else {
            return state;
        };
        if !state.can_lose_to_glare() || own.chat_id != offered.chat_id {
            step.put(Output::Send(ClientMessage::CallReject {
                call_id: offered.call_id,
                chat_id: offered.chat_id,
                busy: true,
            }));
            return state;
        }
        // Both called each other at once. The smaller id wins, so both sides come to the same decision.
        if own.call_id < offered.call_id {
            return state;
        }
        if state.can_send() {
            step.put(Output::Send(hang_up(own)));
        }
        step.put(Output::ClosePeer);
        // The devices stay open as they are: the user wanted to talk to this person anyway.
        offered.wanted = own.wanted;
        offered.works = own.works;
        offered.notices = own.notices.clone();
        self.answer(offered, offer, step)
    }

    /// Whoever calls anew in the midst of a call whose media is lost has left that one.
    fn superseded(&self, state: CallState, offered: &CallDetails, step: &mut Step) -> CallState {
        let same_chat = |own: &CallDetails| own.chat_id == offered.chat_id;
        match &state {
            CallState::Reconnecting { call, .. } if same_chat(call) => {
                self.finish(state, EndedReason::RemoteHungUp, step)
            }
            _ => state,
        }
    }

    pub(super) fn described(
        &self,
        state: CallState,
        description: SessionDescription,
        step: &mut Step,
    ) -> CallState {
        let mut state = match state {
            CallState::Offering { call, .. } => {
                step.put(Output::Send(ClientMessage::CallInitiate {
                    call_id: call.call_id.clone(),
                    chat_id: call.chat_id.clone(),
                    offer: description,
                    media_state: call.told(),
                }));
                CallState::Calling {
                    call,
                    deadline: step.after(self.policy.answer_timeout + ANSWER_GRACE),
                }
            }
            CallState::Answering { mut call, .. } => {
                let answer = ClientMessage::CallAnswer {
                    call_id: call.call_id.clone(),
                    chat_id: call.chat_id.clone(),
                    answer: description,
                    media_state: call.told(),
                };
                // The answer goes before the candidates that were gathered meanwhile.
                call.waiting.insert(0, answer);
                CallState::Connecting {
                    call,
                    deadline: step.after(CONNECT_TIMEOUT),
                }
            }
            other => return self.restart_described(other, description, step),
        };
        if let Some(call) = state.details_mut().filter(|_| self.server_reachable) {
            step.outputs
                .extend(call.waiting.drain(..).map(Output::Send));
        }
        state
    }

    pub(super) fn peer(
        &mut self,
        state: CallState,
        event: PeerEvent,
        step: &mut Step,
    ) -> CallState {
        match event {
            PeerEvent::LocalCandidate(candidate) => self.local_candidate(state, candidate, step),
            PeerEvent::Connected => connected(state, step.now),
            PeerEvent::Disconnected => self.disconnected(state, step),
            PeerEvent::Failed => self.peer_failed(state, step),
            PeerEvent::Closed => self.peer_closed(state, step),
            // The engine's own business.
            PeerEvent::NegotiatedVideo(_)
            | PeerEvent::NegotiatedRedundancy(_)
            | PeerEvent::KeyFrameRequested
            | PeerEvent::AudioLoss(_)
            | PeerEvent::TargetBitrate(_) => state,
        }
    }
}
