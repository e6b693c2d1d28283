//! In a build without devices (a server's, say) the names are there and say so.

use super::{VideoFormat, VideoFrame, VideoSource};
use crate::{DeviceInfo, MediaError};

/// Finds none in this build.
#[derive(Default)]
pub(crate) struct CameraLister {}

impl CameraLister {
    pub(crate) fn look(&mut self) -> Vec<DeviceInfo> {
        Vec::new()
    }
}

/// There are none in this build.
#[must_use]
pub const fn cameras() -> Vec<DeviceInfo> {
    Vec::new()
}

/// There is none in this build.
#[must_use]
pub const fn has_camera(_name: Option<&str>) -> bool {
    false
}

/// Cannot be made in this build.
#[derive(Debug)]
pub struct Camera(std::convert::Infallible);

impl Camera {
    /// # Errors
    /// Always [`MediaError::NoDevice`].
    pub fn open(_name: Option<&str>, _wanted: VideoFormat) -> Result<Self, MediaError> {
        Err(MediaError::NoDevice(
            "This build of Vireo cannot use cameras; choose a file or the pattern.".into(),
        ))
    }

    /// Never called.
    #[must_use]
    pub const fn id(&self) -> &str {
        match self.0 {}
    }

    /// Never called.
    #[must_use]
    pub const fn name(&self) -> &str {
        match self.0 {}
    }
}

impl VideoSource for Camera {
    fn format(&self) -> VideoFormat {
        match self.0 {}
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        match self.0 {}
    }
}
