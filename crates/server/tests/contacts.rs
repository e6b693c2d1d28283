//! Adding people, and seeing who is there.

mod support;

use serde_json::{Value, json};
use support::{TestServer, befriend, text};

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let contacts = list["contacts"].as_array().expect("a list");
    let found = contacts.iter().find(|contact| contact["name"] == name);
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn two_who_add_each_other_become_contacts() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let requested = a.ask(json!({"type": "contacts:add", "name": "bob"})).await;
    assert_eq!(requested["contact"]["status"], "requested");
    assert_eq!(requested["contact"]["chatId"], Value::Null);
    assert_eq!(
        requested["contact"]["presence"], "offline",
        "not before both agree"
    );
    let incoming = b.expect("contact").await;
    assert_eq!(incoming["contact"]["status"], "incoming");
    assert_eq!(incoming["contact"]["name"], "Ann");
    let again = a.ask(json!({"type": "contacts:add", "name": "Bob"})).await;
    assert_eq!(
        again["contact"]["status"], "requested",
        "twice changes nothing"
    );
    let made = b.ask(json!({"type": "contacts:add", "name": "Ann"})).await;
    assert_eq!(made["contact"]["status"], "contact");
    assert_eq!(made["contact"]["presence"], "online");
    let news = a
        .expect_where("contact", |news| news["contact"]["status"] == "contact")
        .await;
    assert_eq!(news["contact"]["chatId"], made["contact"]["chatId"]);
    let list = a.ask(json!({"type": "contacts:list"})).await;
    assert_eq!(named(&list, "Bob")["chatId"], made["contact"]["chatId"]);
    assert_eq!(named(&list, "Bob")["presence"], "online");
}

#[tokio::test]
async fn nobody_and_oneself_cannot_be_added() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut a = server.connect(&ann).await;
    a.fails(
        json!({"type": "contacts:add", "name": "Nobody"}),
        "unknown-user",
    )
    .await;
    a.fails(json!({"type": "contacts:add", "name": ""}), "unknown-user")
        .await;
    a.fails(json!({"type": "contacts:add", "name": "ANN"}), "own-name")
        .await;
}

#[tokio::test]
async fn presence_is_for_contacts_and_for_the_last_device() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.register("Ann").await, server.register("Bob").await);
    let eve = server.register("Eve").await;
    let mut a = server.connect(&ann).await;
    let mut b = server.connect(&bob).await;
    let mut e = server.connect(&eve).await;
    e.ask(json!({"type": "contacts:add", "name": "Bob"})).await; // Bob has not added Eve.
    befriend(&mut a, &ann, &mut b, &bob).await;
    a.forget();
    let mut second = server.connect(&bob).await;
    drop(b);
    second.ask(json!({"type": "contacts:list"})).await;
    drop(second);
    let gone = a.expect("presence").await;
    assert_eq!(
        (text(&gone["userId"]), &gone["presence"]),
        (bob.id.clone(), &json!("offline"))
    );
    let list = a.ask(json!({"type": "contacts:list"})).await;
    assert_eq!(named(&list, "Bob")["presence"], "offline");
    let _back = server.connect(&bob).await;
    let back = a.expect("presence").await;
    assert_eq!(back["presence"], "online");
    e.expect_no("presence").await;
    let list = e.ask(json!({"type": "contacts:list"})).await;
    assert_eq!(named(&list, "Bob")["presence"], "offline");
}

#[tokio::test]
async fn the_echo_test_is_in_every_list() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut a = server.connect(&ann).await;
    let list = a.ask(json!({"type": "contacts:list"})).await;
    let echo = named(&list, "Echo test");
    assert_eq!(echo["service"], true);
    assert_eq!(echo["status"], "contact");
    assert_eq!(echo["presence"], "offline");
    let chat = text(&echo["chatId"]);
    assert!(!chat.is_empty());
    let again = a.ask(json!({"type": "contacts:list"})).await;
    assert_eq!(text(&named(&again, "Echo test")["chatId"]), chat);
    a.fails(support::initiate("call-1", &chat), "user-offline")
        .await;
    let token = server.running.service_token().await.expect("a token");
    let (_, session) = server
        .post("/api/refresh", &json!({"refreshToken": token}))
        .await;
    let token = text(&session["accessToken"]);
    let mut service = server.open(&token).await.expect("connected");
    service
        .ask(json!({"type": "hello", "version": 2, "client": "echo"}))
        .await;
    assert_eq!(a.expect("presence").await["presence"], "online");
    a.ok(support::initiate("call-2", &chat)).await;
    assert_eq!(service.expect("call:offer").await["callerName"], "Ann");
    let bob = server.register("Bob").await;
    let mut b = server.connect(&bob).await;
    let list = b.ask(json!({"type": "contacts:list"})).await;
    let chat = text(&named(&list, "Echo test")["chatId"]);
    assert_eq!(named(&list, "Echo test")["presence"], "online");
    b.ok(support::initiate("call-3", &chat)).await;
    assert_eq!(
        service.expect("call:offer").await["callerName"],
        "Bob",
        "a service is never busy"
    );
}
