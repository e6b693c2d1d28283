//! What a client sends over its WebSocket, as far as its text goes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::io::{AsyncRead, ReadBuf, join, sink};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::close;
use crate::wire::frames::Frames;
use crate::wire::frames::judge::wrong_byte;
use crate::wire::{Strict, unreadable};

/// A message may be so long.
const LONGEST: usize = 2048;

/// After a first byte that says into which pieces it is cut, what a client sends once the handshake is over.
pub fn text(data: &[u8]) {
    let Some((seed, sent)) = data.split_first() else {
        return;
    };
    let wrong = wrong_byte(sent);
    for pieces in [Pieces::new(sent, *seed), Pieces::new(sent, 0)] {
        assert_eq!(found(pieces), wrong, "the pieces make no difference");
    }
    let (messages, error) = heard(Strict::new(join(Pieces::new(sent, *seed), sink())));
    let (loose_messages, loose_error) = heard(join(Pieces::new(sent, *seed), sink()));
    assert_eq!(messages, loose_messages, "what can be read is read");
    let not_utf8 =
        |error: &Error| unreadable(error).is_some_and(|(code, _)| code == close::INVALID);
    let (strict, loose) = (not_utf8(&error), not_utf8(&loose_error));
    assert!(strict || !loose, "{error} for {loose_error}");
    assert!(
        strict || error.to_string() == loose_error.to_string(),
        "{error} for {loose_error}"
    );
}

fn found(mut pieces: Pieces<'_>) -> Option<usize> {
    let mut frames = Frames::new();
    let mut right = 0;
    for piece in pieces.by_ref() {
        right += frames.follow(piece);
        if frames.is_wrong() {
            return Some(right);
        }
    }
    assert_eq!(right, pieces.whole, "nothing is held back");
    None
}

/// What can be read, and why there is no more.
fn heard<S>(stream: S) -> (Vec<Message>, Error)
where
    S: AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST))
        .read_buffer_size(64);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config));
    let mut socket = socket.now_or_never().expect("there is nothing to wait for");
    let mut messages = Vec::new();
    loop {
        let next = socket.next().now_or_never();
        match next.expect("there is nothing to wait for") {
            Some(Ok(message)) => messages.push(message),
            Some(Err(error)) => return (messages, error),
            None => return (messages, Error::ConnectionClosed),
        }
    }
}

/// Bytes that come in pieces of one to sixteen bytes, or with no seed one by one.
struct Pieces<'a> {
    rest: &'a [u8],
    whole: usize,
    seed: u32,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], seed: u8) -> Self {
        Self {
            rest,
            whole: rest.len(),
            seed: seed.into(),
        }
    }

    fn cut(&mut self, most: usize) -> &'a [u8] {
        self.seed = self.seed.wrapping_mul(0x0019_660d);
        let length = 1 + (self.seed >> 8) as usize % 16;
        let (piece, rest) = self.rest.split_at(length.min(most).min(self.rest.len()));
        self.rest = rest;
        piece
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        Some(self.cut(usize::MAX)).filter(|piece| !piece.is_empty())
    }
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let piece = self.cut(buffer.remaining());
        buffer.put_slice(piece);
        Poll::Ready(Ok(()))
    }
}
