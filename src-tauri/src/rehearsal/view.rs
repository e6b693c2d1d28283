//! What the window shows of what is tried out.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use vireo_media::{DeviceCause, MediaError};

/// What the person tries out while no call goes on, as it stands now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalView {
    /// What is heard or recorded at the moment.
    pub sound: SoundTest,
    /// Why the microphone cannot be tried out; null while it can, or nobody tries.
    pub microphone: Option<DeviceProblem>,
    /// The same of the speaker.
    pub speaker: Option<DeviceProblem>,
    /// The same of the camera.
    pub camera: Option<DeviceProblem>,
}

/// What somebody wants to try out, or to choose from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, TS)]
pub struct Wanted {
    /// How loud the microphone is.
    pub microphone: bool,
    /// What the camera shows.
    pub camera: bool,
    /// Which devices there are, none of which is opened for it.
    pub list: bool,
}

/// What is heard or recorded while somebody tries their devices out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SoundTest {
    /// Nothing.
    #[default]
    None,
    /// A sound of the application's own plays.
    Sound,
    /// The microphone is recorded.
    Recording,
    /// What was recorded plays.
    Playing,
}

/// Why a device cannot be used, for the interface's own sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceProblem {
    /// What it comes down to.
    pub cause: DeviceCause,
}

impl From<&MediaError> for DeviceProblem {
    fn from(error: &MediaError) -> Self {
        Self {
            cause: error.cause(),
        }
    }
}

/// Hears why a device cannot be used, and that it can.
pub type Teller = Box<dyn Fn(Option<&MediaError>) + Send>;

/// How loud it is at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, TS)]
pub struct Levels {
    /// What the microphone hears, between 0 (nothing) and 1 (as loud as can be).
    pub microphone: f32,
}
