//! Which server, and who one is there.

use std::path::Path;

use vireo_client::paths::Profile;
use vireo_client::{Client, ClientError, Session};

use crate::args::Arguments;
use crate::failure::{Failure, Status};

/// A server's address, and a name and password to use there.
#[derive(PartialEq, Eq)]
pub struct Identity {
    server: String,
    name: String,
    password: String,
}

impl Identity {
    /// What the command line says; where it says nothing, what this user's Vireo uses.
    ///
    /// # Errors
    /// Usage, a password's file that cannot be read, or no server to be found.
    pub fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let account = match (&arguments.user, &arguments.password_file) {
            (Some(name), Some(file)) => Some((name.clone(), password(file)?)),
            (None, None) => None,
            _ => return Err(incomplete()),
        };
        let (server, (name, password)) = match (&arguments.server, account) {
            (Some(server), Some(account)) => (server.clone(), account),
            (None, Some(account)) => (embedded_server(&Profile::open(None)?)?, account),
            // A password is only ever sent to the server it was made for.
            (Some(_), None) => return Err(incomplete()),
            (None, None) => {
                let profile = Profile::open(None)?;
                let own = profile.account()?.ok_or_else(incomplete)?;
                let server = own.server.map_or_else(|| embedded_server(&profile), Ok)?;
                (server, (own.name, own.password))
            }
        };
        Ok(Self {
            server,
            name,
            password,
        })
    }

    /// Makes the account.
    ///
    /// # Errors
    /// What the server says to it.
    pub async fn register(&self) -> Result<Session, Failure> {
        Ok(Client::register(&self.server, &self.name, &self.password).await?)
    }

    /// Signs in.
    ///
    /// # Errors
    /// Wrong password, server unreachable, and what else the server says.
    pub async fn sign_in(&self) -> Result<Session, Failure> {
        Ok(Client::sign_in(&self.server, &self.name, &self.password).await?)
    }
}

fn incomplete() -> Failure {
    Failure::new(
        Status::Usage,
        "Say who you are: --user NAME --password-file FILE.",
    )
}

fn embedded_server(profile: &Profile) -> Result<String, Failure> {
    profile.embedded_server().ok_or_else(|| {
        Failure::new(
            Status::ServerUnreachable,
            "There is no server: no Vireo of yours is running on this computer. Start Vireo, or name a server with \
             --server URL.",
        )
    })
}

/// The first line of the file.
fn password(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|problem| Failure::file(file, problem))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::InvalidServer(_) | ClientError::InvalidCredentials(_) => Status::Usage,
            ClientError::ServerUnreachable | ClientError::NotAVireoServer => {
                Status::ServerUnreachable
            }
            ClientError::WrongPassword | ClientError::SignedOut => Status::WrongPassword,
            ClientError::NameTaken
            | ClientError::RegistrationClosed
            | ClientError::UnknownUser(_)
            | ClientError::OwnName
            | ClientError::AccessDenied => Status::AccessDenied,
            ClientError::AlreadyInCall => Status::Busy,
            ClientError::Profile(_) => Status::BadDevice,
            _ => Status::Other,
        };
        Self::new(status, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_client_have_their_numbers() {
        for (error, number) in [
            (ClientError::InvalidServer("x".to_owned()), 2),
            (ClientError::UnknownUser("Eve".to_owned()), 7),
            (ClientError::OwnName, 7),
            (ClientError::ServerUnreachable, 9),
            (ClientError::WrongPassword, 11),
            (ClientError::Closed, 1),
        ] {
            assert_eq!(Failure::from(error.clone()).status as u8, number, "{error}");
        }
    }

    #[test]
    fn a_password_is_the_first_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        std::fs::write(&file, "long and secret\r\nnot this\n").expect("written");
        assert_eq!(password(&file), Ok("long and secret".to_owned()));
        let missing = password(&folder.path().join("none")).expect_err("not there");
        assert_eq!(missing.status, Status::BadDevice);
    }
}
