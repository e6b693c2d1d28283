//! Real cameras.

use vireo_media::video::Camera;
use vireo_media::{MediaError, VideoFormat, VideoSource};

pub use vireo_media::video::{cameras, has_camera};

/// Opens a camera by name, or the system's own.
pub fn camera(name: Option<&str>, format: VideoFormat) -> Result<Box<dyn VideoSource>, MediaError> {
    Ok(Box::new(Camera::open(name, format)?))
}
