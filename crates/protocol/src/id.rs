//! Identifiers. Each kind is a type of its own, so that one can never be passed for another.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub String);

        impl $name {
            /// A new identifier that nobody else has.
            #[must_use]
            pub fn random() -> Self {
                Self(uuid::Uuid::new_v4().to_string())
            }

            /// Whether the text can be an identifier at all: 1 to 64 characters out of `A–Z a–z 0–9 - _`.
            #[must_use]
            pub fn is_well_formed(&self) -> bool {
                (1..=64).contains(&self.0.len())
                    && self.0.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A person's account.
    UserId
}
id! {
    /// A conversation; two contacts share exactly one.
    ChatId
}
id! {
    /// An entry in the history of calls. That of a later call is greater.
    HistoryId
}
id! {
    /// One attempt at a call. The caller makes it. When two people call each other at once the smaller one wins.
    CallId
}
id! {
    /// One device that somebody has signed in on.
    SessionId
}
id! {
    /// An invite, without its secret.
    InviteId
}
