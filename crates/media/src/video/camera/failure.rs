//! What nokhwa reports, in words for the person at the screen.

use nokhwa::NokhwaError;

use crate::MediaError;

/// Why the camera called `name` cannot be opened.
pub(super) fn cannot_open(name: &str, problem: &NokhwaError) -> MediaError {
    tracing::warn!(%problem, "a camera cannot be opened");
    // The systems' own words and numbers are all there is to go by.
    let words = problem.to_string().to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| words.contains(sign));
    MediaError::Device(
        if has(&["busy", "os error 16", "in use", "0xc00d3704", "0x80070020"]) {
            format!(
                "The camera “{name}” is used by another program. Close that program, or choose another camera."
            )
        } else if has(&[
            "permission",
            "denied",
            "os error 13",
            "not authorized",
            "0x80070005",
        ]) {
            format!(
                "Vireo is not allowed to use the camera “{name}”. Allow it in the system's privacy settings."
            )
        } else {
            format!(
                "The camera “{name}” cannot be used. Unplug it and plug it in again, or choose another camera."
            )
        },
    )
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
    MediaError::Device(
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
