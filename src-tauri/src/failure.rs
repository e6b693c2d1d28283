//! Why the application cannot start.

use vireo_client::ClientError;
use vireo_server::StartError;

use crate::view::{Screen, StartFailure};

/// What the failed start's screen says.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    code: StartFailure,
    detail: String,
}

impl Failure {
    /// Something that has no sentence of its own.
    pub fn other(error: impl ToString) -> Self {
        Self {
            code: StartFailure::Other,
            detail: error.to_string(),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {}", self.code, self.detail)
    }
}

impl From<Failure> for Screen {
    fn from(Failure { code, detail }: Failure) -> Self {
        Self::Failed { code, detail }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match error {
            ClientError::Profile(_) => StartFailure::Files,
            ClientError::VersionMismatch => StartFailure::VersionMismatch,
            ClientError::KeyStore => StartFailure::KeyStore,
            ClientError::NotAVireoServer | ClientError::InvalidServer(_) => {
                StartFailure::NotAVireoServer
            }
            _ => StartFailure::Other,
        };
        let detail = match error {
            // The interface's own sentence says all there is.
            ClientError::VersionMismatch | ClientError::NotAVireoServer | ClientError::KeyStore => {
                String::new()
            }
            other => other.to_string(),
        };
        Self { code, detail }
    }
}

impl From<StartError> for Failure {
    /// The server's own sentences name arguments of its command line, which nobody has given here.
    fn from(error: StartError) -> Self {
        let (code, detail) = match error {
            StartError::InUse(_) => (StartFailure::AlreadyOpen, String::new()),
            StartError::Directory { directory, error } => {
                (StartFailure::Files, format!("{directory}: {error}"))
            }
            StartError::File { file, error } => (StartFailure::Files, format!("{file}: {error}")),
            StartError::Listen { address, error } => {
                (StartFailure::Other, format!("{address}: {error}"))
            }
            other => (StartFailure::Other, other.to_string()),
        };
        Self { code, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_about_arguments_that_the_desktop_does_not_have() {
        let failure = Failure::from(StartError::InUse("/home/anna/vireo".into()));
        assert_eq!(failure.code, StartFailure::AlreadyOpen);
        let unwritable = Failure::from(StartError::Directory {
            directory: "/home/anna/vireo".into(),
            error: std::io::ErrorKind::PermissionDenied.into(),
        });
        assert_eq!(unwritable.code, StartFailure::Files);
        for Failure { detail, .. } in [failure, unwritable] {
            assert!(!detail.contains("--data"), "{detail}");
        }
    }
}
