//! A WebSocket from its handshake to its end. What the messages mean is the session's matter.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use vireo_protocol::{
    ErrorCode, MAX_MESSAGE_BYTES, SUBPROTOCOL, ServerMessage, TOKEN_SUBPROTOCOL_PREFIX,
};

use crate::queue::queue;
use crate::refusal::Refusal;
use crate::secrets::token_hash;
use crate::session::{Next, Session};
use crate::state::AppState;
use crate::store::Account;

/// A message longer than [`MAX_MESSAGE_BYTES`] gets an answer that says so; one longer than this is not even read.
const MAX_READ_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// The default of 128 KB for each connection would be most of what an idle one costs.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A connection that does not say hello by then is closed.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// A connection that has said nothing, not even a pong, for so long is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(25);

/// A single message that cannot be handed to the network for so long: nobody reads at the other end.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the server closes a connection: a code of RFC 6455 §7.4 and a sentence.
pub type Close = (u16, &'static str);

/// `GET /api/ws`: who brings a valid token gets a WebSocket.
pub async fn upgrade(
    State(state): State<AppState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let upgrade = upgrade?;
    let refused = || {
        let message = "Please sign in again.";
        Refusal::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
    };
    let token = token(&headers).ok_or_else(refused)?;
    let account = state.store.account_by_token(&token_hash(token)).await?;
    let account = account.ok_or_else(refused)?;
    let tasks = state.connections.clone();
    Ok(upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .on_upgrade(move |socket| tasks.track_future(serve(socket, state, account))))
}

/// The token, from `Authorization: Bearer` or, where a browser cannot set that, from the subprotocols.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(authorization) = headers.get(AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim());
    }
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TOKEN_SUBPROTOCOL_PREFIX))
}

async fn serve(socket: WebSocket, state: AppState, account: Account) {
    let (sink, stream) = socket.split();
    let (queue, messages, overflow) = queue();
    let (close, closed) = oneshot::channel();
    let stopping = state.stopping.clone();
    let mut writer = tokio::spawn(write(sink, messages, closed));
    let mut session = Session::new(state, account, queue);
    let reason: Option<Close> = tokio::select! {
        reason = read(stream, &mut session) => reason,
        () = overflow.cancelled() => Some((close_code::POLICY, "You do not read your messages.")),
        () = stopping.cancelled() => Some((close_code::RESTART, "The server is stopping.")),
        _ = &mut writer => None,
    };
    session.end().await;
    drop(session);
    match reason {
        Some(reason) => drop(close.send(reason)),
        // The writer must not wait for a reason: the client's own goodbye is to be answered.
        None => drop(close),
    }
    if !writer.is_finished() && timeout(SEND_TIMEOUT, &mut writer).await.is_err() {
        writer.abort();
    }
}

/// Reads until the connection ends. Returns what to close it with, when it is for the server to close it.
async fn read<E>(
    mut stream: impl Stream<Item = Result<Message, E>> + Unpin,
    session: &mut Session,
) -> Option<Close> {
    let hello_by = Instant::now() + HELLO_TIMEOUT;
    loop {
        let mut by = Instant::now() + SILENCE_TIMEOUT;
        if !session.has_greeted() {
            by = by.min(hello_by);
        }
        let message = match timeout_at(by, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(_))) => return Some((close_code::SIZE, "Too long, or not a WebSocket.")),
            Ok(None) => return None,
            Err(_) if session.has_greeted() => return None,
            Err(_) => return Some((close_code::POLICY, "You did not say hello.")),
        };
        let next = match message {
            Message::Text(text) => session.text(text.as_str()).await,
            Message::Binary(_) => session.binary(),
            Message::Ping(_) | Message::Pong(_) => Next::Continue,
            Message::Close(_) => return None,
        };
        match next {
            Next::Continue => {}
            Next::Close(close) => return Some(close),
        }
    }
}

/// Writes what the queue holds, and pings, until the queue or the connection ends.
async fn write(
    mut sink: impl Sink<Message> + Unpin,
    mut messages: mpsc::Receiver<ServerMessage>,
    closed: oneshot::Receiver<Close>,
) {
    let mut ping = tokio::time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
    loop {
        let frame = tokio::select! {
            message = messages.recv() => match message {
                Some(message) => text(&message),
                None => break,
            },
            _ = ping.tick() => Message::Ping(Default::default()),
        };
        match timeout(SEND_TIMEOUT, sink.send(frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    if let Ok((code, reason)) = closed.await {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let _ = sink.send(Message::Close(Some(frame))).await;
    }
    let _ = sink.close().await;
}

fn text(message: &ServerMessage) -> Message {
    let json = serde_json::to_string(message).expect("messages have string keys only");
    Message::Text(json.into())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use vireo_protocol::{User, UserId};

    use super::*;
    use crate::ice::IceConfig;
    use crate::store::{Database, Store};

    type Never = stream::Pending<Result<Message, Infallible>>;

    /// A session over a database of its own. Time may be paused once this has returned.
    async fn session(directory: &std::path::Path) -> Session {
        let store = Store::open(&Database::Sqlite(directory.join("test.sqlite"))).await;
        let timeout = Duration::from_secs(30);
        let state = AppState::new(store.expect("opened"), true, timeout, IceConfig::default());
        let user = User {
            id: UserId("ann".into()),
            name: "Ann".into(),
        };
        let account = Account {
            user,
            service: false,
        };
        Session::new(state, account, queue().0)
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut session = session(directory.path()).await;
        tokio::time::pause();
        let start = Instant::now();
        let silent: Never = stream::pending();
        let close = read(silent, &mut session).await;
        assert_eq!(close.map(|(code, _)| code), Some(close_code::POLICY));
        assert_eq!(start.elapsed().as_secs(), HELLO_TIMEOUT.as_secs());
    }

    #[tokio::test]
    async fn a_dead_peer_is_found_within_half_a_minute() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut session = session(directory.path()).await;
        let hello = r#"{"id":1,"type":"hello","version":2,"client":"test"}"#;
        assert_eq!(session.text(hello).await, Next::Continue);
        tokio::time::pause();
        let start = Instant::now();
        // One pong comes after 20 s, and then nothing any more.
        let pong = stream::once(Box::pin(async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            Ok(Message::Pong(Default::default()))
        }));
        let silent: Never = stream::pending();
        assert_eq!(read(pong.chain(silent), &mut session).await, None);
        assert_eq!(start.elapsed().as_secs(), 20 + SILENCE_TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn pings_go_out_and_a_reader_that_is_stuck_is_given_up() {
        // Takes two frames and is then full for ever.
        let sink = futures_util::sink::unfold(0, |taken, frame| async move {
            assert!(matches!(frame, Message::Ping(_)));
            match taken {
                0 | 1 => Ok::<_, Infallible>(taken + 1),
                _ => std::future::pending().await,
            }
        });
        let (queue, messages, _) = queue();
        let (_close, closed) = oneshot::channel();
        let start = Instant::now();
        write(Box::pin(sink), messages, closed).await;
        // Pings after 10 and 20 s are taken; the one after 30 s is waited for until the time-out.
        let expected = PING_INTERVAL * 3 + SEND_TIMEOUT;
        assert_eq!(start.elapsed().as_secs(), expected.as_secs());
        drop(queue);
    }
}
