//! Reading a message, and saying what is wrong with one that cannot be read.

use serde_json::Value;
use vireo_protocol::{ErrorCode, Request};

/// Every `type` a client may send.
const TYPES: [&str; 17] = [
    "hello",
    "contacts:list",
    "contacts:add",
    "contacts:accept",
    "contacts:decline",
    "contacts:remove",
    "contacts:block",
    "contacts:unblock",
    "presence:set",
    "calls:history",
    "call:initiate",
    "call:ringing",
    "call:answer",
    "call:ice-candidate",
    "call:media-state",
    "call:end",
    "call:reject",
];

/// Why a message could not be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The message's number, where that at least could be read.
    pub id: Option<u64>,
    /// For programs.
    pub code: ErrorCode,
    /// For people who write a client.
    pub message: String,
}

/// The number of a message whose rest is not looked at.
pub fn id_of(text: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        id: u64,
    }
    let numbered: Numbered = serde_json::from_str(text).ok()?;
    Some(numbered.id)
}

/// Reads a message.
pub fn parse(text: &str) -> Result<Request, Unreadable> {
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

fn explain(text: &str, error: &serde_json::Error) -> Unreadable {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let id = value.get("id").and_then(Value::as_u64);
    let kind = value.get("type").and_then(Value::as_str);
    match kind {
        Some(kind) if !TYPES.contains(&kind) => Unreadable {
            id,
            code: ErrorCode::UnknownType,
            message: "This server does not know messages of this type.".to_owned(),
        },
        _ => Unreadable {
            id,
            code: ErrorCode::InvalidMessage,
            message: format!("This message cannot be read: {error}."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> (Option<u64>, ErrorCode) {
        let unreadable = parse(text).expect_err("unreadable");
        (unreadable.id, unreadable.code)
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(code("nonsense"), (None, ErrorCode::InvalidMessage));
        assert_eq!(code("{}"), (None, ErrorCode::InvalidMessage));
        assert_eq!(code("[]"), (None, ErrorCode::InvalidMessage));
        assert_eq!(
            code(r#"{"id":-1,"type":"contacts:list"}"#),
            (None, ErrorCode::InvalidMessage)
        );
        assert_eq!(
            code(r#"{"id":7,"type":"call:dance"}"#),
            (Some(7), ErrorCode::UnknownType)
        );
        assert_eq!(
            code(r#"{"id":7,"type":"call:initiate"}"#),
            (Some(7), ErrorCode::InvalidMessage)
        );
        assert_eq!(code(&"[".repeat(60_000)), (None, ErrorCode::InvalidMessage));
    }

    #[test]
    fn every_type_is_known() {
        for kind in TYPES {
            let text = format!(r#"{{"id":1,"type":"{kind}","x":0}}"#);
            if let Err(unreadable) = parse(&text) {
                assert_eq!(unreadable.code, ErrorCode::InvalidMessage, "{kind}");
            }
        }
    }
}
