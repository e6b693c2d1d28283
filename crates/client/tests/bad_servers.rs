//! Servers that are not there, are something else, or talk nonsense.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use support::{PASSWORD, PATIENCE, Person, TestServer, credentials, registration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, tungstenite};
use vireo_call::{
    NoMedia,
    peer::{Peer, PeerConfig, ReceivedMedia},
};
use vireo_client::{Client, ClientError, ClientOptions, ConnectionState, Session};
use vireo_protocol::{
    CallErrorCode, CallId, ChatId, MediaState, ServerMessage, SignedIn, User, UserId, VERSION,
};

#[tokio::test]
async fn wrong_passwords_taken_names_and_bad_ones() {
    let server = TestServer::start().await;
    server.register("Alice").await;
    let sign_in = async |name: &str, password: &str| {
        Client::sign_in(server.url(), credentials(name, password))
            .await
            .err()
    };
    let register = async |name: &str, password: &str| {
        Client::register(server.url(), registration(name, password))
            .await
            .err()
    };
    assert_eq!(
        sign_in("Alice", "a wrong password").await,
        Some(ClientError::WrongPassword)
    );
    assert_eq!(
        sign_in("Nobody", PASSWORD).await,
        Some(ClientError::WrongPassword)
    );
    assert_eq!(
        register("Alice", PASSWORD).await,
        Some(ClientError::NameTaken)
    );
    assert!(matches!(
        register(" Bob", PASSWORD).await,
        Some(ClientError::InvalidCredentials(_))
    ));
    assert!(matches!(
        register("Bob", "short").await,
        Some(ClientError::InvalidCredentials(_))
    ));
}

#[tokio::test]
async fn no_server_or_another_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let other = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let page =
                "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    let outcome = Client::sign_in(&url, credentials("Alice", PASSWORD)).await;
    assert_eq!(outcome.err(), Some(ClientError::NotAVireoServer));
    let client = connect(&url);
    assert_eq!(client.ready().await, Err(ClientError::ServerUnreachable));
    other.abort();
    let _ = other.await;
    let outcome = Client::sign_in(&url, credentials("Alice", PASSWORD)).await;
    assert_eq!(outcome.err(), Some(ClientError::ServerUnreachable));
    let outcome = Client::sign_in("nonsense", credentials("Alice", PASSWORD)).await;
    assert_eq!(
        outcome.err(),
        Some(ClientError::InvalidServer("nonsense".to_owned()))
    );
}

#[tokio::test]
async fn a_token_that_is_not_known_means_signing_in_again() {
    let server = TestServer::start().await;
    let alice = server.register("Alice").await;
    let session = Session::resume(server.url(), alice.user, "made up");
    let client = Client::connect(session, Arc::new(NoMedia), ClientOptions::default());
    assert_eq!(client.ready().await, Err(ClientError::SignedOut));
    assert_eq!(
        client.view().borrow().connection,
        ConnectionState::SignedOut
    );
}

#[tokio::test]
async fn a_server_of_another_version_asks_for_an_update() {
    for reply in [
        r#"{"type":"hello","id":0,"version":999,"user":{"id":"u","name":"Alice"},"iceServers":[],"answerTimeoutSeconds":30}"#,
        r#"{"type":"error","id":0,"code":"version-mismatch","message":"Please update Vireo."}"#,
    ] {
        let (url, server) = fake_server(vec![reply.to_owned()]).await;
        let client = connect(&url);
        assert_eq!(client.ready().await, Err(ClientError::VersionMismatch));
        assert!(
            ClientError::VersionMismatch
                .to_string()
                .contains("Please update")
        );
        server.abort();
    }
}

#[tokio::test]
async fn nonsense_from_the_server_is_left_out_and_nothing_is_lost() {
    let mut lines: Vec<String> = vec![
        r#"{"type":"hello","id":0,"version":2,"user":{"id":"u","name":"Alice"},"iceServers":[{"urls":["stun:"]}],"answerTimeoutSeconds":0}"#.to_owned(),
    ];
    for nonsense in [
        "",
        "null",
        "[]",
        "{",
        r#"{"type":"surprise","id":7}"#,
        r#"{"type":"ok","id":-1}"#,
        r#"{"type":"ok","id":99999}"#,
        r#"{"type":"contacts","id":1,"contacts":"none"}"#,
        r#"{"type":"call:offer","callId":"c"}"#,
        r#"{"type":"call:answer","callId":"c","chatId":"d","answer":{"type":"answer","sdp":""},"mediaState":{"microphone":true,"camera":true}}"#,
        r#"{"type":"call:ice-candidate","callId":"c","chatId":"d","candidate":{"candidate":"candidate:nonsense"}}"#,
        r#"{"type":"call:end","callId":"c","chatId":"d","reason":"hung-up"}"#,
        r#"{"type":"call:error","callId":"c","chatId":"d","code":"unheard-of","message":"?"}"#,
        r#"{"type":"presence","userId":"nobody","presence":"online"}"#,
        r#"{"type":"error","id":null,"code":"internal","message":"Sorry."}"#,
    ] {
        lines.push(nonsense.to_owned());
    }
    lines.push("x".repeat(100_000));
    lines.push(r#"{"type":"contacts","id":1,"contacts":[]}"#.to_owned());
    let (url, server) = fake_server(lines).await;
    let client = connect(&url);
    assert_eq!(client.ready().await, Ok(()));
    assert_eq!(client.view().borrow().me.name, "Alice");
    assert_eq!(client.view().borrow().call, None);
    server.abort();
}

#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    let server = TestServer::start().await;
    let session = server.register("Alice").await;
    let started = server
        .restart(async || {
            let client =
                Client::connect(session.clone(), Arc::new(NoMedia), ClientOptions::default());
            assert_eq!(client.ready().await, Err(ClientError::ServerUnreachable));
            drop(client);
        })
        .await;
    let alice = Person::connect(session).await;
    let started = started
        .restart(async || alice.until_connection(ConnectionState::Unreachable).await)
        .await;
    alice.until_connection(ConnectionState::Online).await;
    drop(started);
}

/// An offer that can be answered.
async fn offer() -> ServerMessage {
    let (events, _news) = mpsc::unbounded_channel();
    let caller = Peer::new(PeerConfig::default(), ReceivedMedia::Reflect, events).await;
    let offer = caller.expect("a peer connection").create_offer().await;
    ServerMessage::CallOffer {
        call_id: CallId("c".to_owned()),
        chat_id: ChatId("chat".to_owned()),
        offer: offer.expect("an offer"),
        caller_id: UserId("b".to_owned()),
        caller_name: "Bob".to_owned(),
        media_state: MediaState::of(true, false),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_refused_is_given_again_or_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = connect(&format!("http://{}", listener.local_addr().expect("bound")));
    let mut server = Greeted::next(&listener).await;
    server.say(&offer().await).await;
    server.hears("call:ringing").await;
    client.accept(false);
    let id = server.hears("call:answer").await;
    let refused = Instant::now();
    server.refuse(id, CallErrorCode::RateLimited, Some(2)).await;
    let id = server.hears("call:answer").await;
    assert!(
        refused.elapsed() >= Duration::from_secs(2),
        "not before it may"
    );
    // It rings on elsewhere until this device says that nothing comes of it.
    server.refuse(id, CallErrorCode::InvalidSdp, None).await;
    let id = server.hears("call:end").await;
    server.refuse(id, CallErrorCode::RateLimited, Some(1)).await;
    server.hears("call:end").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_server_does_not_know_stops_ringing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = connect(&format!("http://{}", listener.local_addr().expect("bound")));
    let mut server = Greeted::next(&listener).await;
    server.say(&offer().await).await;
    let id = server.hears("call:ringing").await;
    server.refuse(id, CallErrorCode::NoSuchCall, None).await;
    let mut view = client.view();
    let stopped = view.wait_for(|view| {
        let call = view.call.as_ref();
        call.is_some_and(|call| call.phase.is_ended())
    });
    let stopped = timeout(PATIENCE, stopped).await;
    stopped.expect("in time").expect("the client is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_down_with_the_connection_is_said_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = connect(&format!("http://{}", listener.local_addr().expect("bound")));
    let mut server = Greeted::next(&listener).await;
    server.say(&offer().await).await;
    server.hears("call:ringing").await;
    client.accept(false);
    server.hears("call:answer").await;
    drop(server);
    let mut server = Greeted::next(&listener).await;
    let id = server.hears("call:answer").await;
    server.say(&ServerMessage::Ok { id }).await;
    client.end();
    server.hears("call:end").await;
    drop(server);
    let mut server = Greeted::next(&listener).await;
    server.hears("call:end").await;
}

#[tokio::test]
async fn a_client_moves_to_another_server_at_once_and_back_when_that_is_gone() {
    let listener = async || TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
    let (home, other) = (listener().await, listener().await);
    let others = vec![url(&other)];
    let _client = connect(&url(&home));
    let server = Greeted::next_with(&home, others.clone()).await;
    drop(server);
    let lost = Instant::now();
    let server = Greeted::next_with(&other, others).await;
    assert!(
        lost.elapsed() < Duration::from_secs(1),
        "{:?}",
        lost.elapsed()
    );
    drop((server, other));
    Greeted::next(&home).await;
}

/// A server's end of a connection, after both have said hello.
struct Greeted(WebSocketStream<TcpStream>);

impl Greeted {
    async fn next(listener: &TcpListener) -> Self {
        Self::next_with(listener, Vec::new()).await
    }

    /// The same, which names these other servers.
    async fn next_with(listener: &TcpListener, servers: Vec<String>) -> Self {
        let accepted = timeout(PATIENCE, listener.accept()).await;
        let (stream, _) = accepted.expect("a client in time").expect("a client");
        let mut server = Self(handshake(stream).await);
        server.hears("hello").await;
        server
            .say(&ServerMessage::Hello {
                id: 0,
                version: VERSION,
                user: User {
                    id: UserId("u".to_owned()),
                    name: "Alice".to_owned(),
                },
                ice_servers: Vec::new(),
                display_name: None,
                avatar: None,
                do_not_disturb: false,
                answer_timeout_seconds: 30,
                servers,
            })
            .await;
        server
    }

    async fn say(&mut self, message: &ServerMessage) {
        let text = serde_json::to_string(message).expect("plain data");
        let sent = self.0.send(tungstenite::Message::text(text)).await;
        sent.expect("the client listens");
    }

    /// Refuses what was asked about the call.
    async fn refuse(&mut self, id: u64, code: CallErrorCode, retry_after_seconds: Option<u32>) {
        self.say(&ServerMessage::CallError {
            id: Some(id),
            call_id: CallId("c".to_owned()),
            chat_id: ChatId("chat".to_owned()),
            code,
            message: code.message().to_owned(),
            retry_after_seconds,
        })
        .await;
    }

    /// Waits for a request of this type; returns its number.
    async fn hears(&mut self, kind: &str) -> u64 {
        let request = async {
            loop {
                let message = self.0.next().await.expect("not closed").expect("no error");
                let Ok(text) = message.to_text() else {
                    continue;
                };
                let request: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
                if request["type"] == kind {
                    return request["id"].as_u64().expect("every request has one");
                }
            }
        };
        let heard = timeout(PATIENCE, request).await;
        heard.unwrap_or_else(|_| panic!("never heard {kind}"))
    }
}

fn connect(url: &str) -> Client {
    let answer = SignedIn {
        access_token: "token".to_owned(),
        refresh_token: "token".to_owned(),
        expires_in_seconds: 600,
        user: User {
            id: UserId("u".to_owned()),
            name: String::new(),
        },
    };
    let session = Session::new(url, answer);
    Client::connect(session, Arc::new(NoMedia), ClientOptions::default())
}

/// A WebSocket server that says these lines to whoever says hello.
async fn fake_server(lines: Vec<String>) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut socket = handshake(stream).await;
            let _ = socket.next().await;
            for line in &lines {
                let _ = socket.send(tungstenite::Message::text(line.clone())).await;
            }
            let _ = socket
                .send(tungstenite::Message::binary(vec![1, 2, 3]))
                .await;
            while let Some(Ok(_)) = socket.next().await {}
        }
    });
    (url, task)
}

#[allow(clippy::result_large_err, reason = "the library's own signature")]
async fn handshake(stream: TcpStream) -> WebSocketStream<TcpStream> {
    use tungstenite::handshake::server::{Request, Response};
    let choose = |_: &Request, mut response: Response| {
        let protocol = vireo_protocol::SUBPROTOCOL.parse().expect("a header value");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    accept_hdr_async(stream, choose).await.expect("a WebSocket")
}
