//! Which camera, microphone and speaker a call gets.

mod choice;
mod factory;
mod loans;
mod view;

pub use choice::Choices;
pub use factory::{DesktopMedia, present};
pub use loans::{Loan, Loans, Wish};
pub use view::{DevicesView, device_kind, notice_kind};
