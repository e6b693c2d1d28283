//! What cpal reports, in words for the person at the screen.

use cpal::{Error, ErrorKind};

use super::Direction;
use crate::MediaError;

/// Why the device called `name` cannot be opened.
pub(super) fn cannot_open(direction: Direction, name: &str, error: &Error) -> MediaError {
    let noun = direction.noun();
    match error.kind() {
        ErrorKind::DeviceBusy => MediaError::Busy(format!(
            "The {noun} “{name}” is used by another program. Close that program, or choose another {noun}."
        )),
        ErrorKind::PermissionDenied => MediaError::Forbidden(format!(
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the person is told when the sound system says this about their device.
    fn told(direction: Direction, kind: ErrorKind) -> MediaError {
        cannot_open(direction, "Headset", &Error::new(kind))
    }

    #[test]
    fn a_device_that_another_program_uses_is_said_to_be() {
        for (direction, expected) in [
            (
                Direction::Input,
                "The microphone “Headset” is used by another program. Close that program, or choose another microphone.",
            ),
            (
                Direction::Output,
                "The speaker “Headset” is used by another program. Close that program, or choose another speaker.",
            ),
        ] {
            let told = told(direction, ErrorKind::DeviceBusy);
            assert!(matches!(told, MediaError::Busy(_)), "{told:?}");
            assert_eq!(told.to_string(), expected);
        }
    }

    #[test]
    fn every_other_trouble_says_what_it_is_and_what_to_try() {
        for (kind, expected) in [
            (
                ErrorKind::PermissionDenied,
                "Vireo is not allowed to use the microphone “Headset”. Allow it in the system's privacy settings.",
            ),
            (
                ErrorKind::DeviceNotAvailable,
                "No microphone was found. Plug one in; the call goes on without it until then.",
            ),
            (
                ErrorKind::Other,
                "The microphone “Headset” cannot be used. Unplug it and plug it in again, or choose another microphone.",
            ),
        ] {
            assert_eq!(told(Direction::Input, kind).to_string(), expected);
        }
    }
}
