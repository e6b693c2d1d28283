//! The cameras there are.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

use std::sync::mpsc;
use std::time::Duration;

use nokhwa::utils::{ApiBackend, CameraIndex, CameraInfo};

use super::failure;
use crate::device::choose;
use crate::{DeviceInfo, MediaError};

/// The person may have to find the system's question first.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A camera that can be opened.
pub(super) struct Found {
    pub(super) index: CameraIndex,
    pub(super) device: DeviceInfo,
}

/// The cameras there are, the one that is opened by default first. Empty when there is none. May take a moment.
#[must_use]
pub fn cameras() -> Vec<DeviceInfo> {
    all().into_iter().map(|(device, _)| device).collect()
}

/// Looks again and again for cameras, without asking them where nothing has changed.
#[derive(Default)]
pub(crate) struct CameraLister {
    looks: u32,
    nodes: Vec<String>,
    cameras: Vec<DeviceInfo>,
}

/// Where only asking tells whether there is another camera, it is done at every so many looks.
const ASK_AT: u32 = 4;

impl CameraLister {
    /// The cameras of this moment. May take long.
    pub(crate) fn look(&mut self) -> Vec<DeviceInfo> {
        let nodes = system::nodes();
        let is_time = match &nodes {
            Some(nodes) => self.looks == 0 || *nodes != self.nodes,
            None => self.looks.is_multiple_of(ASK_AT),
        };
        if is_time {
            self.nodes = nodes.unwrap_or_default();
            self.cameras = cameras();
        }
        self.looks = self.looks.wrapping_add(1).max(1);
        self.cameras.clone()
    }
}

/// Whether there is the camera that [`Camera::open`](super::Camera::open) would open by this name.
#[must_use]
pub fn has_camera(name: Option<&str>) -> bool {
    find(name).is_ok()
}

/// The camera of this name or id; None: the first one.
pub(super) fn find(wanted: Option<&str>) -> Result<Found, MediaError> {
    let (mut devices, mut indices): (Vec<DeviceInfo>, Vec<CameraIndex>) = all().into_iter().unzip();
    let at = match wanted.filter(|name| !name.is_empty() && *name != "default") {
        None if devices.is_empty() => return Err(failure::none()),
        None => 0,
        Some(wanted) => choose(&devices, wanted).ok_or_else(|| {
            let known: Vec<String> = devices.iter().map(|device| device.name.clone()).collect();
            failure::unknown(wanted, &known)
        })?,
    };
    Ok(Found {
        index: indices.swap_remove(at),
        device: devices.swap_remove(at),
    })
}

fn all() -> Vec<(DeviceInfo, CameraIndex)> {
    let mut cameras = nokhwa::query(ApiBackend::Auto).unwrap_or_else(|problem| {
        tracing::warn!(%problem, "the cameras cannot be listed");
        Vec::new()
    });
    cameras.sort_by_key(|camera| camera.index().as_index().unwrap_or(u32::MAX));
    cameras
        .into_iter()
        .filter_map(|camera| Some((describe(&camera)?, camera.index().clone())))
        .collect()
}

fn describe(camera: &CameraInfo) -> Option<DeviceInfo> {
    Some(DeviceInfo {
        id: system::id(camera)?,
        name: camera.human_name().trim().to_owned(),
    })
}

/// Asks the person, once, where the system wants that (macOS).
pub(super) fn ask_for_permission() -> Result<(), MediaError> {
    if nokhwa::nokhwa_check() {
        return Ok(());
    }
    let (sender, answer) = mpsc::channel();
    nokhwa::nokhwa_initialize(move |allowed| {
        let _ = sender.send(allowed);
    });
    match answer.recv_timeout(ANSWER_WITHIN) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(failure::forbidden()),
    }
}
