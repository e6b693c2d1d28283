//! The system's own store of keys: the Secret Service on Linux, Keychain on macOS, the Credential Manager on Windows.

use std::sync::Arc;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(target_os = "linux")]
use dbus_secret_service_keyring_store::Store;
use keyring_core::{CredentialStore, Entry, Error};
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::KeyStore;

/// What a key is listed under there.
const SERVICE: &str = "app.vireo.desktop";

struct System(Arc<CredentialStore>);

/// The store; none where there is none, which is found out at once.
pub(super) fn open() -> Option<Arc<dyn KeyStore>> {
    match Store::new() {
        Ok(store) => Some(Arc::new(System(store))),
        Err(error) => {
            tracing::info!(%error, "there is no key store");
            None
        }
    }
}

impl System {
    fn entry(&self, name: &str) -> Result<Entry, Error> {
        self.0.build(SERVICE, name, None)
    }
}

impl KeyStore for System {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match self.entry(name).and_then(|entry| entry.get_secret()) {
            Ok(key) => Ok(Some(key)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write(&self, name: &str, key: &[u8]) -> Result<(), String> {
        let written = self.entry(name).and_then(|entry| entry.set_secret(key));
        written.map_err(|error| error.to_string())
    }

    fn delete(&self, name: &str) {
        let deleted = self.entry(name).and_then(|entry| entry.delete_credential());
        if let Err(error) = deleted {
            tracing::info!(%error, "a key of no more use stays in the key store");
        }
    }
}
