//! Who was in the list when the server was heard last, so that a start without it shows them.

use serde::{Deserialize, Serialize};
use vireo_protocol::{Contact, Presence, User};

use super::Profile;
use crate::{ClientError, ClientView};

const KNOWN: &str = "contacts.json";

/// The people of an account, as its server told of them last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Whose account it is.
    pub me: User,
    /// Everyone in the list: offline and without pictures, since both are the server's to say.
    pub contacts: Vec<Contact>,
}

/// The same as it is written down.
#[derive(Serialize, Deserialize)]
struct Written {
    server: Option<String>,
    #[serde(flatten)]
    known: Known,
}

impl Known {
    /// What of this view stays true without the server.
    #[must_use]
    pub fn of(view: &ClientView) -> Self {
        let known = |contact: &Contact| Contact {
            avatar: None,
            presence: Presence::Offline,
            last_seen_at: None,
            ..contact.clone()
        };
        Self {
            me: view.me.clone(),
            contacts: view.contacts.iter().map(known).collect(),
        }
    }
}

impl Profile {
    /// Keeps whom the account on this server knows, in the place of what was kept before.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn remember(&self, server: Option<&str>, known: &Known) -> Result<(), ClientError> {
        let written = Written {
            server: server.map(str::to_owned),
            known: known.clone(),
        };
        self.write(KNOWN, &written)
    }

    /// Whom the account on this server knew; none where nothing was kept of it, or nothing that can be read.
    #[must_use]
    pub fn known(&self, server: Option<&str>) -> Option<Known> {
        let written: Option<Written> = self
            .read(KNOWN)
            .inspect_err(
                |error| tracing::warn!(%error, "nobody is known before the server says so"),
            )
            .ok()?;
        written
            .filter(|written| written.server.as_deref() == server)
            .map(|written| written.known)
    }

    /// Keeps nobody any more.
    ///
    /// # Errors
    /// [`ClientError::Profile`].
    pub fn forget_known(&self) -> Result<(), ClientError> {
        self.remove(KNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Known {
        let contact = serde_json::json!({
            "userId": "b", "name": "Boris", "status": "contact", "chatId": "chat", "presence": "offline",
            "lastSeenAt": null,
        });
        Known {
            me: User {
                id: vireo_protocol::UserId("a".to_owned()),
                name: "Anna".to_owned(),
            },
            contacts: vec![serde_json::from_value(contact).expect("a contact")],
        }
    }

    #[test]
    fn people_are_known_to_the_account_that_has_met_them_until_they_are_forgotten() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile::open(Some(directory.path())).expect("a new profile");
        let server = Some("https://there");
        assert_eq!(profile.known(server), None);
        profile.remember(server, &anna()).expect("writable");
        assert_eq!(profile.known(server), Some(anna()));
        assert_eq!(profile.known(None), None);
        profile.forget_known().expect("removable");
        assert_eq!(profile.known(server), None);
    }

    #[test]
    fn what_cannot_be_read_stops_nobody() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile::open(Some(directory.path())).expect("a new profile");
        std::fs::write(directory.path().join(KNOWN), "{").expect("writable");
        assert_eq!(profile.known(None), None);
        profile.remember(None, &anna()).expect("writable");
        assert_eq!(profile.known(None), Some(anna()));
    }
}
