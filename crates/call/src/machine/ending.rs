//! All the ways in which a call ends.

use vireo_protocol::{CallErrorCode, ClientMessage, EndReason};

use super::{Call, CallState, Output, SECOND_ANSWER_TIMEOUT, Step, untold};
use crate::{Direction, EndedReason};

impl Call {
    /// Ends the call on this side: closes what is open and keeps the call for the user to see.
    pub(super) fn finish(
        &self,
        state: CallState,
        reason: EndedReason,
        step: &mut Step,
    ) -> CallState {
        if has_peer(&state) {
            step.put(Output::ClosePeer);
        }
        if state.can_use_devices() {
            step.put(Output::StopMedia);
        }
        let at = step.now;
        match state {
            CallState::Idle => CallState::Idle,
            CallState::Ended { .. } => state,
            CallState::Offering { call, .. }
            | CallState::Calling { call, .. }
            | CallState::Ringing { call, .. }
            | CallState::Incoming { call, .. }
            | CallState::Answering { call, .. }
            | CallState::Connecting { call, .. } => CallState::Ended {
                call,
                since: None,
                reason,
                at,
            },
            CallState::Connected { call, since } | CallState::Reconnecting { call, since, .. } => {
                CallState::Ended {
                    call,
                    since: Some(since),
                    reason,
                    at,
                }
            }
        }
    }

    /// The same, and the other side is told by way of the server.
    pub(super) fn finish_and_tell(
        &mut self,
        mut state: CallState,
        told: EndReason,
        reason: EndedReason,
        step: &mut Step,
    ) -> CallState {
        match farewell(&state, told) {
            Some(message) if self.server_reachable => step.put(Output::Send(message)),
            Some(message) => self.farewells.push(message),
            None => {}
        }
        if let Some(call) = state.details_mut() {
            // Whatever else waits is of no use to a call that is over.
            call.waiting.clear();
        }
        self.finish(state, reason, step)
    }

    pub(super) fn end(&mut self, state: CallState, step: &mut Step) -> CallState {
        let reason = match state {
            CallState::Idle | CallState::Ended { .. } => return state,
            CallState::Offering { .. } | CallState::Calling { .. } | CallState::Ringing { .. } => {
                EndedReason::Cancelled
            }
            CallState::Incoming { .. } => EndedReason::DeclinedHere,
            CallState::Answering { .. }
            | CallState::Connecting { .. }
            | CallState::Connected { .. } => EndedReason::HungUp,
            // Whoever gives up waiting has not ended it: that the connection was lost is why it is over.
            CallState::Reconnecting { .. } => EndedReason::ConnectionLost,
        };
        self.finish_and_tell(state, EndReason::HungUp, reason, step)
    }

    pub(super) fn decline(&mut self, state: CallState, step: &mut Step) -> CallState {
        if state.can_answer() {
            self.end(state, step)
        } else {
            state
        }
    }

    pub(super) fn timeout(&mut self, state: CallState, step: &mut Step) -> CallState {
        match &state {
            CallState::Idle | CallState::Ended { .. } => state,
            CallState::Offering { deadline, .. }
            | CallState::Answering { deadline, .. }
            | CallState::Connecting { deadline, .. } => {
                if step.now < *deadline {
                    return state;
                }
                self.finish_and_tell(
                    state,
                    EndReason::ConnectionFailed,
                    EndedReason::ConnectionFailed,
                    step,
                )
            }
            CallState::Calling { deadline, .. } | CallState::Ringing { deadline, .. } => {
                if step.now < *deadline {
                    return state;
                }
                self.finish_and_tell(state, EndReason::HungUp, EndedReason::NoAnswer, step)
            }
            // The server knows without being told that nobody answered.
            CallState::Incoming { deadline, .. } => {
                if step.now < *deadline {
                    return state;
                }
                self.finish(state, EndedReason::Missed, step)
            }
            CallState::Connected { since, .. } => {
                if !self.is_too_long(*since, step) {
                    return state;
                }
                self.end(state, step)
            }
            CallState::Reconnecting {
                since, deadline, ..
            } => {
                if self.is_too_long(*since, step) {
                    return self.end(state, step);
                }
                if deadline.is_none_or(|deadline| step.now < deadline) {
                    return self.restart_if_due(state, step);
                }
                self.finish_and_tell(
                    state,
                    EndReason::ConnectionFailed,
                    EndedReason::ConnectionLost,
                    step,
                )
            }
        }
    }

    fn is_too_long(&self, since: std::time::Instant, step: &Step) -> bool {
        self.policy
            .longest
            .is_some_and(|longest| step.now >= since + longest)
    }

    /// The peer connection is of no use any more.
    pub(super) fn peer_failed(&mut self, state: CallState, step: &mut Step) -> CallState {
        let reason = match state {
            // While it rings, a connection that could not be prepared is tried anew on acceptance.
            CallState::Idle | CallState::Incoming { .. } | CallState::Ended { .. } => return state,
            CallState::Offering { .. }
            | CallState::Calling { .. }
            | CallState::Ringing { .. }
            | CallState::Answering { .. }
            | CallState::Connecting { .. } => EndedReason::ConnectionFailed,
            CallState::Connected { .. } | CallState::Reconnecting { .. } => {
                EndedReason::ConnectionLost
            }
        };
        self.finish_and_tell(state, EndReason::ConnectionFailed, reason, step)
    }

    /// The other side has closed the peer connection: it has hung up, whether or not the server could say so.
    pub(super) fn peer_closed(&mut self, state: CallState, step: &mut Step) -> CallState {
        match state {
            CallState::Connecting { .. }
            | CallState::Connected { .. }
            | CallState::Reconnecting { .. } => {
                self.finish_and_tell(state, EndReason::HungUp, EndedReason::RemoteHungUp, step)
            }
            CallState::Idle
            | CallState::Offering { .. }
            | CallState::Calling { .. }
            | CallState::Ringing { .. }
            | CallState::Incoming { .. }
            | CallState::Answering { .. }
            | CallState::Ended { .. } => state,
        }
    }

    /// The server says that the call is over.
    pub(super) fn remote_end(
        &self,
        state: CallState,
        reason: EndReason,
        step: &mut Step,
    ) -> CallState {
        match state.details() {
            Some(call) => {
                let reason = ended_reason(&state, call.direction, reason);
                self.finish(state, reason, step)
            }
            None => state,
        }
    }

    pub(super) fn rejected(&self, state: CallState, step: &mut Step) -> CallState {
        match state {
            CallState::Calling { .. }
            | CallState::Ringing { .. }
            | CallState::Connecting { .. } => self.finish(state, EndedReason::Declined, step),
            CallState::Idle
            | CallState::Offering { .. }
            | CallState::Incoming { .. }
            | CallState::Answering { .. }
            | CallState::Connected { .. }
            | CallState::Reconnecting { .. }
            | CallState::Ended { .. } => state,
        }
    }

    /// An error of the server's about this call. Once the call has been accepted the media connection decides.
    pub(super) fn remote_error(
        &mut self,
        state: CallState,
        code: CallErrorCode,
        step: &mut Step,
    ) -> CallState {
        match state {
            CallState::Calling { .. } | CallState::Ringing { .. } | CallState::Incoming { .. } => {
                match error_reason(code) {
                    Some(reason) => self.finish(state, reason, step),
                    None => state,
                }
            }
            CallState::Connected { .. } if code == CallErrorCode::UserOffline => {
                untold(state, step)
            }
            CallState::Reconnecting { .. } if code == CallErrorCode::UserOffline => {
                self.finish_and_tell(state, EndReason::HungUp, EndedReason::RemoteGone, step)
            }
            CallState::Idle
            | CallState::Offering { .. }
            | CallState::Answering { .. }
            | CallState::Connecting { .. }
            | CallState::Connected { .. }
            | CallState::Reconnecting { .. }
            | CallState::Ended { .. } => state,
        }
    }

    /// The server did not carry out `call:initiate` or `call:answer`; without it there is no call, whatever the code. Or it
    /// knows of no call that rings here.
    pub(super) fn refused(
        &mut self,
        state: CallState,
        code: Option<CallErrorCode>,
        step: &mut Step,
    ) -> CallState {
        match state {
            CallState::Calling { .. } | CallState::Ringing { .. } => {
                let reason = code.and_then(error_reason).unwrap_or(EndedReason::Refused);
                self.finish(state, reason, step)
            }
            CallState::Connecting { call, deadline }
                if call.answers_again && code == Some(CallErrorCode::NoSuchCall) =>
            {
                let deadline = deadline.min(step.after(SECOND_ANSWER_TIMEOUT));
                CallState::Connecting { call, deadline }
            }
            CallState::Connecting { ref call, .. } if call.direction == Direction::Incoming => {
                match code {
                    Some(CallErrorCode::NoSuchCall) => {
                        self.finish(state, EndedReason::CallerCancelled, step)
                    }
                    // It still rings everywhere else, for a person who has answered.
                    _ => self.finish_and_tell(
                        state,
                        EndReason::ConnectionFailed,
                        EndedReason::Refused,
                        step,
                    ),
                }
            }
            // Nobody else would say that it is over.
            CallState::Incoming { .. } if code == Some(CallErrorCode::NoSuchCall) => {
                self.finish(state, EndedReason::CallerCancelled, step)
            }
            CallState::Idle
            | CallState::Offering { .. }
            | CallState::Incoming { .. }
            | CallState::Answering { .. }
            | CallState::Connecting { .. }
            | CallState::Connected { .. }
            | CallState::Reconnecting { .. }
            | CallState::Ended { .. } => state,
        }
    }
}

fn has_peer(state: &CallState) -> bool {
    state.can_take_candidates() || state.can_use_devices()
}

/// What the server is told when this side ends the call. Nothing where it has not heard of the call, or knows already.
fn farewell(state: &CallState, reason: EndReason) -> Option<ClientMessage> {
    let call = state.details()?;
    let (call_id, chat_id) = (call.call_id.clone(), call.chat_id.clone());
    match state {
        CallState::Idle | CallState::Offering { .. } | CallState::Ended { .. } => None,
        CallState::Incoming { .. } | CallState::Answering { .. } if reason == EndReason::HungUp => {
            Some(ClientMessage::CallReject {
                call_id,
                chat_id,
                busy: false,
            })
        }
        CallState::Calling { .. }
        | CallState::Ringing { .. }
        | CallState::Incoming { .. }
        | CallState::Answering { .. }
        | CallState::Connecting { .. }
        | CallState::Connected { .. }
        | CallState::Reconnecting { .. } => Some(ClientMessage::CallEnd {
            call_id,
            chat_id,
            reason,
        }),
    }
}

/// What the server's reason means to this side.
fn ended_reason(state: &CallState, direction: Direction, reason: EndReason) -> EndedReason {
    let was_connected = matches!(
        state,
        CallState::Connected { .. } | CallState::Reconnecting { .. }
    );
    let accepted = was_connected || matches!(state, CallState::Connecting { .. });
    match (reason, direction) {
        (EndReason::AnsweredElsewhere, _) => EndedReason::AnsweredElsewhere,
        (EndReason::DeclinedElsewhere, _) => EndedReason::DeclinedElsewhere,
        (EndReason::ConnectionFailed, _) if was_connected => EndedReason::ConnectionLost,
        (EndReason::ConnectionFailed, _) => EndedReason::ConnectionFailed,
        (EndReason::Cancelled, Direction::Incoming) if !was_connected => {
            EndedReason::CallerCancelled
        }
        (EndReason::HungUp | EndReason::Cancelled | EndReason::NoAnswer, _) if accepted => {
            EndedReason::RemoteHungUp
        }
        (EndReason::HungUp | EndReason::Cancelled, Direction::Incoming) => {
            EndedReason::CallerCancelled
        }
        (EndReason::HungUp | EndReason::Cancelled, Direction::Outgoing) => EndedReason::Declined,
        (EndReason::NoAnswer, Direction::Incoming) => EndedReason::Missed,
        (EndReason::NoAnswer, Direction::Outgoing) => EndedReason::NoAnswer,
    }
}

/// How a call ends by an error; none where it goes on.
fn error_reason(code: CallErrorCode) -> Option<EndedReason> {
    match code {
        CallErrorCode::AccessDenied => Some(EndedReason::AccessDenied),
        CallErrorCode::UserOffline => Some(EndedReason::Offline),
        CallErrorCode::UserBusy => Some(EndedReason::Busy),
        CallErrorCode::NoAnswer => Some(EndedReason::NoAnswer),
        CallErrorCode::InvalidSdp | CallErrorCode::InvalidCall => Some(EndedReason::Refused),
        CallErrorCode::InvalidCandidate
        | CallErrorCode::NoSuchCall
        | CallErrorCode::RateLimited => None,
    }
}
