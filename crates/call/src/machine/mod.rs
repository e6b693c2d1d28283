//! The call as a state machine without clock, socket or thread: inputs and the time go in, things to do come out.

mod ending;
mod input;
mod policy;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::{Duration, Instant};

use vireo_protocol::{
    CallId, ChatId, ClientMessage, EndReason, IceCandidate, MediaState, ServerMessage,
    SessionDescription,
};

pub use input::{Input, Output};
pub use policy::{
    ANSWER_GRACE, CONNECT_TIMEOUT, CallPolicy, DEFAULT_ANSWER_TIMEOUT, DESCRIPTION_TIMEOUT,
    RECONNECT_TIMEOUT,
};
pub use state::{CallDetails, CallState};
pub use view::Calendar;

use crate::{CallPeer, Direction, EndedReason, NoticeKind, peer::PeerEvent};

/// One line for calls: at most one call at a time, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    state: CallState,
    server_reachable: bool,
    policy: CallPolicy,
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
            policy,
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
                since, deadline, ..
            } => Some(hang_up_at(*since).map_or(*deadline, |at| at.min(*deadline))),
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
            // What a lost connection had still to deliver is out of date.
            Input::Receive(_) if !self.server_reachable => state,
            Input::Receive(message) => self.receive(state, message, step),
            Input::Refused { call_id, code } if is_about(&call_id) => {
                self.refused(state, code, step)
            }
            Input::ServerLost => self.server_lost(state, step),
            Input::ServerBack => self.server_back(state, step),
            Input::Description {
                call_id,
                description,
            } if is_about(&call_id) => self.described(state, description, step),
            Input::PeerUnusable { call_id } if is_about(&call_id) => self.peer_failed(state, step),
            Input::Peer { call_id, event } if is_about(&call_id) => self.peer(state, event, step),
            Input::DeviceFailed {
                call_id,
                device,
                message,
            } if is_about(&call_id) => self.device_failed(state, device, message, step),
            Input::DeviceReady { call_id, device } if is_about(&call_id) => {
                self.device_ready(state, device, step)
            }
            Input::Timeout => self.timeout(state, step),
            // What is left belongs to a call that is over.
            Input::Refused { .. }
            | Input::Description { .. }
            | Input::PeerUnusable { .. }
            | Input::Peer { .. }
            | Input::DeviceFailed { .. }
            | Input::DeviceReady { .. } => state,
        }
    }

    fn place(
        &self,
        state: CallState,
        call_id: CallId,
        chat_id: ChatId,
        peer: CallPeer,
        camera: bool,
        step: &mut Step,
    ) -> CallState {
        let rings_already =
            state.can_answer() && state.details().is_some_and(|call| call.chat_id == chat_id);
        if rings_already {
            return self.accept(state, camera, step);
        }
        if !state.can_begin() {
            return state;
        }
        let local = MediaState {
            microphone: true,
            camera,
        };
        let call = details(call_id, chat_id, peer, Direction::Outgoing, local, NOTHING);
        if !self.server_reachable {
            return CallState::Ended {
                call,
                since: None,
                reason: EndedReason::ServerUnreachable,
                at: step.now,
            };
        }
        step.put(Output::StartMedia(local));
        step.put(Output::CreateOffer {
            call_id: call.call_id.clone(),
        });
        CallState::Offering {
            call,
            deadline: step.after(DESCRIPTION_TIMEOUT),
        }
    }

    fn accept(&self, state: CallState, camera: bool, step: &mut Step) -> CallState {
        match state {
            CallState::Incoming {
                mut call, offer, ..
            } => {
                call.wanted.camera = camera;
                // Devices open on threads of their own, so starting them first costs the answer nothing.
                step.put(Output::StartMedia(call.wanted));
                self.answer(call, offer, step)
            }
            other => other,
        }
    }

    fn answer(
        &self,
        call: Box<CallDetails>,
        offer: SessionDescription,
        step: &mut Step,
    ) -> CallState {
        step.put(Output::CreateAnswer {
            call_id: call.call_id.clone(),
            offer,
        });
        CallState::Answering {
            call,
            deadline: step.after(DESCRIPTION_TIMEOUT),
        }
    }

    fn set_microphone(&self, mut state: CallState, on: bool, step: &mut Step) -> CallState {
        let (in_use, rings) = (state.can_use_devices(), state.can_answer());
        let Some(call) = state.details_mut().filter(|_| in_use || rings) else {
            return state;
        };
        let before = call.local();
        if call.wanted.microphone == on && before.microphone == on {
            return state;
        }
        call.wanted.microphone = on;
        if on {
            call.works(NoticeKind::Microphone);
        }
        if in_use {
            step.put(Output::SetMicrophone(on));
        }
        self.tell_change(state, before, step)
    }

    fn set_camera(&self, mut state: CallState, on: bool, step: &mut Step) -> CallState {
        // While it rings, the acceptance says whether the camera is to be on.
        let in_use = state.can_use_devices();
        let Some(call) = state.details_mut().filter(|_| in_use) else {
            return state;
        };
        let before = call.local();
        if call.wanted.camera == on && before.camera == on {
            return state;
        }
        call.wanted.camera = on;
        if on {
            call.works(NoticeKind::Camera);
        }
        step.put(Output::SetCamera(on));
        self.tell_change(state, before, step)
    }

    fn device_failed(
        &self,
        mut state: CallState,
        device: NoticeKind,
        message: Option<String>,
        step: &mut Step,
    ) -> CallState {
        let in_use = state.can_use_devices();
        let Some(call) = state.details_mut().filter(|_| in_use) else {
            return state;
        };
        let before = call.local();
        call.fails(device, message);
        self.tell_change(state, before, step)
    }

    fn device_ready(&self, mut state: CallState, device: NoticeKind, step: &mut Step) -> CallState {
        let in_use = state.can_use_devices();
        let Some(call) = state.details_mut().filter(|_| in_use) else {
            return state;
        };
        let before = call.local();
        call.works(device);
        self.tell_change(state, before, step)
    }

    /// Tells the other side what this side sends where that is not what it was before.
    fn tell_change(&self, mut state: CallState, before: MediaState, step: &mut Step) -> CallState {
        if state.details().is_some_and(|call| call.local() != before) {
            self.send_media_state(&mut state, step);
        }
        state
    }

    fn server_lost(&mut self, state: CallState, step: &mut Step) -> CallState {
        self.server_reachable = false;
        if state.can_outlive_server() {
            return state;
        }
        self.finish(state, EndedReason::ServerUnreachable, step)
    }

    fn server_back(&mut self, mut state: CallState, step: &mut Step) -> CallState {
        let was_away = !std::mem::replace(&mut self.server_reachable, true);
        let may_speak = state.can_send() || matches!(state, CallState::Ended { .. });
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

    fn receive(&self, state: CallState, message: ServerMessage, step: &mut Step) -> CallState {
        let is_about = |id: &CallId| state.details().is_some_and(|call| call.call_id == *id);
        match message {
            ServerMessage::CallOffer {
                call_id,
                chat_id,
                offer,
                caller_id,
                caller_name,
                media_state,
            } if !is_about(&call_id) => {
                let peer = CallPeer {
                    user_id: caller_id,
                    name: caller_name,
                };
                let local = MediaState {
                    microphone: true,
                    camera: false,
                };
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
            } if is_about(&call_id) => remote_media(state, media_state),
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
            | ServerMessage::CallEnd { .. }
            | ServerMessage::CallRejected { .. }
            | ServerMessage::CallError { .. }
            | ServerMessage::Hello { .. }
            | ServerMessage::Ok { .. }
            | ServerMessage::Error { .. }
            | ServerMessage::Contacts { .. }
            | ServerMessage::Contact { .. }
            | ServerMessage::Presence { .. } => state,
        }
    }

    fn offered(
        &self,
        state: CallState,
        mut offered: Box<CallDetails>,
        offer: SessionDescription,
        step: &mut Step,
    ) -> CallState {
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

    fn described(
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
                    media_state: call.local(),
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
                    media_state: call.local(),
                };
                // The answer goes before the candidates that were gathered meanwhile.
                call.waiting.insert(0, answer);
                CallState::Connecting {
                    call,
                    deadline: step.after(CONNECT_TIMEOUT),
                }
            }
            other => return other,
        };
        if let Some(call) = state.details_mut().filter(|_| self.server_reachable) {
            step.outputs
                .extend(call.waiting.drain(..).map(Output::Send));
        }
        state
    }

    fn peer(&self, state: CallState, event: PeerEvent, step: &mut Step) -> CallState {
        match event {
            PeerEvent::LocalCandidate(candidate) => self.local_candidate(state, candidate, step),
            PeerEvent::Connected => connected(state, step.now),
            PeerEvent::Disconnected => disconnected(state, step),
            PeerEvent::Failed => self.peer_failed(state, step),
            PeerEvent::Closed => self.peer_closed(state, step),
            // The engine's own business.
            PeerEvent::NegotiatedVideo(_)
            | PeerEvent::KeyFrameRequested
            | PeerEvent::TargetBitrate(_) => state,
        }
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
            media_state: call.local(),
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
const NOTHING: MediaState = MediaState {
    microphone: false,
    camera: false,
};

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
        works: MediaState {
            microphone: true,
            camera: true,
        },
        remote,
        notices: Vec::new(),
        waiting: Vec::new(),
    })
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

fn remote_media(mut state: CallState, media: MediaState) -> CallState {
    if let Some(call) = state.details_mut() {
        call.remote = media;
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

fn disconnected(state: CallState, step: &mut Step) -> CallState {
    match state {
        CallState::Connected { call, since } => CallState::Reconnecting {
            call,
            since,
            deadline: step.after(RECONNECT_TIMEOUT),
        },
        other => other,
    }
}
