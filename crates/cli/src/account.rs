//! Which server, and who one is there.

use std::path::Path;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;
use vireo_client::paths::{Account, Profile};
use vireo_client::{Client, ClientError, Session};
use vireo_protocol::{Credentials, Registration};

use crate::args::{Arguments, Command};
use crate::failure::{Failure, Status};

/// What the list of sessions calls this program, for as long as a command runs.
const DEVICE: &str = "vireo-cli";

/// How long signing out may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A server's address, and a name and password to use there.
pub struct Identity {
    server: String,
    name: String,
    password: String,
    /// Where the account is kept, where it is that of this user's Vireo.
    profile: Option<Profile>,
    /// Ends with the command, so that commands leave no sessions behind.
    session: OnceCell<Session>,
}

impl Identity {
    /// What the command line says; where it says nothing, what this user's Vireo uses.
    ///
    /// # Errors
    /// Usage, a password's file that cannot be read, or no server to be found.
    pub fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let account = match (&arguments.user, &arguments.password_file) {
            (Some(name), Some(file)) => Some((name.clone(), first_line(file)?)),
            (None, None) => None,
            _ => return Err(incomplete()),
        };
        let invited_to = match &arguments.command {
            Command::Join(join) => Some(join.link.server.to_string()),
            _ => None,
        };
        let named = invited_to.clone().or_else(|| arguments.server.clone());
        let mut own_profile = None;
        let (server, (name, password)) = match (named, account) {
            (Some(server), Some(account)) => (server, account),
            (None, Some(account)) => (embedded_server(&Profile::open(None)?)?, account),
            // A password is only ever sent to the server it was made for.
            (Some(server), None) => {
                let profile = Profile::open(None)?;
                let own = profile.account()?;
                let own =
                    own.filter(|own| invited_to.is_some() && own.server.as_ref() == Some(&server));
                let own = own.ok_or_else(incomplete)?;
                own_profile = Some(profile);
                (server, (own.name, own.password))
            }
            (None, None) => {
                let profile = Profile::open(None)?;
                let own = profile.account()?.ok_or_else(incomplete)?;
                let server = own.server.map_or_else(|| embedded_server(&profile), Ok)?;
                own_profile = Some(profile);
                (server, (own.name, own.password))
            }
        };
        Ok(Self {
            server,
            name,
            password,
            profile: own_profile,
            session: OnceCell::new(),
        })
    }

    /// The password that was given.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Keeps another password, where the account is that of this user's Vireo.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_password(&self, password: &str) -> Result<(), Failure> {
        let Some((profile, mut own)) = self.own()? else {
            return Ok(());
        };
        own.password = password.to_owned();
        Ok(profile.save_account(&own)?)
    }

    /// Forgets the account, where it is that of this user's Vireo.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn forget(&self) -> Result<(), Failure> {
        match self.own()? {
            Some((profile, _)) => Ok(profile.remove_account()?),
            None => Ok(()),
        }
    }

    /// The account of this user's Vireo, where it is the one in use.
    fn own(&self) -> Result<Option<(&Profile, Account)>, Failure> {
        let Some(profile) = &self.profile else {
            return Ok(None);
        };
        Ok(profile.account()?.map(|account| (profile, account)))
    }

    /// Makes the account, with the token of an invite where one is needed.
    ///
    /// # Errors
    /// What the server says to it.
    pub async fn register(&self, invite: Option<&str>) -> Result<Session, ClientError> {
        let registration = Registration {
            name: self.name.clone(),
            password: self.password.clone(),
            device: DEVICE.to_owned(),
            invite: invite.map(str::to_owned),
        };
        let session = Client::register(&self.server, registration).await?;
        Ok(self.session.get_or_init(async || session).await.clone())
    }

    /// Signs in.
    ///
    /// # Errors
    /// Wrong password, server unreachable, and what else the server says.
    pub async fn sign_in(&self) -> Result<Session, ClientError> {
        let credentials = Credentials {
            name: self.name.clone(),
            password: self.password.clone(),
            device: DEVICE.to_owned(),
        };
        let session = Client::sign_in(&self.server, credentials).await?;
        Ok(self.session.get_or_init(async || session).await.clone())
    }

    /// Signs out again, where somebody has signed in. A server that is gone is not waited for.
    pub async fn sign_out(&self) {
        if let Some(session) = self.session.get() {
            let _ = timeout(GOODBYE, session.sign_out()).await;
        }
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
pub fn first_line(file: &Path) -> Result<String, Failure> {
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
            | ClientError::InvalidInvite
            | ClientError::UnknownUser(_)
            | ClientError::OwnName
            | ClientError::NoSuchRequest
            | ClientError::AccessDenied => Status::AccessDenied,
            ClientError::AlreadyInCall => Status::Busy,
            ClientError::Profile(_) | ClientError::InvalidPicture(_) => Status::BadDevice,
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
        assert_eq!(first_line(&file), Ok("long and secret".to_owned()));
        let missing = first_line(&folder.path().join("none")).expect_err("not there");
        assert_eq!(missing.status, Status::BadDevice);
    }
}
