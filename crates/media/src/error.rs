//! What can go wrong with media.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

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

/// What the trouble with a device comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DeviceCause {
    /// There is none, or it has gone.
    Missing,
    /// Another program has it.
    Taken,
    /// The system does not let Vireo use it.
    Denied,
    /// Something else.
    Other,
}

/// Why a device gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceTrouble {
    /// What it comes down to.
    pub cause: DeviceCause,
    /// A whole sentence with a next step, in English.
    pub sentence: String,
}

impl MediaError {
    /// What it comes down to.
    #[must_use]
    pub const fn cause(&self) -> DeviceCause {
        match self {
            Self::NoDevice(_) | Self::DeviceLost(_) => DeviceCause::Missing,
            Self::Busy(_) => DeviceCause::Taken,
            Self::Forbidden(_) => DeviceCause::Denied,
            Self::Device(_) | Self::File { .. } | Self::Codec(_) => DeviceCause::Other,
        }
    }
}

impl From<&MediaError> for DeviceTrouble {
    fn from(error: &MediaError) -> Self {
        Self {
            cause: error.cause(),
            sentence: error.to_string(),
        }
    }
}
