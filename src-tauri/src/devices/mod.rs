//! Which camera, microphone and speaker a call gets.

mod choice;
mod factory;

pub use choice::Choices;
pub use factory::{DesktopMedia, present};
