//! What is done to somebody's voice, as they have chosen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which parts of the voice processing are on. All of them apply within a call at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct VoiceSettings {
    /// What the speaker plays is taken out of what the microphone hears. Without it only a headset keeps the other side
    /// from hearing itself.
    pub echo_cancellation: bool,
    /// How much of what is no voice is taken away.
    pub noise_suppression: NoiseSuppression,
    /// Who is far from the microphone becomes louder, who shouts less loud.
    pub automatic_gain: bool,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self {
            echo_cancellation: true,
            noise_suppression: NoiseSuppression::Standard,
            automatic_gain: true,
        }
    }
}

/// How much of what is no voice is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum NoiseSuppression {
    /// Nothing: for music.
    Off,
    /// Some 12 dB, which leaves a voice as it is.
    #[default]
    Standard,
    /// Some 21 dB: for a fan or a street. A voice sounds thinner.
    Strong,
}
