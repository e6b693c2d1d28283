//! Orders to the application that is open on this computer.

use serde_json::json;
use vireo_client::control::{self, Order, Refusal, Unheard};
use vireo_client::paths::Profile;

use crate::args::{CtlArguments, OrderChoice};
use crate::failure::{Failure, Status};
use crate::output;

/// Gives the order and writes down how the call is after it.
///
/// # Errors
/// The exit status and the sentence.
pub async fn run(arguments: &CtlArguments) -> Result<(), Failure> {
    let profile = Profile::open(arguments.profile.as_deref())?;
    let order = arguments.order.into();
    let call = control::give(&profile, order).await??;
    output::line(&json!({"event": "done", "order": order, "call": call}));
    Ok(())
}

impl From<OrderChoice> for Order {
    fn from(choice: OrderChoice) -> Self {
        match choice {
            OrderChoice::Mute => Self::Mute,
            OrderChoice::Unmute => Self::Unmute,
            OrderChoice::ToggleMute => Self::ToggleMute,
            OrderChoice::HangUp => Self::HangUp,
            OrderChoice::Answer => Self::Answer,
        }
    }
}

impl From<Unheard> for Failure {
    fn from(problem: Unheard) -> Self {
        let status = match problem {
            Unheard::NotRunning => Status::NoApplication,
            Unheard::NotYours => Status::AccessDenied,
            Unheard::Broken(_) => Status::Other,
        };
        Self::new(status, problem.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NoCall | Refusal::NothingRings => Status::NoCall,
            Refusal::NotYours => Status::AccessDenied,
            Refusal::NotDone | Refusal::UnknownOrder => Status::Other,
        };
        Self::new(status, refusal.to_string())
    }
}
