//! In a build without devices (a server's, say) the names are there and say so.

use super::{AudioFrame, AudioSink, AudioSource};
use crate::{DeviceInfo, DeviceList, MediaError};

fn absent() -> MediaError {
    MediaError::NoDevice(
        "This build of Vireo cannot use microphones or speakers; choose a file or a tone.".into(),
    )
}

/// Nothing needs to be found in this build.
pub const fn find_sound_server() {}

/// Finds none in this build.
#[derive(Default)]
pub(crate) struct SoundLister {}

impl SoundLister {
    pub(crate) fn look(&mut self) -> (DeviceList, DeviceList) {
        Default::default()
    }
}

/// There are none in this build.
#[must_use]
pub const fn microphones() -> Vec<DeviceInfo> {
    Vec::new()
}

/// There are none in this build.
#[must_use]
pub const fn speakers() -> Vec<DeviceInfo> {
    Vec::new()
}

/// There are none in this build.
#[must_use]
pub fn speaker_list() -> DeviceList {
    DeviceList::default()
}

/// There is none in this build.
#[must_use]
pub const fn has_microphone(_name: Option<&str>) -> bool {
    false
}

/// There is none in this build.
#[must_use]
pub const fn has_speaker(_name: Option<&str>) -> bool {
    false
}

/// Cannot be made in this build.
pub struct Microphone(std::convert::Infallible);

impl Microphone {
    /// # Errors
    /// Always [`MediaError::NoDevice`].
    pub fn open(_name: Option<&str>) -> Result<Self, MediaError> {
        Err(absent())
    }

    /// Never called.
    #[must_use]
    pub const fn name(&self) -> &str {
        match self.0 {}
    }
}

impl AudioSource for Microphone {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        match self.0 {}
    }
}

/// Cannot be made in this build.
pub struct Speaker(std::convert::Infallible);

impl Speaker {
    /// # Errors
    /// Always [`MediaError::NoDevice`].
    pub fn open(_name: Option<&str>) -> Result<Self, MediaError> {
        Err(absent())
    }

    /// Never called.
    #[must_use]
    pub const fn name(&self) -> &str {
        match self.0 {}
    }
}

impl AudioSink for Speaker {
    fn write(&mut self, _frame: &AudioFrame) -> Result<(), MediaError> {
        match self.0 {}
    }
}
