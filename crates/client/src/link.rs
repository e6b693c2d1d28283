//! The WebSocket to the server, kept up by a task of its own: connect, greet, pass messages, and try again when it breaks.
//!
//! ```text
//!  connecting ──hello──→ online ──lost──→ waiting ──→ connecting …
//!      └── refused (token, version): for good
//! ```

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest as _};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use vireo_protocol::{
    ClientMessage, ErrorCode, IceServer, Request, SUBPROTOCOL, ServerMessage, User, VERSION,
};

use crate::places::Places;
use crate::session::SHOWN_EVERY;
use crate::transport::{Stream, Transport};
use crate::{ClientError, Session, backoff};

/// How long connecting and greeting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often this side asks whether the server is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// After so long without a sign of life the server counts as gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(25);
/// The same where there is reason to doubt it.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How long a message may take to get out.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long saying goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest message that is taken from a server.
const MAX_SERVER_MESSAGE: usize = 4 * 1024 * 1024;
/// With this code the server closes a connection whose session has ended.
const SIGNED_OUT: u16 = 4001;
/// The number of the greeting; further requests count on from it.
pub(crate) const HELLO_ID: u64 = 0;

type Socket = WebSocketStream<Stream>;

/// What the link reports.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// The server has greeted back.
    Online(Greeting),
    /// The server says something.
    Message(ServerMessage),
    /// The connection is gone, or could not be made; it is tried again by itself.
    Offline,
    /// The same, since somebody else answers at the server's address.
    WrongServer,
    /// The server will not have this client (any more); the link has stopped.
    Refused(ClientError),
}

/// What the server's greeting holds.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub user: User,
    pub ice_servers: Vec<IceServer>,
    pub answer_timeout: Duration,
    pub do_not_disturb: bool,
    /// The ETag of the person's own picture.
    pub avatar: Option<String>,
    /// Where else the service is.
    pub servers: Vec<String>,
}

/// The handle of the link's task. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Link {
    outgoing: mpsc::UnboundedSender<Request>,
    doubt: Arc<Notify>,
    /// What happens, in order.
    pub events: mpsc::UnboundedReceiver<LinkEvent>,
    task: JoinHandle<()>,
}

impl Link {
    pub fn start(session: Session) -> Self {
        let (outgoing, requests) = mpsc::unbounded_channel();
        let (report, events) = mpsc::unbounded_channel();
        let doubt = Arc::<Notify>::default();
        let task = tokio::spawn(keep_up(session, requests, doubt.clone(), report));
        Self {
            outgoing,
            doubt,
            events,
            task,
        }
    }

    /// Sends a request. One that is sent while there is no connection is dropped; the caller learns of it by
    /// [`LinkEvent::Offline`].
    pub fn send(&self, request: Request) {
        // The task only ends when it was refused, and says so.
        let _ = self.outgoing.send(request);
    }

    /// There is reason to doubt that the server can still be reached: if it does not answer soon, the connection is made anew.
    pub fn probe(&self) {
        self.doubt.notify_one();
    }

    /// Closes the connection once everything that was sent is out.
    pub async fn close(self) {
        drop(self.outgoing);
        let mut task = self.task;
        if timeout(CLOSE_TIMEOUT, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn keep_up(
    session: Session,
    mut requests: mpsc::UnboundedReceiver<Request>,
    doubt: Arc<Notify>,
    report: mpsc::UnboundedSender<LinkEvent>,
) {
    let mut places = Places::new(session.server.clone());
    let mut lost = Lost::now();
    loop {
        let mut why = LinkEvent::Offline;
        let connected = timeout(CONNECT_TIMEOUT, connect(&session, places.current())).await;
        match connected.unwrap_or(Err(ClientError::ServerUnreachable)) {
            Ok((socket, greeting)) => {
                places.learn(&greeting.servers);
                if report.send(LinkEvent::Online(greeting)).is_err() {
                    return;
                }
                match pass(socket, &session, &mut requests, &doubt, &report).await {
                    Broken::Lost => {}
                    Broken::SignedOut => {
                        let _ = report.send(LinkEvent::Refused(ClientError::SignedOut));
                        return;
                    }
                    Broken::Closed => return,
                }
                lost = Lost::now();
            }
            Err(refused @ (ClientError::SignedOut | ClientError::VersionMismatch)) => {
                let _ = report.send(LinkEvent::Refused(refused));
                return;
            }
            Err(ClientError::WrongServer) => why = LinkEvent::WrongServer,
            Err(error) => tracing::debug!(%error, "no connection to the server"),
        }
        if report.send(why).is_err() {
            return;
        }
        places.next();
        if !pause(lost.wait(), &mut requests).await {
            return;
        }
    }
}

/// Since when there is no connection, and how often it has been tried since then.
struct Lost {
    at: Instant,
    tries: u32,
}

impl Lost {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            tries: 0,
        }
    }

    /// How long to wait before the next try.
    fn wait(&mut self) -> Duration {
        let wait = backoff::wait(self.tries, self.at.elapsed(), rand::random());
        self.tries = self.tries.saturating_add(1);
        wait
    }
}

/// Waits, and drops what is sent meanwhile. False when the client is gone.
async fn pause(wait: Duration, requests: &mut mpsc::UnboundedReceiver<Request>) -> bool {
    let end = sleep(wait);
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return true,
            request = requests.recv() => if request.is_none() { return false },
        }
    }
}

/// Connects with the access token there is, and once more with another one where the server does not take that.
async fn connect(session: &Session, server: &str) -> Result<(Socket, Greeting), ClientError> {
    let transport = Transport::to(server)?;
    let token = session.access_token().await?;
    match connect_with(&transport, &token).await {
        Err(ClientError::SignedOut) => {
            let token = session.access_token_after(&token).await?;
            connect_with(&transport, &token).await
        }
        connected => connected,
    }
}

async fn connect_with(
    transport: &Transport,
    token: &str,
) -> Result<(Socket, Greeting), ClientError> {
    let mut url = transport.url("api/ws");
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme)
        .expect("both schemes are of the same kind");
    let mut handshake = url
        .as_str()
        .into_client_request()
        .map_err(|_| ClientError::ServerUnreachable)?;
    let token = format!("Bearer {token}");
    let headers = handshake.headers_mut();
    headers.insert(
        header::AUTHORIZATION,
        token.parse().map_err(|_| ClientError::SignedOut)?,
    );
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        header::HeaderValue::from_static(SUBPROTOCOL),
    );
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_SERVER_MESSAGE))
        .max_frame_size(Some(MAX_SERVER_MESSAGE));
    let stream = transport.connect().await?;
    let (mut socket, _) = client_async_with_config(handshake, stream, Some(config))
        .await
        .map_err(refusal)?;
    let greeting = greet(&mut socket).await?;
    Ok((socket, greeting))
}

fn refusal(error: tungstenite::Error) -> ClientError {
    match error {
        tungstenite::Error::Http(response) if response.status() == StatusCode::UNAUTHORIZED => {
            ClientError::SignedOut
        }
        tungstenite::Error::Http(_) | tungstenite::Error::Protocol(_) => {
            ClientError::NotAVireoServer
        }
        _ => ClientError::ServerUnreachable,
    }
}

async fn greet(socket: &mut Socket) -> Result<Greeting, ClientError> {
    let hello = ClientMessage::Hello {
        version: VERSION,
        client: concat!("vireo/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    send(
        socket,
        &Request {
            id: HELLO_ID,
            message: hello,
        },
    )
    .await?;
    while let Some(Ok(message)) = socket.next().await {
        match parse(&message) {
            Some(ServerMessage::Hello { version, .. }) if version != VERSION => {
                return Err(ClientError::VersionMismatch);
            }
            Some(ServerMessage::Hello {
                user,
                ice_servers,
                answer_timeout_seconds,
                do_not_disturb,
                servers,
                avatar,
                ..
            }) => {
                return Ok(Greeting {
                    user,
                    ice_servers,
                    answer_timeout: Duration::from_secs(answer_timeout_seconds.into()),
                    do_not_disturb,
                    avatar,
                    servers,
                });
            }
            Some(ServerMessage::Error { code, message, .. }) => {
                return Err(match code {
                    ErrorCode::VersionMismatch => ClientError::VersionMismatch,
                    ErrorCode::Unauthorized => ClientError::SignedOut,
                    _ => ClientError::Refused(message),
                });
            }
            // News may overtake the greeting; it comes again with the lists that are asked for afterwards.
            _ => {}
        }
    }
    Err(ClientError::ServerUnreachable)
}

/// How a connection ended.
enum Broken {
    /// It is to be made again.
    Lost,
    /// The session has ended.
    SignedOut,
    /// The client is gone.
    Closed,
}

/// Passes messages both ways until the connection breaks.
async fn pass(
    mut socket: Socket,
    session: &Session,
    requests: &mut mpsc::UnboundedReceiver<Request>,
    doubt: &Notify,
    report: &mpsc::UnboundedSender<LinkEvent>,
) -> Broken {
    let mut ping = interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    let mut doubted: Option<Instant> = None;
    let shown = show_now_and_then(session);
    tokio::pin!(shown);
    loop {
        tokio::select! {
            message = socket.next() => {
                let message = match message {
                    Some(Ok(Message::Close(Some(frame)))) if frame.code == SIGNED_OUT.into() => {
                        return Broken::SignedOut;
                    }
                    Some(Ok(message)) => message,
                    Some(Err(_)) | None => return Broken::Lost,
                };
                heard = Instant::now();
                doubted = None;
                if let Some(message) = parse(&message)
                    && report.send(LinkEvent::Message(message)).is_err()
                {
                    return Broken::Closed;
                }
            }
            request = requests.recv() => {
                let Some(request) = request else {
                    let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                    return Broken::Closed;
                };
                if send(&mut socket, &request).await.is_err() {
                    return Broken::Lost;
                }
            }
            _ = ping.tick() => {
                let silent = heard.elapsed() > SILENCE_LIMIT;
                if silent || socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return Broken::Lost;
                }
            }
            () = doubt.notified(), if doubted.is_none() => {
                if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return Broken::Lost;
                }
                doubted = Some(Instant::now());
            }
            () = sleep_until(doubted.unwrap_or(heard) + PROBE_LIMIT), if doubted.is_some() => {
                return Broken::Lost;
            }
            () = &mut shown => {}
        }
    }
}

/// Shows the server every day that the session is still in use.
async fn show_now_and_then(session: &Session) {
    loop {
        sleep(SHOWN_EVERY).await;
        if let Err(error) = session.renew().await {
            tracing::debug!(%error, "the session could not be renewed");
        }
    }
}

async fn send(socket: &mut Socket, request: &Request) -> Result<(), ClientError> {
    let text = serde_json::to_string(request).expect("messages are plain data");
    match timeout(SEND_TIMEOUT, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(ClientError::ServerUnreachable),
    }
}

/// A message of the server's. What cannot be read is left out: a newer server may say more than this client understands.
fn parse(message: &Message) -> Option<ServerMessage> {
    let Message::Text(text) = message else {
        return None;
    };
    serde_json::from_str(text)
        .inspect_err(|error| tracing::debug!(%error, "a message that cannot be read"))
        .ok()
}
