//! What the user and the devices do.

use vireo_media::DeviceTrouble;
use vireo_protocol::{CallId, ChatId, MediaState, PictureSize, SessionDescription};

use super::{Call, CallDetails, CallState, DESCRIPTION_TIMEOUT, NOTHING, Output, Step, details};
use crate::{CallPeer, ConnectionQuality, Direction, EndedReason, NoticeKind};

impl Call {
    pub(super) fn place(
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
        let local = MediaState::of(true, camera);
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

    pub(super) fn accept(&self, state: CallState, camera: bool, step: &mut Step) -> CallState {
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

    pub(super) fn answer(
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

    pub(super) fn set_microphone(
        &self,
        mut state: CallState,
        on: bool,
        step: &mut Step,
    ) -> CallState {
        let (in_use, rings) = (state.can_use_devices(), state.can_answer());
        let Some(call) = state.details_mut().filter(|_| in_use || rings) else {
            return state;
        };
        let before = call.local();
        if call.wanted.microphone == on && before.microphone == on {
            return state;
        }
        // One that failed gets another try; only what the device says of it shows whether it works now.
        call.wanted.microphone = on;
        if in_use {
            step.put(Output::SetMicrophone(on));
        }
        self.tell_change(state, before, step)
    }

    pub(super) fn set_camera(&self, mut state: CallState, on: bool, step: &mut Step) -> CallState {
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
        step.put(Output::SetCamera(on));
        self.tell_change(state, before, step)
    }

    pub(super) fn device_failed(
        &self,
        state: CallState,
        device: NoticeKind,
        trouble: Option<DeviceTrouble>,
        step: &mut Step,
    ) -> CallState {
        self.while_used(state, step, |call| call.fails(device, trouble))
    }

    pub(super) fn device_ready(
        &self,
        state: CallState,
        device: NoticeKind,
        step: &mut Step,
    ) -> CallState {
        self.while_used(state, step, |call| call.works(device))
    }

    /// What gets to the other side, and with it whether pictures are sent.
    pub(super) fn quality(
        &self,
        state: CallState,
        connection: ConnectionQuality,
        step: &mut Step,
    ) -> CallState {
        self.while_used(state, step, |call| call.connection = connection)
    }

    /// The user's window has another size.
    pub(super) fn pictures_shown(
        &self,
        state: CallState,
        size: PictureSize,
        step: &mut Step,
    ) -> CallState {
        self.while_used(state, step, |call| call.shown = Some(size))
    }

    /// Changes what holds while devices are in use, and tells the other side where that changes what this side sends.
    fn while_used(
        &self,
        mut state: CallState,
        step: &mut Step,
        change: impl FnOnce(&mut CallDetails),
    ) -> CallState {
        let in_use = state.can_use_devices();
        let Some(call) = state.details_mut().filter(|_| in_use) else {
            return state;
        };
        let before = call.local();
        change(call);
        self.tell_change(state, before, step)
    }

    /// Tells the other side what this side sends where that is not what it was before.
    pub(super) fn tell_change(
        &self,
        mut state: CallState,
        before: MediaState,
        step: &mut Step,
    ) -> CallState {
        if state.details().is_some_and(|call| call.local() != before) {
            self.send_media_state(&mut state, step);
        }
        state
    }
}
