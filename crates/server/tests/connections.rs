//! What a connection may send, and when it is closed.

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{TestServer, initiate};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

async fn greeted(server: &TestServer, name: &str) -> support::Client {
    let person = server.register(name).await;
    server.connect(&person).await
}

#[tokio::test]
async fn unreadable_messages_are_answered_and_harm_nobody() {
    let server = TestServer::start().await;
    let (mut ann, mut bob, chat) = server.pair("Ann", "Bob").await;
    ann.ok(initiate("call-1", &chat)).await;
    for (sent, id, code) in [
        ("nonsense".to_owned(), Value::Null, "invalid-message"),
        ("{}".to_owned(), Value::Null, "invalid-message"),
        ("[1]".to_owned(), Value::Null, "invalid-message"),
        (
            r#"{"type":"contacts:list"}"#.to_owned(),
            Value::Null,
            "invalid-message",
        ),
        (r#"{"id":7}"#.to_owned(), json!(7), "invalid-message"),
        (
            r#"{"id":7,"type":"call:dance"}"#.to_owned(),
            json!(7),
            "unknown-type",
        ),
        (
            r#"{"id":7,"type":"call:end","callId":"x"}"#.to_owned(),
            json!(7),
            "invalid-message",
        ),
        (
            r#"{"id":7,"type":"hello","version":2,"client":"x"}"#.to_owned(),
            json!(7),
            "unexpected-hello",
        ),
        (
            format!(
                r#"{{"id":7,"type":"contacts:add","name":"{}"}}"#,
                "x".repeat(70_000)
            ),
            json!(7),
            "message-too-large",
        ),
    ] {
        ann.send(&sent).await;
        let error = ann.expect("error").await;
        assert_eq!(
            (&error["id"], &error["code"]),
            (&id, &json!(code)),
            "{error}"
        );
    }
    ann.socket.feed_binary().await;
    assert_eq!(ann.expect("error").await["code"], "invalid-message");
    bob.ok(support::answer("call-1", &chat)).await;
    ann.expect("call:answer").await;
    bob.expect_no("call:end").await;
}

trait FeedBinary {
    async fn feed_binary(&mut self);
}

impl FeedBinary for support::Socket {
    async fn feed_binary(&mut self) {
        use futures_util::SinkExt;
        self.send(Message::binary(vec![0, 1, 2]))
            .await
            .expect("sent");
    }
}

#[tokio::test]
async fn a_message_far_too_long_closes_the_connection() {
    let server = TestServer::start().await;
    let mut ann = greeted(&server, "Ann").await;
    let mut bob = greeted(&server, "Bob").await;
    use futures_util::SinkExt;
    // The server may close before everything has been taken.
    let _ = ann.socket.send(Message::text("x".repeat(1_000_000))).await;
    let code = ann.closed().await;
    assert!(matches!(code, Some(1009) | None), "{code:?}");
    bob.ask(json!({"type": "contacts:list"})).await;
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_connection_which_says_why() {
    use tokio::io::AsyncWriteExt;
    let server = TestServer::start().await;
    let person = server.register("Ann").await;
    for (bytes, code) in [
        // A text of ten bytes, up to the first wrong one.
        (&b"\x81\x8a\0\0\0\0a\xff"[..], 1007),
        // A text that ends within a character.
        (b"\x81\x82\0\0\0\0\xe2\x82", 1007),
        // A reserved bit.
        (b"\xc1\x80\0\0\0\0", 1002),
        // Without a mask.
        (b"\x81\x01a", 1002),
        // A length of 1 MB.
        (b"\x81\xff\0\0\0\0\0\x10\0\0\0\0\0\0", 1009),
    ] {
        let mut ann = server.connect(&person).await;
        let sent = ann.socket.get_mut().write_all(bytes).await;
        sent.expect("sent");
        assert_eq!(ann.closed().await, Some(code), "{bytes:x?}");
    }
}

#[tokio::test]
async fn hello_comes_first_and_fits() {
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let mut client = server.open(&ann.token).await.expect("connected");
    client
        .fails(json!({"type": "contacts:list"}), "unexpected-hello")
        .await;
    let hello = json!({"type": "hello", "version": 1, "client": "test"});
    let error = client.fails(hello, "version-mismatch").await;
    assert!(
        support::text(&error["message"]).contains("update"),
        "{error}"
    );
    assert_eq!(client.closed().await, Some(1008));
}

#[tokio::test]
async fn a_flood_is_slowed_down_and_then_ended() {
    let server = TestServer::start().await;
    let mut ann = greeted(&server, "Ann").await;
    let mut bob = greeted(&server, "Bob").await;
    use futures_util::SinkExt;
    for id in 0..1000 {
        let message = json!({"id": id, "type": "contacts:add", "name": ""}).to_string();
        if ann.socket.feed(Message::text(message)).await.is_err() {
            break;
        }
    }
    let _ = ann.socket.flush().await;
    ann.expect_where("error", |error| error["code"] == "rate-limited")
        .await;
    bob.ask(json!({"type": "contacts:list"})).await;
    for _ in 0..20 {
        for _ in 0..1000 {
            if ann.socket.feed(Message::text("nonsense")).await.is_err() {
                break;
            }
        }
        if ann.socket.flush().await.is_err() {
            break;
        }
    }
    let code = ann.closed().await;
    assert!(matches!(code, Some(1008) | None), "{code:?}");
    bob.ask(json!({"type": "contacts:list"})).await;
}

#[tokio::test]
async fn calls_are_rate_limited_in_their_own_words() {
    let server = TestServer::start().await;
    let (mut ann, _bob, chat) = server.pair("Ann", "Bob").await;
    use futures_util::SinkExt;
    for id in 0..1000 {
        let message =
            json!({"id": id, "type": "call:ringing", "callId": "x", "chatId": chat}).to_string();
        ann.socket.feed(Message::text(message)).await.expect("sent");
    }
    ann.socket.flush().await.expect("sent");
    let error = ann
        .expect_where("call:error", |error| error["code"] == "rate-limited")
        .await;
    assert_eq!(error["callId"], "x");
}

#[tokio::test]
async fn a_goodbye_is_answered_at_once() {
    let server = TestServer::start().await;
    let mut ann = greeted(&server, "Ann").await;
    let goodbye = CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    };
    ann.socket.close(Some(goodbye)).await.expect("sent");
    // A server that forgets about it gives up after ten seconds.
    let answered = tokio::time::timeout(Duration::from_secs(5), ann.closed()).await;
    assert_eq!(answered, Ok(Some(1000)));
    let ended = tokio::time::timeout(Duration::from_secs(5), ann.closed()).await;
    assert_eq!(ended, Ok(None), "the connection is closed as well");
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let server = TestServer::start().await;
    let mut ann = greeted(&server, "Ann").await;
    let TestServer { running, data, .. } = server;
    let (code, ()) = tokio::join!(ann.closed(), running.shutdown());
    assert_eq!(code, Some(1012));
    drop(data);
}
