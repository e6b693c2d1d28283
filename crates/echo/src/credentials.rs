//! What whoever starts the Echo test hands over.

use serde::{Deserialize, Serialize};

/// The server, and what it knows the Echo test by. `vireo-echo` reads them as one line of JSON from its standard input, where
/// no other process can see them: `{"url": "http://127.0.0.1:7777", "token": "…"}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The server's address.
    pub url: String,
    /// The refresh token of the service account's session; a secret.
    pub token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_reaches_no_log() {
        let credentials: Credentials =
            serde_json::from_str(r#"{"url": "http://x", "token": "secret"}"#).expect("valid");
        assert_eq!(credentials.token, "secret");
        assert!(!format!("{credentials:?}").contains("secret"));
    }
}
