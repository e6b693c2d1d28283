//! Answering requests, removing and blocking people: what each side sees of it.

mod support;

use serde_json::{Value, json};
use support::{Client, TestServer, befriend, initiate, text};

fn about(kind: &str, user: &str) -> Value {
    json!({"type": format!("contacts:{kind}"), "userId": user})
}

/// How somebody stands in a list: status and presence, or nothing.
async fn seen(viewer: &mut Client, user: &str) -> Option<(String, String)> {
    let list = viewer.ask(json!({"type": "contacts:list"})).await;
    let contacts = list["contacts"].as_array().expect("a list");
    let found = contacts.iter().find(|contact| contact["userId"] == user)?;
    Some((text(&found["status"]), text(&found["presence"])))
}

fn stands(status: &str, presence: &str) -> Option<(String, String)> {
    Some((status.to_owned(), presence.to_owned()))
}

#[tokio::test]
async fn a_request_is_accepted_or_declined_on_every_device_of_both() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let mut phone = server.connect(&bob).await;
    b.fails(about("accept", &ann.id), "no-such-request").await;

    a.ask(json!({"type": "contacts:add", "name": "Bob"})).await;
    phone.expect("contact").await;
    b.ok(about("decline", &ann.id)).await;
    assert_eq!(a.expect("contact:removed").await["userId"], *bob.id);
    assert_eq!(phone.expect("contact:removed").await["userId"], *ann.id);
    assert_eq!(seen(&mut a, &bob.id).await, None);

    a.ask(json!({"type": "contacts:add", "name": "Bob"})).await;
    let accepted = b.ask(about("accept", &ann.id)).await;
    assert_eq!(accepted["contact"]["status"], "contact", "{accepted}");
    assert_eq!(accepted["contact"]["presence"], "online");
    for (client, other) in [(&mut a, &bob.id), (&mut phone, &ann.id)] {
        let is_contact = |news: &Value| news["contact"]["status"] == "contact";
        let news = client.expect_where("contact", is_contact).await;
        assert_eq!(news["contact"]["userId"], **other);
    }
    assert_eq!(seen(&mut phone, &ann.id).await, stands("contact", "online"));
}

#[tokio::test]
async fn who_is_removed_sees_nothing_any_more_and_a_call_goes_on() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = befriend(&mut a, &ann, &mut b, &bob).await;
    a.ok(initiate("call-1", &chat)).await;
    b.expect("call:offer").await;
    b.ok(support::answer("call-1", &chat)).await;
    a.ok(about("remove", &bob.id)).await;
    assert_eq!(b.expect("contact:removed").await["userId"], *ann.id);
    assert_eq!(seen(&mut b, &ann.id).await, None);
    b.ok(support::end("call-1", &chat)).await;
    a.expect("call:end").await;
    for (client, call) in [(&mut a, "call-2"), (&mut b, "call-3")] {
        client.fails(initiate(call, &chat), "access-denied").await;
    }
    b.forget();
    a.ok(json!({"type": "presence:set", "status": "away"}))
        .await;
    drop(a);
    let mut back = server.connect(&ann).await;
    assert_eq!(seen(&mut back, &bob.id).await, None);
    b.expect_no("presence").await;
    b.expect_no("contact").await;
}

#[tokio::test]
async fn who_is_blocked_sees_somebody_who_is_offline() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = befriend(&mut a, &ann, &mut b, &bob).await;
    b.forget();
    let blocked = a.ask(about("block", &bob.id)).await;
    assert_eq!(blocked["contact"]["status"], "blocked", "{blocked}");
    let gone = b.expect("presence").await;
    assert_eq!(
        gone,
        json!({"type": "presence", "userId": ann.id, "presence": "offline"}),
        "as if gone, without saying when"
    );
    assert_eq!(seen(&mut b, &ann.id).await, stands("contact", "offline"));
    assert_eq!(seen(&mut a, &bob.id).await, stands("blocked", "offline"));
    b.fails(initiate("call-1", &chat), "user-offline").await;
    a.fails(initiate("call-2", &chat), "access-denied").await;
    a.expect_no("call:offer").await;
    // Whatever either does, the other hears nothing of it.
    a.forget();
    b.forget();
    a.ok(json!({"type": "presence:do-not-disturb", "enabled": true}))
        .await;
    b.ok(json!({"type": "presence:set", "status": "away"}))
        .await;
    b.ok(about("remove", &ann.id)).await;
    b.ask(json!({"type": "contacts:add", "name": "Ann"})).await;
    assert_eq!(seen(&mut b, &ann.id).await, stands("requested", "offline"));
    assert_eq!(seen(&mut a, &bob.id).await, stands("blocked", "offline"));
    for kind in ["presence", "contact", "contact:removed"] {
        a.expect_no(kind).await;
    }
    b.expect_no("presence").await;
    // Only what the two are to each other by then comes back.
    let unblocked = a.ask(about("unblock", &bob.id)).await;
    assert_eq!(unblocked["contact"]["status"], "incoming", "{unblocked}");
    a.ask(about("accept", &bob.id)).await;
    assert_eq!(
        seen(&mut b, &ann.id).await,
        stands("contact", "do-not-disturb")
    );
    assert_eq!(seen(&mut a, &bob.id).await, stands("contact", "away"));
}

#[tokio::test]
async fn a_block_that_ends_shows_both_to_each_other_again() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let chat = befriend(&mut a, &ann, &mut b, &bob).await;
    a.ask(about("block", &bob.id)).await;
    b.forget();
    a.ask(about("unblock", &bob.id)).await;
    let is_back = |news: &Value| news["presence"] == "online";
    b.expect_where("presence", is_back).await;
    assert_eq!(seen(&mut a, &bob.id).await, stands("contact", "online"));
    b.ok(initiate("call-1", &chat)).await;
    a.expect("call:offer").await;
}

#[tokio::test]
async fn contacts_cannot_be_changed_without_end() {
    let server = TestServer::start().await;
    let (mut ann, bob, _) = server.pair("Ann", "Bob").await;
    drop(bob);
    let add = json!({"type": "contacts:add", "name": "Nobody"});
    for _ in 0..59 {
        ann.fails(add.clone(), "unknown-user").await;
    }
    ann.fails(add, "rate-limited").await;
    ann.ask(json!({"type": "contacts:list"})).await;
}
