//! A server in this process, and clients that talk to it through real sockets.
#![allow(dead_code, missing_docs, reason = "each test file uses a part of it")]

#[cfg(unix)]
pub mod process;
#[cfg(target_os = "linux")]
pub mod router;
pub mod tls;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use vireo_server::{Config, Running, Server};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Nothing here takes longer, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub const PASSWORD: &str = "correct horse";

pub const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
    a=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n";

/// On PostgreSQL where the environment says so: every test then runs on both kinds of database.
pub struct TestServer {
    pub running: Running,
    #[cfg(unix)]
    pub postgres: Option<vireo_testing::Postgres>,
    pub data: tempfile::TempDir,
    /// Where the database is, as `sqlx` writes it.
    pub database: String,
    pub http: reqwest::Client,
}

/// A PostgreSQL of this test's own, where the environment asks for one.
#[cfg(unix)]
fn postgres_where_asked() -> Option<vireo_testing::Postgres> {
    use vireo_testing::{Durability, Postgres};
    let asked = std::env::var_os("VIREO_TEST_DATABASE").is_some_and(|kind| kind == "postgres");
    asked.then(|| Postgres::start(Durability::ProcessOnly).expect("PostgreSQL"))
}

/// A person who has signed in.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub token: String,
    pub refresh_token: String,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut config = Config::new(data.path());
        config.listen[0].set_port(0);
        config.open_registration = true;
        let mut database = format!("sqlite:{}", data.path().join("vireo.sqlite").display());
        #[cfg(unix)]
        let postgres = postgres_where_asked();
        #[cfg(unix)]
        if let Some(postgres) = &postgres {
            let address = postgres.database().expect("made");
            database = address.clone();
            config.database = Some(address.parse().expect("an address"));
        }
        change(&mut config);
        let running = Server::start(config).await.expect("started");
        let http = reqwest::Client::new();
        Self {
            running,
            #[cfg(unix)]
            postgres,
            data,
            database,
            http,
        }
    }

    /// Changes something in the database behind the server's back.
    pub async fn change_database(&self, query: &'static str) {
        use sqlx::Connection;
        sqlx::any::install_default_drivers();
        let connection = sqlx::AnyConnection::connect(&self.database).await;
        let mut connection = connection.expect("opened");
        let changed = sqlx::query(query).execute(&mut connection).await;
        changed.expect("changed");
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    pub fn ws_url(&self) -> String {
        self.url("/api/ws").replacen("http", "ws", 1)
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let response = self.http.post(self.url(path)).json(body).send().await;
        let response = response.expect("answered");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    /// Asks with this access token. Returns the status, and the body where there is one.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, self.url(path));
        request = request.bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("answered");
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub async fn register(&self, name: &str) -> Person {
        let body = json!({"name": name, "password": PASSWORD});
        let (status, answer) = self.post("/api/register", &body).await;
        assert_eq!(status, 201, "{answer}");
        Person {
            id: text(&answer["user"]["id"]),
            name: name.to_owned(),
            token: text(&answer["accessToken"]),
            refresh_token: text(&answer["refreshToken"]),
        }
    }

    /// Opens a WebSocket without saying hello.
    pub async fn open(&self, token: &str) -> Result<Client, tungstenite::Error> {
        Client::open(&self.url(""), token).await
    }

    pub async fn connect(&self, person: &Person) -> Client {
        let mut client = self.open(&person.token).await.expect("connected");
        client.greet().await;
        client
    }

    /// Makes two people contacts, connects both, and returns them with their chat.
    pub async fn pair(&self, one: &str, other: &str) -> (Client, Client, String) {
        let (one, other) = (self.register(one).await, self.register(other).await);
        let mut a = self.connect(&one).await;
        let mut b = self.connect(&other).await;
        let chat = befriend(&mut a, &one, &mut b, &other).await;
        (a, b, chat)
    }
}

/// Makes two connected people contacts. Returns their chat.
pub async fn befriend(a: &mut Client, one: &Person, b: &mut Client, other: &Person) -> String {
    let requested = a
        .ask(json!({"type": "contacts:add", "name": other.name}))
        .await;
    assert_eq!(requested["contact"]["status"], "requested", "{requested}");
    let made = b
        .ask(json!({"type": "contacts:add", "name": one.name}))
        .await;
    assert_eq!(made["contact"]["status"], "contact", "{made}");
    a.expect_where("contact", |news| news["contact"]["status"] == "contact")
        .await;
    b.expect_where("contact", |news| news["contact"]["status"] == "contact")
        .await;
    text(&made["contact"]["chatId"])
}

/// One connection.
pub struct Client {
    pub socket: Socket,
    next_id: u64,
    /// News that came while something else was waited for.
    news: Vec<Value>,
}

impl Client {
    /// Opens a WebSocket to the server at this address without saying hello.
    pub async fn open(url: &str, token: &str) -> Result<Self, tungstenite::Error> {
        Self::open_as(url, token, None).await
    }

    /// The same as a client does that knows the server by this host.
    pub async fn open_as(
        url: &str,
        token: &str,
        host: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let url = format!("{}/api/ws", url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a URL");
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert("authorization", value);
        if let Some(host) = host {
            let host = host.parse().expect("a header");
            request.headers_mut().insert("host", host);
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self {
            socket,
            next_id: 100,
            news: Vec::new(),
        })
    }

    pub async fn greet(&mut self) {
        let hello = json!({"type": "hello", "version": 2, "client": "test"});
        let hello = self.ask(hello).await;
        assert_eq!(hello["type"], "hello", "{hello}");
    }

    /// Sends a request and waits for its reply.
    pub async fn ask(&mut self, mut message: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        message["id"] = json!(id);
        self.send(&message.to_string()).await;
        loop {
            let reply = self.read().await.expect("a reply");
            match reply["id"] == id {
                true => return reply,
                false => self.news.push(reply),
            }
        }
    }

    /// Sends a request that has to succeed without more to say.
    pub async fn ok(&mut self, message: Value) {
        let reply = self.ask(message).await;
        assert_eq!(reply["type"], "ok", "{reply}");
    }

    /// Sends a request that has to fail with this code.
    pub async fn fails(&mut self, message: Value, code: &str) -> Value {
        let reply = self.ask(message).await;
        assert_eq!(reply["code"], code, "{reply}");
        assert!(!text(&reply["message"]).is_empty());
        reply
    }

    pub async fn send(&mut self, text: &str) {
        let sent = self.socket.send(Message::text(text)).await;
        sent.expect("sent");
    }

    /// The next message of this type, whatever else comes before it.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |_| true).await
    }

    pub async fn expect_where(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wanted = |news: &Value| news["type"] == kind && fits(news);
        if let Some(at) = self.news.iter().position(wanted) {
            return self.news.remove(at);
        }
        loop {
            let news = self
                .read()
                .await
                .unwrap_or_else(|| panic!("closed before {kind}"));
            match wanted(&news) {
                true => return news,
                false => self.news.push(news),
            }
        }
    }

    /// Whatever has come so far was not what is waited for.
    pub fn forget(&mut self) {
        self.news.clear();
    }

    /// Makes sure that nothing of this type has come. The server handles what one connection asks in order, so the
    /// reply to one more question comes after everything that was on its way before it.
    pub async fn expect_no(&mut self, kind: &str) {
        self.ask(json!({"type": "contacts:list"})).await;
        let unwanted = self.news.iter().find(|news| news["type"] == kind);
        assert_eq!(unwanted, None);
    }

    /// The next message; nothing when the connection is closed.
    pub async fn read(&mut self) -> Option<Value> {
        let by = tokio::time::Instant::now() + PATIENCE;
        loop {
            let message = tokio::time::timeout_at(by, self.socket.next()).await;
            match message.expect("the server says something in time") {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Waits until the server closes the connection. Returns the code it gives.
    pub async fn closed(&mut self) -> Option<u16> {
        let by = tokio::time::Instant::now() + PATIENCE;
        loop {
            let message = tokio::time::timeout_at(by, self.socket.next()).await;
            match message.expect("the server closes in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub fn initiate(call: &str, chat: &str) -> Value {
    json!({
        "type": "call:initiate", "callId": call, "chatId": chat,
        "offer": {"type": "offer", "sdp": SDP},
        "mediaState": {"microphone": true, "camera": true},
    })
}

pub fn answer(call: &str, chat: &str) -> Value {
    json!({
        "type": "call:answer", "callId": call, "chatId": chat,
        "answer": {"type": "answer", "sdp": SDP},
        "mediaState": {"microphone": true, "camera": false},
    })
}

pub fn candidate(call: &str, chat: &str, line: &str) -> Value {
    json!({
        "type": "call:ice-candidate", "callId": call, "chatId": chat,
        "candidate": {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": null},
    })
}

pub fn about(kind: &str, call: &str, chat: &str) -> Value {
    json!({"type": kind, "callId": call, "chatId": chat})
}

pub fn end(call: &str, chat: &str) -> Value {
    json!({"type": "call:end", "callId": call, "chatId": chat, "reason": "hung-up"})
}

pub const CANDIDATE: &str = "candidate:1 1 UDP 2130706431 127.0.0.1 54321 typ host";
