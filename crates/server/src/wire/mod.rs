//! One WebSocket, both ways in one task: what the queue holds goes out whenever there is room, and whatever happens on
//! the way out, what comes in is heard. A reader that is stuck can still hang up.

pub mod frames;
mod strict;
mod utf8;

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};
use vireo_protocol::ServerMessage;

use crate::close::{self, Close};
use crate::queue::{Item, Waiting};
use strict::NotUtf8;

pub use strict::Strict;

/// How often a connection is asked whether it is still there.
pub const PING_INTERVAL: Duration = Duration::from_secs(10);

/// A connection that has said nothing, not even a pong, for so long is dead.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(25);

/// Nothing could be handed to the network for so long: nobody reads at the other end.
pub const STUCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Saying goodbye may take so long.
const GOODBYE: Duration = Duration::from_secs(3);

const NOT_UTF8: Close = (close::INVALID, "A text is not UTF-8.");

/// What happened on the connection.
#[derive(Debug)]
pub enum Event {
    /// The client says something.
    Heard(Message),
    /// The client has closed the connection, or it has broken.
    Gone,
    /// Nothing has come for too long, or nobody reads: the connection is as good as gone.
    Silent,
    /// The server has a reason to close; what came may be the reason.
    Close(Close),
    /// The time that was asked for has come.
    TimeUp,
}

/// See the module.
#[derive(Debug)]
pub struct Wire<S> {
    socket: S,
    waiting: Waiting,
    unflushed: bool,
    ping_at: Instant,
    heard_at: Instant,
    stuck_since: Option<Instant>,
}

impl<S> Wire<S>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message> + Unpin,
{
    /// A connection that has just been opened.
    pub fn new(socket: S, waiting: Waiting) -> Self {
        let now = Instant::now();
        Self {
            socket,
            waiting,
            unflushed: false,
            ping_at: now + PING_INTERVAL,
            heard_at: now,
            stuck_since: None,
        }
    }

    /// What happens next, until that time where one is given. Everything else that has to be done by the clock is done
    /// here.
    pub async fn next(&mut self, until: Option<Instant>) -> Event {
        loop {
            let at = until.map_or(self.due(), |until| until.min(self.due()));
            tokio::select! {
                event = poll_fn(|context| self.poll(context)) => {
                    if let Event::Heard(_) = event {
                        self.heard_at = Instant::now();
                    }
                    return event;
                }
                () = sleep_until(at) => {}
            }
            let now = Instant::now();
            if self.is_dead(now) {
                return Event::Silent;
            }
            if until.is_some_and(|until| until <= now) {
                return Event::TimeUp;
            }
            if self.ping_at <= now && self.ping().await.is_err() {
                return Event::Gone;
            }
        }
    }

    /// Says what has yet to be said, and goodbye.
    pub async fn close(mut self, (code, reason): Close) {
        let frame = CloseFrame {
            code: code.into(),
            reason: reason.into(),
        };
        let goodbye = async {
            while let Some(message) = self.waiting.take() {
                self.socket.feed(text(&message)).await?;
            }
            self.socket.send(Message::Close(Some(frame))).await?;
            self.socket.close().await
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }

    /// Answers the client's own goodbye.
    pub async fn hang_up(mut self) {
        let _ = timeout(GOODBYE, self.socket.close()).await;
    }

    fn due(&self) -> Instant {
        let silent = self.heard_at + SILENCE_TIMEOUT;
        match self.stuck_since {
            Some(since) => silent.min(since + STUCK_TIMEOUT),
            None => silent.min(self.ping_at),
        }
    }

    fn is_dead(&self, now: Instant) -> bool {
        let stuck = |since| since + STUCK_TIMEOUT <= now;
        self.heard_at + SILENCE_TIMEOUT <= now || self.stuck_since.is_some_and(stuck)
    }

    /// Asks whether the client is there. Where there is no room for the question, that is noticed as well.
    async fn ping(&mut self) -> Result<(), ()> {
        self.ping_at = Instant::now() + PING_INTERVAL;
        poll_fn(|context| match self.socket.poll_ready_unpin(context) {
            Poll::Ready(Ok(())) => {
                self.unflushed = true;
                let ping = Message::Ping(Default::default());
                Poll::Ready(self.socket.start_send_unpin(ping).map_err(drop))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(())),
            Poll::Pending => {
                self.stuck_since.get_or_insert_with(Instant::now);
                Poll::Ready(Ok(()))
            }
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(event) = self.poll_out(context) {
            return Poll::Ready(event);
        }
        self.socket.poll_next_unpin(context).map(|next| match next {
            Some(Ok(Message::Close(_))) | None => Event::Gone,
            Some(Ok(message)) => Event::Heard(message),
            Some(Err(error)) => match unreadable(&error) {
                Some(close) => Event::Close(close),
                None => Event::Gone,
            },
        })
    }

    /// Sends for as long as there is something to send and room for it. Ready only where the connection has to end.
    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        loop {
            match self.socket.poll_ready_unpin(context) {
                Poll::Ready(Ok(())) => self.stuck_since = None,
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                Poll::Pending => return self.stuck(),
            }
            match self.waiting.poll_next(context) {
                Poll::Ready(Item::Message(message)) => {
                    self.unflushed = true;
                    if self.socket.start_send_unpin(text(&message)).is_err() {
                        return Poll::Ready(Event::Gone);
                    }
                }
                Poll::Ready(Item::Close(close)) => return Poll::Ready(Event::Close(close)),
                Poll::Pending => break,
            }
        }
        if !self.unflushed {
            return Poll::Pending;
        }
        match self.socket.poll_flush_unpin(context) {
            Poll::Ready(Ok(())) => {
                self.unflushed = false;
                Poll::Pending
            }
            Poll::Ready(Err(_)) => Poll::Ready(Event::Gone),
            Poll::Pending => self.stuck(),
        }
    }

    fn stuck(&mut self) -> Poll<Event> {
        self.stuck_since.get_or_insert_with(Instant::now);
        Poll::Pending
    }
}

/// What a client is told of what it sent, where that is why nothing more can be read; nothing where the connection has gone.
pub fn unreadable(error: &Error) -> Option<Close> {
    match error {
        Error::Capacity(_) => Some((close::SIZE, "A message is too long.")),
        Error::Utf8(_) => Some(NOT_UTF8),
        Error::Io(error) if NotUtf8::is_why(error) => Some(NOT_UTF8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some((close::PROTOCOL, "This is not a WebSocket's message.")),
        _ => None,
    }
}

fn text(message: &ServerMessage) -> Message {
    let json = serde_json::to_string(message).expect("messages have string keys only");
    Message::Text(json.into())
}

#[cfg(test)]
pub mod tests;
