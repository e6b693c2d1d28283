//! Which camera, microphone and speaker a call gets.

mod choice;
mod factory;
mod view;

pub use choice::Choices;
pub use factory::{DesktopMedia, present};
pub use view::{DevicesView, device_kind};
