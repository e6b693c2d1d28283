//! What happens to devices during a call, for the person at the screen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::DeviceTrouble;

/// A device came or went, or what is heard changed. The call goes on without a device; the chains try to get it back by
/// themselves. What is said of it is a whole sentence with a next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// There are no pictures from the camera: missing, busy, forbidden or gone; or none of them can be encoded.
    CameraLost(DeviceTrouble),
    /// The camera delivers: said at its first picture, whether or not it was missed before, and once its pictures can be encoded (again).
    CameraReady,
    /// There is no sound from the microphone: missing, busy, forbidden or gone.
    MicrophoneLost(DeviceTrouble),
    /// The microphone delivers (again).
    MicrophoneReady,
    /// Nothing can be heard: the speaker is missing, busy or gone.
    SpeakerLost(DeviceTrouble),
    /// The speaker plays (again).
    SpeakerReady,
    /// The person at this computer speaks and is heard, or not any more.
    Speaks(bool),
    /// The other side speaks, or not any more.
    OtherSpeaks(bool),
    /// There is something about the microphone's sound that the person should know, or not any more.
    MicrophoneHint(Option<MicrophoneHint>),
}

/// What the person should know about their microphone's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum MicrophoneHint {
    /// They have been speaking for a while, and are muted.
    SpeaksWhileMuted,
    /// It gives nothing but zeros: switched off at the headset, say.
    HearsNothing,
}

impl MicrophoneHint {
    /// What is the matter and what to do about it, in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SpeaksWhileMuted => "You are muted, and nobody hears what you say.",
            Self::HearsNothing => {
                "We can't hear your microphone. Make sure that it is not switched off, at the device or in the system's sound settings."
            }
        }
    }
}
