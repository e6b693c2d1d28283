//! Every message.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vireo_protocol::Request;

use crate::people::{KINDS, Kind, Town, handshake, sign_in};
use crate::support::{
    CANDIDATE, Client, TestServer, about, answer, candidate, end, initiate, text,
};

/// How far a call of Mia's to Cem has come before it is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There is none.
    NoCall,
    /// It rings.
    Rings,
    /// Cem has answered.
    Answered,
}
use Before::{Answered, NoCall, Rings};

/// Those without a good token do not get as far as to say anything; whoever's session ends is shown out.
const OUT: [&str; 4] = ["401", "401", "401", "4001"];

const DENIED: &str = "call:error access-denied";
const NONE: &str = "call:error no-such-call";

/// The type, how far a call has come before, and what non-member, blocked, member and administrator hear who ask about Mia,
/// or the call between her and Cem, who is the member. The blocked one names the chat that he shares with Mia. The others
/// hear what [`OUT`] says.
#[rustfmt::skip]
const TABLE: &[(&str, Before, [&str; 4])] = &[
    ("hello",                   NoCall, ["error unexpected-hello"; 4]),
    ("contacts:list",           NoCall, ["contacts"; 4]),
    ("contacts:add",            NoCall, ["contact requested", "contact contact", "contact contact", "contact requested"]),
    ("contacts:accept",         NoCall, ["error no-such-request", "contact contact", "contact contact", "error no-such-request"]),
    ("contacts:decline",        NoCall, ["ok", "contact contact", "contact contact", "ok"]),
    ("contacts:remove",         NoCall, ["ok"; 4]),
    ("contacts:block",          NoCall, ["contact blocked"; 4]),
    ("contacts:unblock",        NoCall, ["ok", "contact contact", "contact contact", "ok"]),
    ("presence:set",            NoCall, ["ok"; 4]),
    ("presence:do-not-disturb", NoCall, ["ok"; 4]),
    ("calls:history",           NoCall, ["calls"; 4]),
    ("call:initiate",           NoCall, [DENIED, "call:error user-offline", "ok", DENIED]),
    ("call:ringing",            Rings, [DENIED, NONE, "ok", DENIED]),
    ("call:answer",             Rings, [DENIED, NONE, "ok", DENIED]),
    ("call:reject",             Rings, [DENIED, NONE, "ok", DENIED]),
    ("call:ice-candidate",      Answered, [DENIED, NONE, "ok", DENIED]),
    ("call:media-state",        Answered, [DENIED, NONE, "ok", DENIED]),
    ("call:restart",            Answered, [DENIED, NONE, "ok", DENIED]),
    ("call:end",                Answered, [DENIED, NONE, "ok", DENIED]),
];

#[tokio::test]
async fn everybody_hears_what_they_are_to_hear() {
    let server = TestServer::start().await;
    for (number, (kind, before, expected)) in TABLE.iter().enumerate() {
        let town = Town::build(&server, number).await;
        let mut mia = server.connect(&town.mia).await;
        let mut cem = server.connect(&town.cem).await;
        let call = format!("call-{number}");
        bring_about(*before, &town, &call, &mut mia, &mut cem).await;
        // The member last: what is said with effect may end the call.
        let mut rows: Vec<_> = KINDS.into_iter().zip(OUT.iter().chain(expected)).collect();
        rows.sort_by_key(|(who, _)| *who == Kind::Member);
        for (who, expected) in rows {
            let message = message(kind, &town, &call, who);
            let heard = match who {
                Kind::Stranger | Kind::Expired | Kind::Forged => {
                    handshake(&server, town.person(who)).await.0.to_string()
                }
                Kind::Revoked => shown_out(&server, &town, &message).await,
                Kind::Member => heard(&cem.ask(message).await),
                Kind::NonMember | Kind::Blocked | Kind::Admin => {
                    let (_, client) = handshake(&server, town.person(who)).await;
                    let mut client = client.expect("signed in");
                    client.greet().await;
                    heard(&client.ask(message).await)
                }
            };
            assert_eq!(&heard, expected, "{who:?}: {kind}");
        }
    }
}

/// What somebody hears who says this after their session has ended.
async fn shown_out(server: &TestServer, town: &Town, message: &Value) -> String {
    let cem = sign_in(server, &town.cem).await;
    let mut client = server.connect(&cem).await;
    let body = json!({"refreshToken": cem.refresh_token});
    server.ask("POST", "/api/sign-out", "", Some(&body)).await;
    // The connection may be gone by now, which is as good.
    let mut message = message.clone();
    message["id"] = json!(7);
    use futures_util::SinkExt;
    let text = tokio_tungstenite::tungstenite::Message::text(message.to_string());
    let _ = client.socket.send(text).await;
    let code = client.closed().await;
    code.map(|code| code.to_string()).unwrap_or_default()
}

/// A reply in a few words.
fn heard(reply: &Value) -> String {
    let more = match &reply["contact"]["status"] {
        Value::Null => text(&reply["code"]),
        status => text(status),
    };
    format!("{} {more}", text(&reply["type"]))
        .trim_end()
        .to_owned()
}

async fn bring_about(before: Before, town: &Town, call: &str, mia: &mut Client, cem: &mut Client) {
    let chat = &town.chats[0];
    if before == NoCall {
        return;
    }
    mia.ok(initiate(call, chat)).await;
    cem.expect("call:offer").await;
    if before == Answered {
        cem.ok(answer(call, chat)).await;
    }
}

/// The message, as somebody of this kind says it.
fn message(kind: &str, town: &Town, call: &str, who: Kind) -> Value {
    let chat = match who {
        Kind::Blocked => &town.chats[1],
        _ => &town.chats[0],
    };
    match kind {
        "hello" => json!({"type": kind, "version": 2, "client": "test"}),
        "contacts:add" => json!({"type": kind, "name": town.mia.name}),
        "presence:set" => json!({"type": kind, "status": "away"}),
        "presence:do-not-disturb" => json!({"type": kind, "enabled": true}),
        "contacts:list" | "calls:history" => json!({"type": kind}),
        "call:initiate" => initiate(call, chat),
        "call:answer" => answer(call, chat),
        "call:ice-candidate" => candidate(call, chat, CANDIDATE),
        "call:media-state" => {
            let mut message = about(kind, call, chat);
            message["mediaState"] = json!({"microphone": true, "camera": false});
            message
        }
        "call:end" => end(call, chat),
        "call:ringing" | "call:reject" | "call:restart" => about(kind, call, chat),
        _ => json!({"type": kind, "userId": town.mia.id}),
    }
}

#[test]
fn no_message_is_missing() {
    let rows = TABLE.iter().map(|(kind, ..)| (*kind).to_owned());
    // The error that serde gives for a type that it does not know names all that it does.
    let unknown = serde_json::from_value::<Request>(json!({"id": 1, "type": "?"}));
    let error = unknown.expect_err("unknown").to_string();
    let (_, names) = error.split_once("expected one of ").expect("a list");
    let names = names.split(", ").filter_map(|name| name.split('`').nth(1));
    let known: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(rows.collect::<BTreeSet<_>>(), known);
}
