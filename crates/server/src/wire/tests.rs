use std::convert::Infallible;
use std::pin::Pin;

use tokio_tungstenite::tungstenite::error::CapacityError;
use vireo_protocol::{CallId, ChatId, EndReason};

use super::*;
use crate::queue::queue;

/// A socket whose client says what it is told to say, and reads so many frames and then none.
#[derive(Debug, Default)]
pub struct Duplex {
    pub says: std::collections::VecDeque<(Duration, Message)>,
    pub reads: usize,
    pub read: Vec<Message>,
    pub pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Stream for Duplex {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some((after, _)) = self.says.front() else {
            return Poll::Pending;
        };
        let after = *after;
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        std::task::ready!(pause.as_mut().poll(context));
        self.pause = None;
        Poll::Ready(self.says.pop_front().map(|(_, message)| Ok(message)))
    }
}

impl Sink<Message> for Duplex {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self.read.len() < self.reads {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Infallible> {
        self.read.push(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

fn end(call: &str) -> ServerMessage {
    ServerMessage::CallEnd {
        call_id: CallId(call.to_owned()),
        chat_id: ChatId("ab".to_owned()),
        reason: EndReason::HungUp,
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_peer_is_found_within_half_a_minute() {
    let start = Instant::now();
    let (_queue, waiting) = queue();
    let pong = (Duration::from_secs(20), Message::Pong(Default::default()));
    let socket = Duplex {
        says: [pong].into(),
        reads: 100,
        ..Duplex::default()
    };
    let mut wire = Wire::new(socket, waiting);
    assert!(matches!(wire.next(None).await, Event::Heard(_)));
    assert!(matches!(wire.next(None).await, Event::Silent));
    assert_eq!(start.elapsed(), Duration::from_secs(20) + SILENCE_TIMEOUT);
    // It was asked every ten seconds.
    assert_eq!(wire.socket.read.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_given_up_and_heard_until_then() {
    let start = Instant::now();
    let (queue, waiting) = queue();
    let hang_up = (Duration::from_secs(5), Message::Text("hang up".into()));
    let socket = Duplex {
        says: [hang_up].into(),
        reads: 2,
        ..Duplex::default()
    };
    let mut wire = Wire::new(socket, waiting);
    for call in ["1", "2", "3"] {
        queue.push(end(call));
    }
    assert!(matches!(
        wire.next(None).await,
        Event::Heard(Message::Text(_))
    ));
    assert_eq!(start.elapsed(), Duration::from_secs(5));
    assert!(matches!(wire.next(None).await, Event::Silent));
    assert_eq!(start.elapsed(), STUCK_TIMEOUT);
    assert_eq!(wire.socket.read.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reason_to_close_comes_before_what_waits() {
    let (queue, waiting) = queue();
    let socket = Duplex {
        reads: 100,
        ..Duplex::default()
    };
    let mut wire = Wire::new(socket, waiting);
    queue.push(end("1"));
    queue.close((4001, "Signed out."));
    let event = wire.next(None).await;
    assert!(matches!(event, Event::Close((4001, _))), "{event:?}");
    assert!(wire.socket.read.is_empty());
}

#[tokio::test(start_paused = true)]
async fn time_is_up_when_it_was_said_to_be() {
    let start = Instant::now();
    let (_queue, waiting) = queue();
    let socket = Duplex {
        reads: 100,
        ..Duplex::default()
    };
    let mut wire = Wire::new(socket, waiting);
    let until = start + Duration::from_secs(12);
    assert!(matches!(wire.next(Some(until)).await, Event::TimeUp));
    assert_eq!(start.elapsed(), Duration::from_secs(12));
}

#[test]
fn a_client_is_told_what_was_wrong_and_a_broken_connection_is_told_nothing() {
    use std::io::{Error as Failure, ErrorKind};
    let too_long = CapacityError::MessageTooLong {
        size: 2,
        max_size: 1,
    };
    let not_utf8 = Failure::new(ErrorKind::InvalidData, NotUtf8);
    // TLS says so of records that it cannot open.
    let unreadable_record = Failure::new(ErrorKind::InvalidData, "corrupt");
    for (error, code) in [
        (too_long.into(), Some(1009)),
        (Error::Utf8(String::new()), Some(1007)),
        (not_utf8.into(), Some(1007)),
        (ProtocolError::NonZeroReservedBits.into(), Some(1002)),
        (ProtocolError::ResetWithoutClosingHandshake.into(), None),
        (unreadable_record.into(), None),
        (Failure::from(ErrorKind::ConnectionReset).into(), None),
    ] {
        let said = unreadable(&error).map(|(code, _)| code);
        assert_eq!(said, code, "{error}");
    }
}
