//! What can go wrong with media.

use std::path::PathBuf;

/// A failure of a device, a file or a codec, in words for the person at the screen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// There is no device of this kind, or none of this name.
    #[error("{0}")]
    NoDevice(String),
    /// The device is there, and another program uses it.
    #[error("{0}")]
    Busy(String),
    /// The device is there, and the system does not let Vireo use it.
    #[error("{0}")]
    Forbidden(String),
    /// The device is there and cannot be used for another reason.
    #[error("{0}")]
    Device(String),
    /// The device was there and is gone.
    #[error("{0}")]
    DeviceLost(String),
    /// A file cannot be read or written, or is of another form than it should be.
    #[error("{path}: {problem}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A codec refused its input or its settings.
    #[error("{0}")]
    Codec(String),
}
