//! The call as a state machine without clock, socket or thread: inputs and the time go in, things to do come out.

#![deny(clippy::disallowed_methods)]

mod ending;
mod input;
mod policy;
mod restart;
mod signals;
mod state;
#[cfg(test)]
mod tests;
mod user;
mod view;

use std::time::{Duration, Instant};

use vireo_protocol::{
    CallId, ChatId, ClientMessage, EndReason, IceCandidate, MediaState, SessionDescription,
};

pub use input::{Heard, Input, Output};
pub use policy::{
    ANSWER_GRACE, CONNECT_TIMEOUT, CallPolicy, DEFAULT_ANSWER_TIMEOUT, DESCRIPTION_TIMEOUT,
    RESTART_AFTER_SILENCE, RESTART_AGAIN, RESTART_GRACE, RESTART_PAUSE, SECOND_ANSWER_TIMEOUT,
    SERVER_BACK_LATELY, UNTOLD_TIMEOUT,
};
pub use state::{CallDetails, CallState};
pub use view::Calendar;

use crate::{CallPeer, ConnectionQuality, Direction, EndedReason, Speaking};

/// One line for calls: at most one call at a time, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    state: CallState,
    server_reachable: bool,
    /// It has been there before: the first connection to it is no return.
    server_was_lost: bool,
    /// When it came back last.
    server_back_at: Option<Instant>,
    policy: CallPolicy,
    /// Farewells that the server may not have heard. They outlive the ended call that the user looks at.
    farewells: Vec<ClientMessage>,
}

/// What a step has at hand besides the call itself.
struct Step {
    now: Instant,
    outputs: Vec<Output>,
}

impl Step {
    fn put(&mut self, output: Output) {
        self.outputs.push(output);
    }

    fn after(&self, duration: Duration) -> Instant {
        self.now + duration
    }
}

impl Call {
    /// A line without a call. The server counts as unreachable until [`Input::ServerBack`].
    #[must_use]
    pub fn new(policy: CallPolicy) -> Self {
        Self {
            state: CallState::Idle,
            server_reachable: false,
            server_was_lost: false,
            server_back_at: None,
            policy,
            farewells: Vec::new(),
        }
    }

    /// Where the call stands.
    #[must_use]
    pub fn state(&self) -> &CallState {
        &self.state
    }

    /// Whether the server can be reached.
    #[must_use]
    pub fn server_reachable(&self) -> bool {
        self.server_reachable
    }

    /// Takes another policy, for the calls to come.
    pub fn set_policy(&mut self, policy: CallPolicy) {
        self.policy = policy;
    }

    /// When [`Input::Timeout`] is due. None while only the user or the other side can move the call on.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let hang_up_at = |since: Instant| self.policy.longest.map(|longest| since + longest);
        match &self.state {
            CallState::Idle | CallState::Ended { .. } => None,
            CallState::Offering { deadline, .. }
            | CallState::Calling { deadline, .. }
            | CallState::Ringing { deadline, .. }
            | CallState::Incoming { deadline, .. }
            | CallState::Answering { deadline, .. }
            | CallState::Connecting { deadline, .. } => Some(*deadline),
            CallState::Connected { since, .. } => hang_up_at(*since),
            CallState::Reconnecting {
                since,
                deadline,
                restart_at,
                ..
            } => {
                let restart_at = self.server_reachable.then_some(*restart_at);
                let times = [hang_up_at(*since), *deadline, restart_at];
                times.into_iter().flatten().min()
            }
        }
    }

    /// Takes what happened and says what to do about it.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Output> {
        let (before, call_before) = (self.state.name(), self.call_id().cloned());
        let name = input.name();
        let mut step = Step {
            now,
            outputs: Vec::new(),
        };
        let state = std::mem::take(&mut self.state);
        self.state = self.next(state, input, &mut step);
        let after = self.state.name();
        if before != after || call_before.as_ref() != self.call_id() {
            let call = self.call_id().or(call_before.as_ref());
            tracing::info!(
                call = call.map(tracing::field::display),
                before,
                after,
                name,
                "call"
            );
        }
        step.outputs
    }

    fn call_id(&self) -> Option<&CallId> {
        Some(&self.state.details()?.call_id)
    }

    fn next(&mut self, state: CallState, input: Input, step: &mut Step) -> CallState {
        let is_about = |id: &CallId| state.details().is_some_and(|call| call.call_id == *id);
        match input {
            Input::Place {
                call_id,
                chat_id,
                peer,
                camera,
            } => self.place(state, call_id, chat_id, peer, camera, step),
            Input::Accept { camera } => self.accept(state, camera, step),
            Input::Decline => self.decline(state, step),
            Input::End => self.end(state, step),
            Input::Dismiss => dismiss(state),
            Input::SetMicrophoneMuted(muted) => self.set_microphone(state, !muted, step),
            Input::SetCameraEnabled(enabled) => self.set_camera(state, enabled, step),
            Input::SetVideoKept(kept) => keep_video(state, kept, step),
            // What a lost connection had still to deliver is out of date.
            Input::Receive(_) if !self.server_reachable => state,
            Input::Receive(message) => self.receive(state, message, step),
            Input::Refused { call_id, code } if is_about(&call_id) => {
                self.refused(state, code, step)
            }
            Input::Forgotten { call_id } if is_about(&call_id) => untold(state, step),
            Input::ServerLost => self.server_lost(state, step),
            Input::ServerBack => self.server_back(state, step),
            Input::Unconfirmed(message) => self.unconfirmed(state, message, step),
            Input::Description {
                call_id,
                description,
            } if is_about(&call_id) => self.described(state, description, step),
            Input::PeerUnusable { call_id } if is_about(&call_id) => self.peer_failed(state, step),
            Input::Peer { call_id, event } if is_about(&call_id) => self.peer(state, event, step),
            Input::DeviceFailed {
                call_id,
                device,
                trouble,
            } if is_about(&call_id) => self.device_failed(state, device, trouble, step),
            Input::DeviceReady { call_id, device } if is_about(&call_id) => {
                self.device_ready(state, device, step)
            }
            Input::Heard { call_id, heard } if is_about(&call_id) => hear(state, heard),
            Input::Quality {
                call_id,
                connection,
            } if is_about(&call_id) => self.quality(state, connection, step),
            Input::PicturesShown { call_id, size } if is_about(&call_id) => {
                self.pictures_shown(state, size, step)
            }
            Input::Timeout => self.timeout(state, step),
            // What is left belongs to a call that is over.
            Input::Refused { .. }
            | Input::Forgotten { .. }
            | Input::Description { .. }
            | Input::PeerUnusable { .. }
            | Input::Peer { .. }
            | Input::DeviceFailed { .. }
            | Input::DeviceReady { .. }
            | Input::Heard { .. }
            | Input::Quality { .. }
            | Input::PicturesShown { .. } => state,
        }
    }

    fn server_lost(&mut self, state: CallState, step: &mut Step) -> CallState {
        self.server_reachable = false;
        self.server_was_lost = true;
        if state.can_outlive_server() {
            return state;
        }
        let reason = EndedReason::ServerUnreachable;
        match state.can_send() {
            // It may ring on at the other side until the server notices the loss.
            true => self.finish_and_tell(state, EndReason::HungUp, reason, step),
            false => self.finish(state, reason, step),
        }
    }

    fn server_back(&mut self, mut state: CallState, step: &mut Step) -> CallState {
        let was_away = !std::mem::replace(&mut self.server_reachable, true);
        if was_away && self.server_was_lost {
            self.server_back_at = Some(step.now);
            if let CallState::Reconnecting { restart_at, .. } = &mut state {
                *restart_at = step.after(RESTART_GRACE);
            }
        }
        step.outputs
            .extend(self.farewells.drain(..).map(Output::Send));
        let may_speak = state.can_send();
        let has_nothing_to_say = state.details().is_some_and(|call| call.waiting.is_empty());
        let in_call = matches!(
            state,
            CallState::Connecting { .. }
                | CallState::Connected { .. }
                | CallState::Reconnecting { .. }
        );
        if was_away && in_call && has_nothing_to_say {
            // Whoever speaks for a call tells the server that the new connection belongs to it.
            self.send_media_state(&mut state, step);
        }
        if let Some(call) = state.details_mut().filter(|_| may_speak) {
            step.outputs
                .extend(call.waiting.drain(..).map(Output::Send));
        }
        state
    }

    /// Says again what the other side may not have heard, as soon as the server is back.
    fn unconfirmed(
        &mut self,
        mut state: CallState,
        message: ClientMessage,
        step: &mut Step,
    ) -> CallState {
        if is_farewell(&message) {
            self.farewells.push(message);
            return state;
        }
        let connects = matches!(state, CallState::Connecting { .. });
        let may_speak = state.can_send();
        let Some(call) = state.details_mut() else {
            return state;
        };
        match &message {
            ClientMessage::CallAnswer { call_id, .. } if connects && call.call_id == *call_id => {
                // The answer goes first.
                call.waiting.insert(0, message);
                call.answers_again = true;
            }
            ClientMessage::CallIceCandidate { call_id, .. }
                if may_speak && call.call_id == *call_id =>
            {
                call.waiting.push(message);
            }
            ClientMessage::CallMediaState { call_id, .. }
                if may_speak && call.call_id == *call_id =>
            {
                self.send_media_state(&mut state, step);
            }
            // Of no use to a call that is over, or about another one; a restart begins again by itself. A caller who was told that
            // this person is busy rings again once the server is back, and is told again.
            ClientMessage::CallInitiate { .. }
            | ClientMessage::CallRinging { .. }
            | ClientMessage::CallAnswer { .. }
            | ClientMessage::CallIceCandidate { .. }
            | ClientMessage::CallMediaState { .. }
            | ClientMessage::CallRestart { .. }
            | ClientMessage::CallEnd { .. }
            | ClientMessage::CallReject { .. }
            | ClientMessage::Hello { .. }
            | ClientMessage::ContactsList {}
            | ClientMessage::ContactsAdd { .. }
            | ClientMessage::ContactsAccept { .. }
            | ClientMessage::ContactsDecline { .. }
            | ClientMessage::ContactsRemove { .. }
            | ClientMessage::ContactsBlock { .. }
            | ClientMessage::ContactsUnblock { .. }
            | ClientMessage::PresenceSet { .. }
            | ClientMessage::PresenceDoNotDisturb { .. }
            | ClientMessage::CallsHistory { .. } => {}
        }
        state
    }

    fn local_candidate(
        &self,
        mut state: CallState,
        candidate: IceCandidate,
        step: &mut Step,
    ) -> CallState {
        // While it rings, nobody may learn this side's addresses.
        if state.can_use_devices()
            && let Some(call) = state.details()
        {
            let message = ClientMessage::CallIceCandidate {
                call_id: call.call_id.clone(),
                chat_id: call.chat_id.clone(),
                candidate,
            };
            self.send(&mut state, message, step);
        }
        state
    }

    /// Says what this side sends, where the other side does not hear it anyway by the offer or the answer to come.
    fn send_media_state(&self, state: &mut CallState, step: &mut Step) {
        if !state.can_send() {
            return;
        }
        let Some(call) = state.details_mut() else {
            return;
        };
        // Of several that wait only the newest matters.
        call.waiting
            .retain(|message| !matches!(message, ClientMessage::CallMediaState { .. }));
        let message = ClientMessage::CallMediaState {
            call_id: call.call_id.clone(),
            chat_id: call.chat_id.clone(),
            media_state: call.told(),
        };
        self.send(state, message, step);
    }

    /// Sends now, or lets the message wait until it can be sent.
    fn send(&self, state: &mut CallState, message: ClientMessage, step: &mut Step) {
        let may_send = self.server_reachable && state.can_send();
        match state.details_mut() {
            Some(_) if may_send => step.put(Output::Send(message)),
            Some(call) => call.waiting.push(message),
            None => {}
        }
    }
}

/// What a side sends of which nothing is known yet.
const NOTHING: MediaState = MediaState::of(false, false);

fn details(
    call_id: CallId,
    chat_id: ChatId,
    peer: CallPeer,
    direction: Direction,
    wanted: MediaState,
    remote: MediaState,
) -> Box<CallDetails> {
    Box::new(CallDetails {
        call_id,
        chat_id,
        peer,
        direction,
        wanted,
        works: MediaState::of(true, true),
        remote,
        connection: ConnectionQuality::Good,
        speaking: Speaking::default(),
        microphone_hint: None,
        shown: None,
        notices: Vec::new(),
        waiting: Vec::new(),
        answers_again: false,
        restarts: 0,
        restarted_at: None,
        untold: false,
    })
}

/// Whether it ends a call, whatever became of that call meanwhile.
fn is_farewell(message: &ClientMessage) -> bool {
    matches!(
        message,
        ClientMessage::CallEnd { .. } | ClientMessage::CallReject { busy: false, .. }
    )
}

fn hang_up(call: &CallDetails) -> ClientMessage {
    ClientMessage::CallEnd {
        call_id: call.call_id.clone(),
        chat_id: call.chat_id.clone(),
        reason: EndReason::HungUp,
    }
}

fn dismiss(state: CallState) -> CallState {
    match state {
        CallState::Ended { .. } => CallState::Idle,
        other => other,
    }
}

fn hear(mut state: CallState, heard: Heard) -> CallState {
    let in_use = state.can_use_devices();
    if let Some(call) = state.details_mut().filter(|_| in_use) {
        match heard {
            Heard::Local(speaks) => call.speaking.local = speaks,
            Heard::Remote(speaks) => call.speaking.remote = speaks,
            Heard::Hint(hint) => call.microphone_hint = hint,
        }
    }
    state
}

fn keep_video(state: CallState, kept: bool, step: &mut Step) -> CallState {
    if state.can_use_devices() {
        step.put(Output::KeepVideo(kept));
    }
    state
}

fn ringing(state: CallState) -> CallState {
    match state {
        CallState::Calling { call, deadline } => CallState::Ringing { call, deadline },
        other => other,
    }
}

fn answered(
    state: CallState,
    answer: SessionDescription,
    media: MediaState,
    step: &mut Step,
) -> CallState {
    match state {
        CallState::Calling { mut call, .. } | CallState::Ringing { mut call, .. } => {
            call.remote = media;
            step.put(Output::SetAnswer(answer));
            CallState::Connecting {
                call,
                deadline: step.after(CONNECT_TIMEOUT),
            }
        }
        other => other,
    }
}

fn remote_media(mut state: CallState, media: MediaState, step: &Step) -> CallState {
    let Some(call) = state.details_mut() else {
        return state;
    };
    let repeated = std::mem::replace(&mut call.remote, media) == media;
    call.untold = false; // It is there, and the server knows of it.
    if let CallState::Reconnecting {
        deadline,
        restart_at,
        ..
    } = &mut state
    {
        *deadline = None;
        if repeated {
            // It had lost the server, and may be behind another router since without having noticed.
            *restart_at = step.after(RESTART_GRACE).min(*restart_at);
        }
    }
    state
}

/// Nobody would say from now on that the other side has left. A lost connection is not waited for without end any more.
fn untold(mut state: CallState, step: &mut Step) -> CallState {
    match &mut state {
        CallState::Connected { call, .. } => call.untold = true,
        CallState::Reconnecting { call, deadline, .. } => {
            call.untold = true;
            deadline.get_or_insert(step.after(UNTOLD_TIMEOUT));
        }
        CallState::Idle
        | CallState::Offering { .. }
        | CallState::Calling { .. }
        | CallState::Ringing { .. }
        | CallState::Incoming { .. }
        | CallState::Answering { .. }
        | CallState::Connecting { .. }
        | CallState::Ended { .. } => {}
    }
    state
}

fn connected(state: CallState, now: Instant) -> CallState {
    match state {
        CallState::Connecting { call, .. } => CallState::Connected { call, since: now },
        CallState::Reconnecting { call, since, .. } => CallState::Connected { call, since },
        other => other,
    }
}
