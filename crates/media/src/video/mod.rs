//! Pictures: frames, where they come from and where they go.

#[cfg(feature = "devices")]
mod camera;
#[cfg(not(feature = "devices"))]
#[path = "camera_absent.rs"]
mod camera;
mod camera_thread;
mod encoder_load;
mod frame;
mod freeze;
mod ivf;
mod left_out;
mod mailbox;
mod pace;
mod pattern;
mod picture;
mod picture_rate;
mod rotation;
mod scale;
mod send_chain;
mod stage;
mod time_code;
mod trouble;
mod y4m;

use std::time::Instant;

use crate::MediaError;

pub(crate) use camera::CameraLister;
pub use camera::{Camera, cameras, has_camera};
#[cfg_attr(not(feature = "codecs"), allow(unused_imports))]
pub(crate) use frame::frame_len;
pub use freeze::FreezeDetector;
pub use ivf::{IvfPicture, IvfWriter, read_ivf};
pub use left_out::LeftOut;
pub use mailbox::{Mailbox, Taken};
pub use pattern::{Pattern, PatternCamera, PatternContent};
pub use rotation::{Rotated, Rotation, RotationControl};
pub use scale::{fit, scale};
pub use send_chain::{SendChain, VideoSendOptions, VideoSendStatistics};
pub use stage::{Stage, StageTimes};
pub use time_code::{
    raw_time_code, read_time_code, read_time_code_at, stamp_time_code, unix_ms_now,
};
pub use y4m::{Y4mSource, Y4mWriter};

/// Size and rate of a stream of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoFormat {
    /// Pixels in a row; even.
    pub width: u32,
    /// Rows; even.
    pub height: u32,
    /// Frames a second.
    pub frame_rate: u32,
}

/// What pictures are to be coded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoTarget {
    /// Size and rate at most. A larger or faster camera is brought down to it.
    pub format: VideoFormat,
    /// Bits a second to aim at.
    pub bits_per_second: u32,
}

/// A picture in I420 (BT.601, limited range): a plane of luma, then two of chroma with half the width and height.
/// Planes are tight: a row of luma is `width` bytes, a row of chroma `width / 2` (rounded up).
#[derive(Debug, Clone)]
pub struct VideoFrame {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The Y plane, then U, then V.
    pub data: Vec<u8>,
    /// When the camera delivered the picture, or when it was decoded.
    pub captured_at: Instant,
}

/// Where pictures come from. Lives on a thread of its own.
pub trait VideoSource: Send {
    /// What the source delivers, as far as it knows; a frame says for itself how large it is.
    fn format(&self) -> VideoFormat;

    /// Waits for the next picture.
    ///
    /// # Errors
    /// [`MediaError::DeviceLost`] when the device has gone, [`MediaError::File`] when a file cannot be read any more.
    fn next_frame(&mut self) -> Result<VideoFrame, MediaError>;
}

impl VideoSource for Box<dyn VideoSource> {
    fn format(&self) -> VideoFormat {
        (**self).format()
    }

    fn next_frame(&mut self) -> Result<VideoFrame, MediaError> {
        (**self).next_frame()
    }
}

/// Where decoded pictures go.
pub trait VideoSink: Send {
    /// Takes a picture. Must not wait.
    fn frame(&mut self, frame: &VideoFrame);
}
