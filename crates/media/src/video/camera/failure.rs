//! What nokhwa reports, in words for the person at the screen.

use nokhwa::NokhwaError;

use crate::MediaError;

/// Why the camera called `name` cannot be opened.
pub(super) fn cannot_open(name: &str, problem: &NokhwaError) -> MediaError {
    tracing::warn!(%problem, "a camera cannot be opened");
    // The systems' own words and numbers are all there is to go by.
    let words = problem.to_string().to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    if has(&["busy", "os error 16", "in use", "0xc00d3704", "0x80070020"]) {
        MediaError::Busy(format!(
            "The camera “{name}” is used by another program. Close that program, or choose another camera."
        ))
    } else if has(&[
        "permission",
        "denied",
        "os error 13",
        "not authorized",
        "0x80070005",
    ]) {
        MediaError::Forbidden(format!(
            "Vireo is not allowed to use the camera “{name}”. Allow it in the system's privacy settings."
        ))
    } else {
        MediaError::Device(format!(
            "The camera “{name}” cannot be used. Unplug it and plug it in again, or choose another camera."
        ))
    }
}

/// There is no camera at all.
pub(super) fn none() -> MediaError {
    MediaError::NoDevice(
        "No camera was found. Plug one in; the call goes on without it until then.".into(),
    )
}

/// There is none of this name.
pub(super) fn unknown(name: &str, known: &[String]) -> MediaError {
    if known.is_empty() {
        return none();
    }
    MediaError::NoDevice(format!(
        "There is no camera called “{name}”. There is: {}.",
        known.join(", ")
    ))
}

/// The system does not let Vireo use cameras.
pub(super) fn forbidden() -> MediaError {
    MediaError::Forbidden(
        "Vireo is not allowed to use the camera. Allow it in the system's privacy settings.".into(),
    )
}

/// It was there, and is gone.
pub(super) fn lost(name: &str, problem: &NokhwaError) -> MediaError {
    tracing::warn!(%problem, "the camera is lost");
    MediaError::DeviceLost(format!(
        "The camera “{name}” was disconnected. Plug it in again, or choose another camera."
    ))
}

/// It delivers, but nothing that can be read.
pub(super) fn broken(name: &str) -> MediaError {
    MediaError::DeviceLost(format!(
        "The camera “{name}” sends pictures that cannot be read. Unplug it and plug it in again, or choose another camera."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the person is told when the system says this about their camera.
    fn told(system: &str) -> String {
        match cannot_open("Desk camera", &NokhwaError::OpenStreamError(system.into())) {
            MediaError::Busy(sentence)
            | MediaError::Forbidden(sentence)
            | MediaError::Device(sentence) => sentence,
            other => panic!("not about a device: {other:?}"),
        }
    }

    #[test]
    fn a_camera_that_another_program_uses_is_said_to_be() {
        let expected = "The camera “Desk camera” is used by another program. Close that program, or choose another camera.";
        for system in [
            "Device or resource busy (os error 16)",
            "Already in use",
            "The video recording device is preempted by another immersive application. (0xC00D3704)",
            "The process cannot access the file because it is being used by another process. (0x80070020)",
        ] {
            assert_eq!(told(system), expected, "{system}");
        }
    }

    #[test]
    fn a_camera_that_the_system_guards_is_said_to_be() {
        let expected = "Vireo is not allowed to use the camera “Desk camera”. Allow it in the system's privacy settings.";
        for system in [
            "Permission denied (os error 13)",
            "Access is denied. (0x80070005)",
            "Not authorized",
        ] {
            assert_eq!(told(system), expected, "{system}");
        }
    }

    #[test]
    fn any_other_trouble_has_something_to_try() {
        let expected = "The camera “Desk camera” cannot be used. Unplug it and plug it in again, or choose another camera.";
        for system in ["Input/output error (os error 5)", ""] {
            assert_eq!(told(system), expected, "{system}");
        }
    }
}
