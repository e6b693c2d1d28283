//! What the window says is not taken on trust: a web view that somebody has taken over says what it likes.

use vireo_client::paths::Alerts;
use vireo_protocol::name_problem;

use crate::view::CommandError;

/// No server's address and no invitation is longer.
const LONGEST_ADDRESS: usize = 4096;

/// No system calls a device by anything longer.
const LONGEST_DEVICE_ID: usize = 1024;

/// The name of a person, without the spaces around it.
///
/// # Errors
/// When nobody can be called so.
pub fn name(text: &str) -> Result<&str, CommandError> {
    let text = text.trim();
    match name_problem(text) {
        None => Ok(text),
        Some(problem) => Err(CommandError {
            code: "invalid-name".to_owned(),
            message: problem.to_string(),
        }),
    }
}

/// An id of any kind; `is_well_formed` is that of its type.
///
/// # Errors
/// When it cannot be one.
pub fn id<T>(id: T, is_well_formed: impl FnOnce(&T) -> bool) -> Result<T, CommandError> {
    match is_well_formed(&id) {
        true => Ok(id),
        false => Err(invalid("This is no id.")),
    }
}

/// A server's address, or an invitation to one; whoever reads it says the rest.
///
/// # Errors
/// When it cannot be one.
pub fn address(text: &str) -> Result<&str, CommandError> {
    match (1..=LONGEST_ADDRESS).contains(&text.len()) {
        true => Ok(text),
        false => Err(invalid("This is no address.")),
    }
}

/// The id of a device.
///
/// # Errors
/// When it cannot be one.
pub fn device(id: Option<String>) -> Result<Option<String>, CommandError> {
    let plausible =
        |id: &String| (1..=LONGEST_DEVICE_ID).contains(&id.len()) && !id.contains(char::is_control);
    match id {
        Some(id) if !plausible(&id) => Err(invalid("This is no device.")),
        other => Ok(other),
    }
}

/// How calls are told.
///
/// # Errors
/// When its speaker cannot be one.
pub fn alerts(alerts: Alerts) -> Result<Alerts, CommandError> {
    Ok(Alerts {
        second_speaker: device(alerts.second_speaker)?,
        ..alerts
    })
}

/// What is well formed and still makes no sense.
pub fn invalid(message: &str) -> CommandError {
    CommandError {
        code: "invalid-argument".to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use vireo_protocol::UserId;

    use super::*;

    #[test]
    fn what_nobody_would_say_is_refused() {
        assert_eq!(name(" Anna "), Ok("Anna"));
        for wrong in [String::new(), " ".to_owned(), "x".repeat(1 << 20)] {
            assert!(name(&wrong).is_err_and(|error| error.code == "invalid-name"));
        }
        let user = |text: &str| id(UserId(text.to_owned()), UserId::is_well_formed);
        assert!(user("3f2c-a_Z").is_ok());
        for wrong in ["", "../..", "a b", "<b>", &"x".repeat(1 << 20)] {
            assert!(user(wrong).is_err_and(|error| error.code == "invalid-argument"));
        }
        assert!(address("https://192.0.2.1:7450/i?fp=0#1").is_ok());
        for wrong in ["", &"x".repeat(1 << 20)] {
            assert!(address(wrong).is_err());
        }
        assert_eq!(device(None), Ok(None));
        assert!(device(Some("alsa_input.usb-Trust_Webcam: Mono".to_owned())).is_ok());
        for wrong in ["", "a\nb", "a\0b", &"x".repeat(1 << 20)] {
            assert!(device(Some(wrong.to_owned())).is_err(), "{wrong:.10}");
        }
    }
}
