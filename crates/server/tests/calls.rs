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

#[tokio::test]
async fn strangers_and_non_members_are_kept_out() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    let eve = server.register("Eve").await;
    let mut eve = server.connect(&eve).await;
    eve.fails(initiate("call-e", &chat), "access-denied").await;
    ann.fails(initiate("call-1", "no-such-chat"), "access-denied")
        .await;
    ann.fails(initiate("call-1", "not well-formed"), "access-denied")
        .await;
    ann.ok(initiate("call-1", &chat)).await;
    for message in [
        about("call:ringing", "call-1", &chat),
        answer("call-1", &chat),
        candidate("call-1", &chat, CANDIDATE),
        media_state("call-1", &chat),
        about("call:reject", "call-1", &chat),
        end("call-1", &chat),
    ] {
        eve.fails(message, "access-denied").await;
    }
    bob.ok(answer("call-1", &chat)).await;
    ann.expect("call:answer").await;
    bob.expect_no("call:end").await;
    ann.expect_no("call:end").await;
}

fn media_state(call: &str, chat: &str) -> serde_json::Value {
    json!({
        "type": "call:media-state", "callId": call, "chatId": chat,
        "mediaState": {"microphone": false, "camera": true},
    })
}

#[tokio::test]
async fn offline_busy_declined_and_cancelled() {
    let server = TestServer::start().await;
    let people = ["Ann", "Bob", "Eve"].map(|name| server.register(name));
    let people = futures_util::future::join_all(people).await;
    let [ann, bob, eve] = people.as_slice() else {
        unreachable!("three were registered")
    };
    let mut a = server.connect(ann).await;
    let mut b = server.connect(bob).await;
    let mut e = server.connect(eve).await;
    let ab = support::befriend(&mut a, ann, &mut b, bob).await;
    let be = support::befriend(&mut b, bob, &mut e, eve).await;
    a.ok(initiate("call-1", &ab)).await;
    let busy = e.fails(initiate("call-2", &be), "user-busy").await;
    assert_eq!(busy["message"], "User busy");
    b.ok(about("call:reject", "call-1", &ab)).await;
    assert_eq!(text(&a.expect("call:rejected").await["callId"]), "call-1");
    a.ok(initiate("call-3", &ab)).await;
    b.expect_where("call:offer", |offer| offer["callId"] == "call-3")
        .await;
    a.ok(end("call-3", &ab)).await;
    let cancelled = b.expect("call:end").await;
    assert_eq!(
        (text(&cancelled["callId"]), &cancelled["reason"]),
        ("call-3".into(), &json!("cancelled"))
    );
    b.fails(answer("call-3", &ab), "no-such-call").await;
    a.ok(initiate("call-4", &ab)).await;
    let mut decline = about("call:reject", "call-4", &ab);
    decline["busy"] = json!(true);
    b.ok(decline).await;
    let error = a.expect("call:error").await;
    assert_eq!(
        (&error["code"], error.get("id")),
        (&json!("user-busy"), None)
    );
    drop(b);
    a.expect_where("presence", |news| news["presence"] == "offline")
        .await;
    let offline = a.fails(initiate("call-5", &ab), "user-offline").await;
    assert_eq!(offline["message"], "User offline");
}

#[tokio::test]
async fn two_who_call_each_other_at_once() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(initiate("call-a", &chat)).await;
    bob.ok(initiate("call-b", &chat)).await;
    assert_eq!(bob.expect("call:offer").await["callId"], "call-a");
    assert_eq!(ann.expect("call:offer").await["callId"], "call-b");
    bob.ok(end("call-b", &chat)).await;
    bob.ok(answer("call-a", &chat)).await;
    assert_eq!(ann.expect("call:answer").await["callId"], "call-a");
    assert_eq!(ann.expect("call:end").await["callId"], "call-b");
}

#[tokio::test]
async fn all_devices_ring_and_stop() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut one = server.connect(&bob).await;
    let chat = support::befriend(&mut a, &ann, &mut one, &bob).await;
    let mut other = server.connect(&bob).await;
    a.ok(initiate("call-1", &chat)).await;
    one.expect("call:offer").await;
    other.expect("call:offer").await;
    other.ok(answer("call-1", &chat)).await;
    assert_eq!(one.expect("call:end").await["reason"], "answered-elsewhere");
    one.fails(answer("call-1", &chat), "no-such-call").await;
    a.ok(end("call-1", &chat)).await;
    other.expect("call:end").await;
    a.ok(initiate("call-2", &chat)).await;
    one.ok(about("call:reject", "call-2", &chat)).await;
    assert_eq!(
        other
            .expect_where("call:end", |end| end["callId"] == "call-2")
            .await["reason"],
        "declined-elsewhere"
    );
}

#[tokio::test]
async fn a_device_that_connects_while_it_rings_can_answer() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = support::befriend(&mut a, &ann, &mut b, &bob).await;
    a.ok(initiate("call-1", &chat)).await;
    a.ok(candidate("call-1", &chat, CANDIDATE)).await;
    let mut late = server.connect(&bob).await;
    let offer = late.expect("call:offer").await;
    assert_eq!(
        (&offer["callId"], &offer["callerName"]),
        (&json!("call-1"), &json!("Ann"))
    );
    let trickled = late.expect("call:ice-candidate").await;
    assert_eq!(trickled["candidate"]["candidate"], CANDIDATE);
    late.ok(answer("call-1", &chat)).await;
    a.expect("call:answer").await;
    assert_eq!(b.expect("call:end").await["reason"], "answered-elsewhere");
}

#[tokio::test]
async fn a_lost_connection() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = support::befriend(&mut a, &ann, &mut b, &bob).await;
    a.ok(initiate("call-1", &chat)).await;
    drop(b);
    assert_eq!(a.expect("call:error").await["code"], "user-offline");
    let mut b = server.connect(&bob).await;
    a.expect_where("presence", |news| news["presence"] == "online")
        .await;
    a.ok(initiate("call-2", &chat)).await;
    b.expect("call:offer").await;
    drop(a);
    assert_eq!(b.expect("call:end").await["reason"], "cancelled");
    b.expect_where("presence", |news| news["presence"] == "offline")
        .await;
    // Once answered, the call outlives the connection.
    let mut a = server.connect(&ann).await;
    a.ok(initiate("call-3", &chat)).await;
    b.expect("call:offer").await;
    b.ok(answer("call-3", &chat)).await;
    a.expect("call:answer").await;
    drop(a);
    b.expect_where("presence", |news| news["presence"] == "offline")
        .await;
    b.ok(media_state("call-3", &chat)).await;
    let mut a = server.connect(&ann).await;
    assert_eq!(a.expect("call:media-state").await["callId"], "call-3");
    a.ok(media_state("call-3", &chat)).await;
    b.expect("call:media-state").await;
    b.ok(end("call-3", &chat)).await;
    assert_eq!(a.expect("call:end").await["reason"], "hung-up");
}

#[tokio::test]
async fn bad_descriptions_and_candidates_reach_nobody() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    let without_media = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    for sdp in [
        "",
        "nonsense",
        without_media,
        &(support::SDP.to_owned()
            + &"a=x-padding:0123456789012345678901234567890123456789\r\n".repeat(950)),
    ] {
        let mut message = initiate("call-1", &chat);
        message["offer"]["sdp"] = json!(sdp);
        ann.fails(message, "invalid-sdp").await;
    }
    let mut answer_as_offer = initiate("call-1", &chat);
    answer_as_offer["offer"]["type"] = json!("answer");
    ann.fails(answer_as_offer, "invalid-sdp").await;
    ann.fails(candidate("call-1", &chat, CANDIDATE), "no-such-call")
        .await;
    bob.expect_no("call:offer").await;
    ann.ok(initiate("call-1", &chat)).await;
    // Asked twice, as after a lost reply, it is still one call; another device's call cannot have its name.
    ann.ok(initiate("call-1", &chat)).await;
    bob.fails(initiate("call-1", &chat), "invalid-call").await;
    ann.fails(initiate("not well-formed", &chat), "invalid-call")
        .await;
    for line in ["nonsense", "candidate:1 1 UDP", &"x".repeat(2000)] {
        ann.fails(candidate("call-1", &chat, line), "invalid-candidate")
            .await;
    }
    let mut bad_answer = answer("call-1", &chat);
    bad_answer["answer"]["sdp"] = json!(without_media);
    bob.fails(bad_answer, "invalid-sdp").await;
    bob.expect_no("call:ice-candidate").await;
    ann.expect_no("call:answer").await;
    // Nothing is lost: the call still rings and can be answered.
    bob.ok(answer("call-1", &chat)).await;
    ann.expect("call:answer").await;
    for _ in 0..256 {
        ann.ok(candidate("call-1", &chat, CANDIDATE)).await;
    }
    ann.fails(candidate("call-1", &chat, CANDIDATE), "invalid-candidate")
        .await;
    ann.ok(media_state("call-1", &chat)).await;
}
