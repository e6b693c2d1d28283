//! Carrying orders out, by the methods that the buttons call.

use std::time::Duration;

use tokio::time::timeout;
use vireo_call::{CallView, Phase};

use super::{Answer, CallState, Order, Refusal};
use crate::Client;

/// How long it may take until the view shows what was ordered. A device that has failed never does.
const CARRIED_OUT: Duration = Duration::from_secs(2);

impl Client {
    /// Carries an order out, and returns when it is done.
    ///
    /// # Errors
    /// The [`Refusal`], when it is not.
    pub async fn obey(&self, order: Order) -> Answer {
        let now = self.view().borrow().call.clone();
        let call = now
            .filter(|call| !call.phase.is_ended())
            .ok_or(match order {
                Order::Answer => Refusal::NothingRings,
                _ => Refusal::NoCall,
            })?;
        match order {
            Order::Mute => self.order_microphone(false).await,
            Order::Unmute => self.order_microphone(true).await,
            Order::ToggleMute => self.order_microphone(!call.local.microphone).await,
            Order::HangUp => {
                self.end();
                self.until(|call| call.phase.is_ended()).await
            }
            Order::Answer if call.phase == Phase::Incoming => {
                self.accept(false);
                self.until(|call| call.phase != Phase::Incoming).await
            }
            Order::Answer => Err(Refusal::NothingRings),
        }
    }

    async fn order_microphone(&self, on: bool) -> Answer {
        self.set_microphone_muted(!on);
        self.until(|call| call.local.microphone == on).await
    }

    /// Waits until the call is so, and says how it is then.
    async fn until(&self, is_so: impl Fn(&CallView) -> bool) -> Answer {
        let mut view = self.view();
        let seen = view.wait_for(|view| view.call.as_ref().is_some_and(&is_so));
        let seen = timeout(CARRIED_OUT, seen).await;
        let Ok(Ok(view)) = seen else {
            return Err(Refusal::NotDone);
        };
        view.call
            .as_ref()
            .map(CallState::from)
            .ok_or(Refusal::NoCall)
    }
}

impl From<&CallView> for CallState {
    fn from(call: &CallView) -> Self {
        Self {
            phase: call.phase.name().to_owned(),
            microphone: call.local.microphone,
            camera: call.local.camera,
        }
    }
}
