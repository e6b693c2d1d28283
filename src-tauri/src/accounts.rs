//! What the window shows of the person's accounts.

use serde::Serialize;
use ts_rs::TS;
use vireo_client::paths::{Account, Profile, SecretsIn};

use crate::joining::shown_address;

/// The person's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountsView {
    /// The server of the one that is in use, as people write it; null where it is the one on this computer, and while nobody
    /// is signed in.
    pub server: Option<String>,
    /// Where the secrets are kept.
    pub secrets: SecretsIn,
    /// Whether people elsewhere reach the server on this computer.
    pub open: bool,
    /// Those that were set aside.
    pub others: Vec<OtherAccount>,
}

/// An account that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct OtherAccount {
    /// The server's whole address, which says which account; null for the one on this computer.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// The server, as people write it.
    pub server: Option<String>,
}

impl AccountsView {
    /// What there is in the profile, this account in use, the server on this computer open or not.
    pub fn of(profile: &Profile, used: Option<&Account>, open: bool) -> Self {
        let others = profile.other_accounts().unwrap_or_default();
        Self {
            server: used.and_then(|used| used.server.as_deref().map(shown_address)),
            secrets: profile.secrets_in(),
            open,
            others: others.into_iter().map(OtherAccount::from).collect(),
        }
    }
}

impl From<Account> for OtherAccount {
    fn from(account: Account) -> Self {
        Self {
            server: account.server.as_deref().map(shown_address),
            id: account.server,
            name: account.name,
        }
    }
}
