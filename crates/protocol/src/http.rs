//! What goes over plain HTTP: registering and signing in, errors, and health. Sessions have a file of their own.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ErrorCode, UserId};

/// The body of `POST /api/sign-in`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Exactly the name the person registered with, upper and lower case aside.
    pub name: String,
    /// The secret.
    pub password: String,
    /// What to call this device in the list of sessions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
}

/// The body of `POST /api/register`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The name to have.
    pub name: String,
    /// The secret to sign in with.
    pub password: String,
    /// What to call this device in the list of sessions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The secret part of an invite; needed where registration is not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// The name, unique on the server.
    pub name: String,
}

/// The body of every HTTP error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpError {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

/// The answer of `GET /api/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok` when the server can serve.
    pub status: String,
    /// The server's version.
    pub version: String,
    /// The version of the protocol it speaks.
    pub protocol: u32,
}

/// Says what is wrong with a name, or nothing. Names are 1 to 64 characters long, without control characters and without
/// spaces at either end.
#[must_use]
pub fn name_problem(name: &str) -> Option<&'static str> {
    match name.chars().count() {
        0 => Some("Please enter a name."),
        65.. => Some("A name can be at most 64 characters long."),
        _ if name.trim() != name => Some("A name cannot begin or end with a space."),
        _ if name.chars().any(char::is_control) => {
            Some("A name cannot contain control characters.")
        }
        _ => None,
    }
}

/// Says what is wrong with a password, or nothing. Passwords are 8 to 256 bytes long.
#[must_use]
pub fn password_problem(password: &str) -> Option<&'static str> {
    match password.len() {
        0..8 => Some("A password must be at least 8 characters long."),
        257.. => Some("A password can be at most 256 bytes long."),
        _ => None,
    }
}

/// The name of a device as it is listed: what was given, without control characters and at most 64 characters of it.
#[must_use]
pub fn device_name(given: &str) -> String {
    let visible: String = given.chars().filter(|c| !c.is_control()).collect();
    match visible.trim() {
        "" => "Unnamed device".to_owned(),
        name => name
            .chars()
            .take(64)
            .collect::<String>()
            .trim_end()
            .to_owned(),
    }
}

/// Types that hold a secret, or say who somebody is, print nothing of it: neither belongs into a log.
macro_rules! keep_out_of_logs {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        })+
    };
}
pub(crate) use keep_out_of_logs;

keep_out_of_logs!(Credentials, Registration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_a_name_that_can_be_shown() {
        for (given, shown) in [
            ("Ann's laptop", "Ann's laptop"),
            (" \u{7}\n ", "Unnamed device"),
            ("", "Unnamed device"),
            ("a\u{1b}[31mb", "a[31mb"),
        ] {
            assert_eq!(device_name(given), shown);
        }
        assert_eq!(device_name(&"ä".repeat(100)), "ä".repeat(64));
    }

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials {
            name: "Ann".to_owned(),
            password: "secret".to_owned(),
            device: String::new(),
        };
        assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    }
}
