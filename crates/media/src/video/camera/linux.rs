//! Cameras under `/dev`.

use std::fs;
use std::path::Path;

use nokhwa::utils::CameraInfo;

/// The device's path that does not change with the order of plugging in, where there is one. None for nodes that are no
/// camera: each camera has further ones, for metadata.
pub(super) fn id(camera: &CameraInfo) -> Option<String> {
    let number = camera.index().as_index().ok()?;
    let place = fs::read_to_string(format!("/sys/class/video4linux/video{number}/index"));
    if place.is_ok_and(|place| place.trim() != "0") {
        return None;
    }
    let node = format!("/dev/video{number}");
    Some(stable_path(Path::new(&node)).unwrap_or(node))
}

/// What there is under `/dev` that may be a camera.
pub(super) fn nodes() -> Option<Vec<String>> {
    let entries = fs::read_dir("/dev").ok()?.flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut nodes: Vec<String> = names.filter(|name| name.starts_with("video")).collect();
    nodes.sort_unstable();
    Some(nodes)
}

/// The link that udev makes from the maker's name and serial number.
fn stable_path(node: &Path) -> Option<String> {
    fs::read_dir("/dev/v4l/by-id")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
        .map(|link| link.to_string_lossy().into_owned())
}
