//! Cameras where the system itself has a lasting name for each (Windows, macOS).

use nokhwa::utils::CameraInfo;

/// The system's own name for it.
#[allow(clippy::unnecessary_wraps)] // Linux has nodes that are no camera.
pub(super) fn id(camera: &CameraInfo) -> Option<String> {
    let own = camera.misc();
    Some(if own.is_empty() {
        camera.index().as_string()
    } else {
        own
    })
}

/// There is nothing that could be looked at without asking the cameras.
pub(super) const fn nodes() -> Option<Vec<String>> {
    None
}
