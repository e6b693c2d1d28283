//! Cameras, by nokhwa. Everything here can block; it belongs on a camera thread (see the send chain, which also watches it).

#![allow(unsafe_code)] // One line, for Send.

mod choice;
mod convert;
mod failure;
mod list;

use std::time::Instant;

use nokhwa::utils::{CameraFormat, RequestedFormat, RequestedFormatType};

use super::{VideoFormat, VideoFrame, VideoSource};
use crate::MediaError;

pub(crate) use list::CameraLister;
pub use list::{cameras, has_camera};

/// So many of the best formats are tried; drivers list some that they then refuse.
const ATTEMPTS: usize = 4;
/// A camera that is just waking up may deliver a few broken pictures; so many in a row are no accident.
const MAX_BROKEN: u32 = 30;

/// An open camera. It closes when it is dropped.
pub struct Camera {
    device: nokhwa::Camera,
    id: String,
    name: String,
    format: CameraFormat,
    broken: u32,
}

impl Camera {
    /// Opens the camera of this name or id (a part of the name that only one has will do), or the first one, in the format
    /// nearest to what is asked that costs least to convert.
    ///
    /// # Errors
    /// [`MediaError::NoDevice`] when there is none (of this name), [`MediaError::Device`] when it cannot be used.
    pub fn open(name: Option<&str>, wanted: VideoFormat) -> Result<Self, MediaError> {
        list::ask_for_permission()?;
        let found = list::find(name)?;
        let (id, name) = (found.device.id, found.device.name);
        let problem = |problem| failure::cannot_open(&name, &problem);
        // Any format at first: only an open camera tells which ones it has.
        let any = RequestedFormat::with_formats(RequestedFormatType::None, &choice::READABLE);
        let mut device = nokhwa::Camera::new(found.index, any).map_err(problem)?;
        let formats = device.compatible_camera_formats().map_err(problem)?;
        for format in choice::best_first(&formats, wanted)
            .into_iter()
            .take(ATTEMPTS)
        {
            if device.camera_format() == format {
                break;
            }
            let decodable = [format.format()];
            let request =
                RequestedFormat::with_formats(RequestedFormatType::Exact(format), &decodable);
            match device.set_camera_requset(request) {
                Ok(_) => break,
                Err(problem) => {
                    tracing::debug!(%format, %problem, "the camera refuses a format that it lists")
                }
            }
        }
        device.open_stream().map_err(problem)?;
        let format = device.camera_format();
        tracing::info!(%format, "camera opened");
        Ok(Self {
            device,
            id,
            name,
            format,
            broken: 0,
        })
    }

    /// What it is chosen by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What a person calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl VideoSource for Camera {
    fn format(&self) -> VideoFormat {
        let size = self.format.resolution();
        VideoFormat {
            width: size.width() & !1,
            height: size.height() & !1,
            frame_rate: self.format.frame_rate(),
        }
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        loop {
            let data = self
                .device
                .frame_raw()
                .map_err(|problem| failure::lost(&self.name, &problem))?;
            let captured_at = Instant::now();
            let size = self.format.resolution();
            match convert::to_i420(
                &data,
                self.format.format(),
                size.width(),
                size.height(),
                captured_at,
            ) {
                Ok(frame) => {
                    self.broken = 0;
                    return Ok(frame);
                }
                Err(problem) => {
                    self.broken += 1;
                    tracing::debug!(%problem, "the camera delivered a broken picture");
                    if self.broken > MAX_BROKEN {
                        return Err(failure::broken(&self.name));
                    }
                }
            }
        }
    }
}

// SAFETY: a source is made, read and dropped on one camera thread (`camera_thread.rs`); it is `Send` only so that the trait
// can be stored. nokhwa makes the same promise with its feature `camera-sync-impl`.
unsafe impl Send for Camera {}

impl std::fmt::Debug for Camera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Camera")
            .field("name", &self.name)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
