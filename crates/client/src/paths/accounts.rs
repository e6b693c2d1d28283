//! The accounts of a profile: the one that is used, and those that were set aside for another one.

use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};

use super::Profile;
use crate::ClientError;
use crate::secrets::{Kept, Secrets, SecretsIn};

const ACCOUNT: &str = "account.json";
const OTHERS: &str = "other-accounts.json";

/// An account on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The server's address; none means the embedded one, wherever it listens today.
    pub server: Option<String>,
    /// The name.
    pub name: String,
    /// The secret that stands in for a password.
    pub password: String,
    /// The session of the desktop's: its last refresh token. None before the first sign-in; `vireo-cli` has sessions of its own.
    pub refresh_token: Option<String>,
}

/// An account as it is written down.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    server: Option<String>,
    name: String,
    #[serde(flatten)]
    secrets: Kept,
}

impl Account {
    /// An account with a new secret that nobody can guess (over 256 bits).
    #[must_use]
    pub fn with_new_secret(server: Option<String>, name: impl Into<String>) -> Self {
        Self {
            server,
            name: name.into(),
            password: Alphanumeric.sample_string(&mut rand::rng(), 48),
            refresh_token: None,
        }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account { .. }") // Neither the name nor the secret belongs into a log.
    }
}

impl Profile {
    /// The account; none before there is one, or when the key that it was sealed with is gone. May wait for the person to
    /// unlock the system's key store, the first time.
    ///
    /// # Errors
    /// [`ClientError::Profile`] when the file is there and cannot be read, [`ClientError::KeyStore`].
    pub fn account(&self) -> Result<Option<Account>, ClientError> {
        match self.read(ACCOUNT)? {
            Some(written) => self.opened(written),
            None => Ok(None),
        }
    }

    /// Saves the account, readable by this user alone.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn save_account(&self, account: &Account) -> Result<(), ClientError> {
        self.write(ACCOUNT, &self.written(account))
    }

    /// Forgets the account. The key goes with the last one.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn remove_account(&self) -> Result<(), ClientError> {
        self.remove(ACCOUNT)?;
        if self.written_others()?.is_empty() {
            self.keeper.forget();
        }
        Ok(())
    }

    /// Where the secrets of the account are kept.
    #[must_use]
    pub fn secrets_in(&self) -> SecretsIn {
        self.keeper.secrets_in()
    }

    /// The accounts that were set aside, the last one first.
    ///
    /// # Errors
    /// As [`Profile::account`].
    pub fn other_accounts(&self) -> Result<Vec<Account>, ClientError> {
        let mut others = Vec::new();
        for written in self.written_others()? {
            others.extend(self.opened(written)?);
        }
        Ok(others)
    }

    /// Keeps an account for later. There is one of each server at most.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn set_aside(&self, account: &Account) -> Result<(), ClientError> {
        let mut others = self.written_others()?;
        others.retain(|other| other.server != account.server);
        others.insert(0, self.written(account));
        self.write(OTHERS, &others)
    }

    /// Keeps the account of this server no longer among those that were set aside.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn remove_other(&self, server: Option<&str>) -> Result<(), ClientError> {
        let mut others = self.written_others()?;
        others.retain(|other| other.server.as_deref() != server);
        match others.is_empty() {
            true => self.remove(OTHERS),
            false => self.write(OTHERS, &others),
        }
    }

    fn written_others(&self) -> Result<Vec<Written>, ClientError> {
        Ok(self.read(OTHERS)?.unwrap_or_default())
    }

    fn written(&self, account: &Account) -> Written {
        let secrets = Secrets {
            password: account.password.clone(),
            refresh_token: account.refresh_token.clone(),
        };
        Written {
            server: account.server.clone(),
            name: account.name.clone(),
            secrets: self.keeper.keep(&secrets),
        }
    }

    fn opened(&self, written: Written) -> Result<Option<Account>, ClientError> {
        let secrets = self.keeper.open(written.secrets)?;
        Ok(secrets.map(|secrets| Account {
            server: written.server,
            name: written.name,
            password: secrets.password,
            refresh_token: secrets.refresh_token,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_set_aside_and_found_again() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile::open(Some(directory.path())).expect("a new profile");
        let profile = profile.without_key_store();
        let here = Account::with_new_secret(None, "Ann");
        let there = Account::with_new_secret(Some("https://there".to_owned()), "ann");
        profile.set_aside(&here).expect("writable");
        profile.set_aside(&there).expect("writable");
        let newer = Account::with_new_secret(None, "Anna");
        profile.set_aside(&newer).expect("writable");
        assert_eq!(profile.other_accounts(), Ok(vec![newer.clone(), there]));
        profile
            .remove_other(Some("https://there"))
            .expect("writable");
        assert_eq!(profile.other_accounts(), Ok(vec![newer]));
        profile.remove_other(None).expect("writable");
        assert_eq!(profile.other_accounts(), Ok(vec![]));
    }

    #[test]
    fn an_account_of_an_earlier_version_is_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile::open(Some(directory.path())).expect("a new profile");
        let profile = profile.without_key_store();
        let text = r#"{"server": null, "name": "Ann", "password": "secret", "refreshToken": "t"}"#;
        std::fs::write(directory.path().join(ACCOUNT), text).expect("writable");
        let account = profile.account().expect("readable").expect("it is there");
        assert_eq!(account.password, "secret");
        assert_eq!(account.refresh_token.as_deref(), Some("t"));
    }
}
