//! Real cameras, microphones and speakers.

use vireo_media::{AudioSink, AudioSource, MediaError, VideoFormat, VideoSource};

/// A device as the system lists it.
pub struct Device {
    /// The system's own name for it.
    pub id: String,
    /// The name for people.
    pub name: String,
}

/// Every camera.
pub fn cameras() -> Vec<Device> {
    Vec::new()
}

/// Every microphone.
pub fn microphones() -> Vec<Device> {
    Vec::new()
}

/// Every speaker.
pub fn speakers() -> Vec<Device> {
    Vec::new()
}

/// Opens a camera by name, or the system's own.
pub fn camera(
    _name: Option<&str>,
    _format: VideoFormat,
) -> Result<Box<dyn VideoSource>, MediaError> {
    Err(MediaError::NoDevice("There is no camera.".to_owned()))
}

/// Opens a microphone by name, or the system's own.
pub fn microphone(_name: Option<&str>) -> Result<Box<dyn AudioSource>, MediaError> {
    Err(MediaError::NoDevice("There is no microphone.".to_owned()))
}

/// Opens a speaker by name, or the system's own.
pub fn speaker(_name: Option<&str>) -> Result<Box<dyn AudioSink>, MediaError> {
    Err(MediaError::NoDevice("There is no speaker.".to_owned()))
}
