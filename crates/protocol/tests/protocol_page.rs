//! Every example of PROTOCOL.md is read with the types of this crate, and every message has one.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vireo_protocol::{
    AccountDeletion, CallErrorCode, Credentials, EndReason, ErrorCode, Health, HttpError,
    InviteList, InviteLook, InviteRequest, InviteToken, NewInvite, PasswordChange, Profile,
    ProfileChange, RefreshToken, Registration, Request, RoleChange, ServerMessage, SessionList,
    SignedIn, UserList,
};

const PAGE: &str = include_str!("../../../PROTOCOL.md");

/// The blocks of the page: what follows "```json", and the text.
fn examples() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix("json "))
        .filter_map(|block| block.split_once('\n'))
        .collect()
}

/// Reads the example and writes it again: nothing may be lost on the way, so a misspelt field cannot hide.
fn round_trip<T: Serialize + DeserializeOwned>(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let message: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = serde_json::to_value(message).expect("JSON");
    assert_eq!(again, value, "{text}");
}

#[test]
fn every_example_is_what_the_types_say() {
    let examples = examples();
    assert!(examples.len() > 25, "only {} found", examples.len());
    for (kind, text) in examples {
        match kind {
            "client" => round_trip::<Request>(text),
            "server" => round_trip::<ServerMessage>(text),
            "http:credentials" => round_trip::<Credentials>(text),
            "http:registration" => round_trip::<Registration>(text),
            "http:password" => round_trip::<PasswordChange>(text),
            "http:deletion" => round_trip::<AccountDeletion>(text),
            "http:invite" => round_trip::<InviteRequest>(text),
            "http:new-invite" => round_trip::<NewInvite>(text),
            "http:invites" => round_trip::<InviteList>(text),
            "http:invite-token" => round_trip::<InviteToken>(text),
            "http:look" => round_trip::<InviteLook>(text),
            "http:session" => round_trip::<SignedIn>(text),
            "http:refresh" => round_trip::<RefreshToken>(text),
            "http:sessions" => round_trip::<SessionList>(text),
            "http:profile" => round_trip::<Profile>(text),
            "http:profile-change" => round_trip::<ProfileChange>(text),
            "http:users" => round_trip::<UserList>(text),
            "http:role" => round_trip::<RoleChange>(text),
            "http:health" => round_trip::<Health>(text),
            "http:error" => round_trip::<HttpError>(text),
            other => panic!("unknown kind of example: {other}"),
        }
    }
}

/// The names that serde knows, told by the error it gives for one it does not.
fn known_names<T: DeserializeOwned>(json: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json).err().expect("unknown");
    let text = error.to_string();
    let (_, names) = text.split_once("expected one of ").expect("a list");
    names
        .split(", ")
        .filter_map(|name| name.split('`').nth(1))
        .map(str::to_owned)
        .collect()
}

fn types_of(kind: &str) -> BTreeSet<String> {
    let of_kind = examples().into_iter().filter(|(k, _)| *k == kind);
    let values = of_kind.map(|(_, text)| serde_json::from_str::<Value>(text).expect("JSON"));
    values
        .map(|value| value["type"].as_str().expect("a type").to_owned())
        .collect()
}

#[test]
fn every_message_has_an_example() {
    let unknown = serde_json::json!({"id": 1, "type": "?"});
    assert_eq!(types_of("client"), known_names::<Request>(unknown.clone()));
    assert_eq!(types_of("server"), known_names::<ServerMessage>(unknown));
}

#[test]
fn every_code_and_reason_is_explained() {
    let unknown = Value::from("?");
    let mut names = known_names::<ErrorCode>(unknown.clone());
    names.extend(known_names::<CallErrorCode>(unknown.clone()));
    names.extend(known_names::<EndReason>(unknown));
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_page_and_the_constants_agree() {
    assert!(PAGE.starts_with(&format!(
        "# Vireo's protocol, version {}\n",
        vireo_protocol::VERSION
    )));
    assert_eq!(vireo_protocol::MAX_MESSAGE_BYTES, 64 * 1024);
    assert_eq!(vireo_protocol::MAX_SDP_BYTES, 48 * 1024);
    assert_eq!(vireo_protocol::MAX_CANDIDATE_BYTES, 1024);
    assert_eq!(vireo_protocol::MAX_CANDIDATES_PER_SIDE, 256);
    for limit in [
        "| message | 64 KB;",
        "| SDP | 48 KB,",
        "| candidate | 1 KB, 256 of each side",
    ] {
        assert!(PAGE.contains(limit), "{limit}");
    }
}
