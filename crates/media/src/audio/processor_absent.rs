//! In a build without codecs sound is sent as it was captured.

use super::{AudioFrame, VoiceSettings};

/// Does nothing in this build.
#[derive(Debug, Clone, Default)]
pub struct VoiceProcessor;

impl VoiceProcessor {
    /// Does nothing in this build.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// Does nothing in this build.
    pub const fn set(&self, _settings: VoiceSettings) {}

    /// Does nothing in this build.
    pub const fn pause(&self) {}

    /// Does nothing in this build.
    pub const fn render(&self, _frame: &AudioFrame) {}

    /// Does nothing in this build.
    pub const fn capture(&self, _frame: &mut AudioFrame) {}
}
