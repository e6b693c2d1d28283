//! What a person shows of themselves to those whom they have added.

use serde::{Deserialize, Serialize};

use crate::http::keep_out_of_logs;
use crate::{Role, User};

/// The longest picture that may be sent, in bytes.
pub const MAX_AVATAR_BYTES: usize = 256 * 1024;

/// The longest name that may be shown, in characters.
pub const MAX_DISPLAY_NAME: usize = 64;

/// The answer to whatever is asked of `/api/profile`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The account.
    pub user: User,
    /// The name to show; null where that is the one to sign in with.
    pub display_name: Option<String>,
    /// The picture's ETag, another one with every picture; null where there is none.
    pub avatar: Option<String>,
    /// What the person may do.
    pub role: Role,
}

/// The body of `PUT /api/profile`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileChange {
    /// The name to show; null shows the one to sign in with.
    pub display_name: Option<String>,
}

keep_out_of_logs!(Profile, ProfileChange);

/// A name to show as it is kept: without spaces at its ends, and nothing where nothing is left.
///
/// # Errors
/// A sentence, where it is longer than [`MAX_DISPLAY_NAME`], or holds what cannot be seen and changes how it, or what
/// stands beside it, is read.
pub fn display_name(given: &str) -> Result<Option<String>, &'static str> {
    let name = given.trim();
    match name.chars().count() {
        0 => Ok(None),
        n if n > MAX_DISPLAY_NAME => Err("A name can be at most 64 characters long."),
        _ if name.chars().any(misleads) => Err(
            "A name cannot contain control characters, nor those that turn the direction of writing.",
        ),
        _ => Ok(Some(name.to_owned())),
    }
}

/// Control characters, ends of lines and paragraphs, and what embeds, overrides or isolates a direction of writing (Unicode
/// Standard Annex 9, §2).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_bounded_and_show_what_they_are() {
        assert_eq!(display_name(" Ann Lee "), Ok(Some("Ann Lee".to_owned())));
        assert_eq!(display_name("Зоя 👩‍🔬"), Ok(Some("Зоя 👩‍🔬".to_owned())));
        assert_eq!(display_name(" \n"), Ok(None));
        assert!(display_name(&"ä".repeat(64)).is_ok());
        for bad in [
            "ä".repeat(65).as_str(),
            "a\u{7}b",
            "a\nb",
            "\u{202E}nnA",
            "a\u{2066}b",
            "a\u{2028}b",
        ] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }
}
