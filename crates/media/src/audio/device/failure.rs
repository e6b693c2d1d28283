//! What cpal reports, in words for the person at the screen.

use cpal::{Error, ErrorKind};

use super::Direction;
use crate::MediaError;

/// Why the device called `name` cannot be opened.
pub(super) fn cannot_open(direction: Direction, name: &str, error: &Error) -> MediaError {
    let noun = direction.noun();
    match error.kind() {
        ErrorKind::DeviceBusy => MediaError::Device(format!(
            "The {noun} “{name}” is used by another program. Close that program, or choose another {noun}."
        )),
        ErrorKind::PermissionDenied => MediaError::Device(format!(
            "Vireo is not allowed to use the {noun} “{name}”. Allow it in the system's privacy settings."
        )),
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable => none(direction),
        _ => {
            tracing::warn!(%error, noun, "a sound device cannot be opened");
            MediaError::Device(format!(
                "The {noun} “{name}” cannot be used. Unplug it and plug it in again, or choose another {noun}."
            ))
        }
    }
}

/// There is no device at all.
pub(super) fn none(direction: Direction) -> MediaError {
    let noun = direction.noun();
    MediaError::NoDevice(format!(
        "No {noun} was found. Plug one in; the call goes on without it until then."
    ))
}

/// There is none of this name.
pub(super) fn unknown(direction: Direction, name: &str, known: &[String]) -> MediaError {
    let noun = direction.noun();
    if known.is_empty() {
        return none(direction);
    }
    MediaError::NoDevice(format!(
        "There is no {noun} called “{name}”. There is: {}.",
        known.join(", ")
    ))
}

/// It was there, and is gone.
pub(super) fn lost(direction: Direction, name: &str) -> MediaError {
    let noun = direction.noun();
    MediaError::DeviceLost(format!(
        "The {noun} “{name}” was disconnected. Plug it in again, or choose another {noun}."
    ))
}

/// It does not answer.
pub(super) fn no_answer(direction: Direction) -> MediaError {
    let noun = direction.noun();
    MediaError::Device(format!(
        "The {noun} does not answer. Unplug it and plug it in again, or restart the computer's sound."
    ))
}

/// Whether a running stream is of no use after this.
pub(super) fn is_fatal(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged
    )
}
