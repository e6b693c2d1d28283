//! How the secrets of an account lie on the disk: sealed with a key that the system's key store holds, or, where there is no
//! such store, as they are, in a file that only this user can read.
//!
//! The store is asked once in a run of the program. What changes often, such as the refresh token, changes the file alone:
//! nobody is asked to unlock anything in the middle of a call, and a crash leaves the old secrets or the new ones.

#[cfg(not(all(
    feature = "key-store",
    any(target_os = "linux", target_os = "macos", windows)
)))]
#[path = "key_store_absent.rs"]
mod key_store;
#[cfg(all(
    feature = "key-store",
    any(target_os = "linux", target_os = "macos", windows)
))]
mod key_store;
mod seal;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

use crate::ClientError;
use seal::{KEY_BYTES, SealingKey};

/// Where the secrets of accounts are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SecretsIn {
    /// Sealed, with a key in the system's key store.
    KeyStore,
    /// In a file that only this user can read.
    #[default]
    File,
}

/// What nobody else may know of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secrets {
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// The same as it is written down.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Kept {
    /// Sealed with the key of this name in the key store.
    Sealed {
        key: String,
        sealed: String,
    },
    Open(Secrets),
}

/// Keys by name, kept by the system.
trait KeyStore: Send + Sync {
    /// The key; none where there is none of this name.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    fn write(&self, name: &str, key: &[u8]) -> Result<(), String>;
    fn delete(&self, name: &str);
}

/// Seals and opens secrets. Clones share what the key store has said.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Shared>);

struct Shared {
    /// Opened when it is first needed; none where the system has no such store, or it does not answer.
    open_store: fn() -> Option<Arc<dyn KeyStore>>,
    held: Mutex<Held>,
}

#[derive(Default)]
enum Held {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    Key {
        name: String,
        key: SealingKey,
    },
    /// There is no store that takes a key.
    NoStore,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper { .. }")
    }
}

impl Keeper {
    /// One that uses the system's key store.
    pub fn of_the_system() -> Self {
        Self::with(key_store::open)
    }

    fn with(open_store: fn() -> Option<Arc<dyn KeyStore>>) -> Self {
        let held = Mutex::default();
        Self(Arc::new(Shared { open_store, held }))
    }

    /// One that leaves the system's key store alone.
    #[cfg(test)]
    pub fn without_store() -> Self {
        Self::with(|| None)
    }

    /// Where secrets are kept that are saved now.
    pub fn secrets_in(&self) -> SecretsIn {
        match *self.held() {
            Held::Key { .. } => SecretsIn::KeyStore,
            Held::Unknown | Held::NoStore => SecretsIn::File,
        }
    }

    /// The secrets as they may be written down. May wait for the person to unlock the key store, the first time.
    pub fn keep(&self, secrets: &Secrets) -> Kept {
        let mut held = self.held();
        if let Held::Unknown = *held {
            *held = self.new_key();
        }
        match &*held {
            Held::Key { name, key } => {
                let plain = serde_json::to_vec(secrets).expect("plain data has a JSON form");
                Kept::Sealed {
                    key: name.clone(),
                    sealed: key.seal(&plain),
                }
            }
            Held::Unknown | Held::NoStore => Kept::Open(secrets.clone()),
        }
    }

    /// The secrets that were written down; none where they cannot be opened any more, since their key is gone. May wait for
    /// the person to unlock the key store, the first time.
    ///
    /// # Errors
    /// [`ClientError::KeyStore`] where the key may be there and is not to be had now.
    pub fn open(&self, kept: Kept) -> Result<Option<Secrets>, ClientError> {
        let (name, sealed) = match kept {
            Kept::Open(secrets) => return Ok(Some(secrets)),
            Kept::Sealed { key, sealed } => (key, sealed),
        };
        let mut held = self.held();
        if !matches!(&*held, Held::Key { name: known, .. } if *known == name) {
            match self.read_key(&name)? {
                Some(key) => *held = Held::Key { name, key },
                None => return Ok(None),
            }
        }
        let Held::Key { key, .. } = &*held else {
            return Ok(None);
        };
        let plain = key.open(&sealed);
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    /// Takes the key out of the store: what was sealed with it cannot be opened any more.
    pub fn forget(&self) {
        if let Held::Key { name, .. } = std::mem::take(&mut *self.held())
            && let Some(store) = (self.0.open_store)()
        {
            store.delete(&name);
        }
    }

    fn new_key(&self) -> Held {
        let Some(store) = (self.0.open_store)() else {
            return Held::NoStore;
        };
        let name = Uuid::new_v4().to_string();
        let bytes: [u8; KEY_BYTES] = rand::random();
        match store.write(&name, &bytes) {
            Ok(()) => Held::Key {
                name,
                key: SealingKey::new(bytes),
            },
            Err(problem) => {
                tracing::info!(problem, "the system's key store takes no key");
                Held::NoStore
            }
        }
    }

    fn read_key(&self, name: &str) -> Result<Option<SealingKey>, ClientError> {
        let store = (self.0.open_store)().ok_or(ClientError::KeyStore)?;
        let read = store.read(name).map_err(|problem| {
            tracing::warn!(problem, "the system's key store does not open");
            ClientError::KeyStore
        })?;
        let key = read.and_then(|bytes| bytes.try_into().ok());
        Ok(key.map(SealingKey::new))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // It is replaced in one step.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
