//! Real cameras.

use vireo_media::{DeviceInfo, MediaError, VideoFormat, VideoSource};

/// Every camera.
pub fn cameras() -> Vec<DeviceInfo> {
    Vec::new()
}

/// Opens a camera by name, or the system's own.
pub fn camera(
    _name: Option<&str>,
    _format: VideoFormat,
) -> Result<Box<dyn VideoSource>, MediaError> {
    Err(MediaError::NoDevice("There is no camera.".to_owned()))
}
