//! What goes over plain HTTP: registering, signing in, and health.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ErrorCode, UserId};

/// The body of `POST /api/register` and `POST /api/sign-in`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Exactly the name the person registered with, upper and lower case aside.
    pub name: String,
    /// The secret.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials { .. }") // Neither the name nor the password belongs into a log.
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct User {
    /// The account.
    pub id: UserId,
    /// The name, unique on the server.
    pub name: String,
}

/// The answer to a successful registration or sign-in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthResponse {
    /// Goes into the WebSocket handshake.
    pub token: String,
    /// Who has signed in.
    pub user: User,
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
