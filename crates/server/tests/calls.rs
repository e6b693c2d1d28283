//! The life of a call, through real sockets.

mod support;

use std::time::Duration;

use serde_json::json;
use support::{CANDIDATE, TestServer, about, answer, candidate, end, initiate, text};

#[tokio::test]
async fn a_whole_call() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(initiate("call-1", &chat)).await;
    ann.ok(candidate("call-1", &chat, CANDIDATE)).await;
    let offer = bob.expect("call:offer").await;
    assert_eq!(offer["callId"], "call-1");
    assert_eq!(offer["callerName"], "Ann");
    assert_eq!(offer["offer"]["type"], "offer");
    assert_eq!(
        offer["mediaState"],
        json!({"microphone": true, "camera": true})
    );
    let trickled = bob.expect("call:ice-candidate").await;
    assert_eq!(trickled["candidate"]["candidate"], CANDIDATE);
    bob.ok(about("call:ringing", "call-1", &chat)).await;
    ann.expect("call:ringing").await;
    bob.ok(answer("call-1", &chat)).await;
    bob.ok(candidate("call-1", &chat, "")).await;
    let accepted = ann.expect("call:answer").await;
    assert_eq!(accepted["answer"]["type"], "answer");
    assert_eq!(
        accepted["mediaState"],
        json!({"microphone": true, "camera": false})
    );
    ann.expect("call:ice-candidate").await;
    let muted = json!({
        "type": "call:media-state", "callId": "call-1", "chatId": chat,
        "mediaState": {"microphone": false, "camera": true},
    });
    ann.ok(muted).await;
    let state = bob.expect("call:media-state").await;
    assert_eq!(
        state["mediaState"],
        json!({"microphone": false, "camera": true})
    );
    bob.ok(end("call-1", &chat)).await;
    assert_eq!(ann.expect("call:end").await["reason"], "hung-up");
    ann.fails(end("call-1", &chat), "no-such-call").await;
}

#[tokio::test]
async fn nobody_answers() {
    let server =
        TestServer::start_with(|config| config.answer_timeout = Duration::from_millis(300)).await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(initiate("call-1", &chat)).await;
    bob.ok(about("call:ringing", "call-1", &chat)).await;
    let error = ann.expect("call:error").await;
    assert_eq!(error["code"], "no-answer");
    assert_eq!(error["message"], "No answer");
    assert_eq!(text(&error["callId"]), "call-1");
    assert_eq!(error.get("id"), None);
    assert_eq!(bob.expect("call:end").await["reason"], "no-answer");
    bob.fails(answer("call-1", &chat), "no-such-call").await;
}
