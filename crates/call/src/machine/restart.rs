//! Making a lost media connection anew. A silent path is tried again by itself for as long as the call lasts; but a side that
//! is on another network since can be found again only by way of the server. The caller makes the offer, the callee may ask
//! for it, so that no two offers meet.

use std::time::{Duration, Instant};

use vireo_protocol::{ClientMessage, SdpType, SessionDescription};

use super::{
    Call, CallDetails, CallState, Output, RESTART_AFTER_SILENCE, RESTART_AGAIN, RESTART_GRACE,
    RESTART_PAUSE, SERVER_BACK_LATELY, Step, UNTOLD_TIMEOUT,
};
use crate::Direction;

impl Call {
    /// Media is lost. That the server had been lost as well speaks for another network.
    pub(super) fn disconnected(&self, state: CallState, step: &Step) -> CallState {
        let lately = |back: Instant| step.now < back + SERVER_BACK_LATELY;
        let patience = match self.server_back_at.is_some_and(lately) {
            true => RESTART_GRACE,
            false => RESTART_AFTER_SILENCE,
        };
        match state {
            CallState::Connected { .. } => lost(state, step.after(patience), step),
            other => other,
        }
    }

    /// The connection is lost still.
    pub(super) fn restart_if_due(&self, mut state: CallState, step: &mut Step) -> CallState {
        if let CallState::Reconnecting {
            call, restart_at, ..
        } = &mut state
            && self.server_reachable
            && *restart_at <= step.now
        {
            *restart_at = step.after(RESTART_AGAIN);
            match call.direction {
                Direction::Outgoing => offer(call, step),
                Direction::Incoming => step.put(Output::Send(message(call, 0, None))),
            }
        }
        state
    }

    /// The peer connection has made the offer or the answer of a restart.
    pub(super) fn restart_described(
        &self,
        mut state: CallState,
        description: SessionDescription,
        step: &mut Step,
    ) -> CallState {
        if let CallState::Connected { call, .. } | CallState::Reconnecting { call, .. } = &state {
            let message = message(call, call.restarts, Some(description));
            self.send(&mut state, message, step);
        }
        state
    }
}

/// The other side asks for a restart, offers one, or answers ours.
pub(super) fn restart(
    mut state: CallState,
    attempt: u32,
    description: Option<SessionDescription>,
    step: &mut Step,
) -> CallState {
    let (CallState::Connected { call, .. } | CallState::Reconnecting { call, .. }) = &mut state
    else {
        return state;
    };
    let kind = description.as_ref().map(|description| description.kind);
    match (call.direction, kind, description) {
        (Direction::Outgoing, None, None) => {
            // Nobody may keep this side busy opening sockets.
            let earliest = earliest(call, RESTART_PAUSE, step);
            if earliest > step.now {
                if let CallState::Reconnecting { restart_at, .. } = &mut state {
                    // The offer under way may have got lost.
                    *restart_at = earliest.min(*restart_at);
                }
                return state;
            }
            offer(call, step);
        }
        // Messages do not take equally long, so that offers may come closer together than they were made.
        (Direction::Incoming, Some(SdpType::Offer), Some(offer))
            if earliest(call, RESTART_PAUSE / 2, step) <= step.now =>
        {
            begin(call, attempt, step);
            step.put(Output::AnswerRestart(offer));
        }
        (Direction::Outgoing, Some(SdpType::Answer), Some(answer)) => {
            if attempt == call.restarts {
                step.put(Output::FinishRestart(answer));
            }
            return state;
        }
        _ => return state,
    }
    lost(state, step.after(RESTART_AGAIN), step)
}

fn offer(call: &mut CallDetails, step: &mut Step) {
    begin(call, call.restarts.saturating_add(1), step);
    step.put(Output::OfferRestart);
}

fn begin(call: &mut CallDetails, attempt: u32, step: &Step) {
    call.restarts = attempt;
    call.restarted_at = Some(step.now);
}

/// When the next restart may begin.
fn earliest(call: &CallDetails, pause: Duration, step: &Step) -> Instant {
    call.restarted_at.map_or(step.now, |at| at + pause)
}

fn lost(state: CallState, at: Instant, step: &Step) -> CallState {
    match state {
        CallState::Connected { call, since } => CallState::Reconnecting {
            deadline: call.untold.then(|| step.after(UNTOLD_TIMEOUT)),
            call,
            since,
            restart_at: at,
        },
        CallState::Reconnecting {
            call,
            since,
            deadline,
            ..
        } => CallState::Reconnecting {
            call,
            since,
            deadline,
            restart_at: at,
        },
        other => other,
    }
}

fn message(
    call: &CallDetails,
    attempt: u32,
    description: Option<SessionDescription>,
) -> ClientMessage {
    ClientMessage::CallRestart {
        call_id: call.call_id.clone(),
        chat_id: call.chat_id.clone(),
        attempt,
        description,
    }
}
