//! How a command ends when it does not end well: an exit status for scripts, a sentence for people.

use std::process::ExitCode;

/// The exit statuses. They are an interface: scripts and measurements depend on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Anything that has no number of its own.
    Other = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The person is not connected.
    Offline = 3,
    /// The person is in another call.
    Busy = 4,
    /// Nobody answered, or the caller gave up first.
    NoAnswer = 5,
    /// The person declined.
    Declined = 6,
    /// No such person, or one that may not be called.
    AccessDenied = 7,
    /// The media connection did not come up, or was lost for good.
    ConnectionFailed = 8,
    /// The server does not answer.
    ServerUnreachable = 9,
    /// A device or a file that cannot be used.
    BadDevice = 10,
    /// Wrong name or password.
    WrongPassword = 11,
    /// No application runs that could be told what to do.
    NoApplication = 12,
    /// The application has no call that this could be done to.
    NoCall = 13,
}

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// For scripts.
    pub status: Status,
    /// For people: what happened and what to do next.
    pub sentence: String,
}

impl Failure {
    /// A failure with this status, told in this sentence.
    pub fn new(status: Status, sentence: impl Into<String>) -> Self {
        let mut sentence = sentence.into();
        if !sentence.ends_with(['.', '!', '?']) {
            sentence.push('.');
        }
        Self { status, sentence }
    }

    /// A file that cannot be used.
    pub fn file(path: &std::path::Path, problem: impl std::fmt::Display) -> Self {
        Self::new(Status::BadDevice, format!("{}: {problem}", path.display()))
    }

    /// A device or a file of media that cannot be used.
    pub fn media(problem: &vireo_media::MediaError) -> Self {
        Self::new(Status::BadDevice, problem.to_string())
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(failure.status as u8)
    }
}
