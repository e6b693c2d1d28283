//! A connection that cannot be read beyond text that is not UTF-8.
//!
//! RFC 6455 §8.1 wants such a connection failed. `tungstenite` does so when the frame is there as a whole; this does it at the
//! first wrong byte, however long the frame would have been.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;

/// A text message that is not UTF-8.
#[derive(Debug, thiserror::Error)]
#[error("a text message is not UTF-8")]
pub struct NotUtf8;

impl NotUtf8 {
    /// Whether this is why reading failed. Others call their data invalid as well, TLS among them.
    pub fn is_why(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|why| why.is::<Self>())
    }
}

/// What a client sends, up to the first byte that is wrong; there reading fails with [`NotUtf8`]. It passes everything on
/// as it comes and holds none of it.
#[derive(Debug)]
pub struct Strict<S> {
    stream: S,
    frames: Frames,
}

impl<S> Strict<S> {
    /// A connection on which nothing has been read of the first frame.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            frames: Frames::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.frames.is_wrong() {
            return Poll::Ready(Err(not_utf8()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let right = self.frames.follow(&buffer.filled()[before..]);
        // What came before is heard first. Nothing at all would mean that the client has gone.
        if right == 0 && self.frames.is_wrong() {
            return Poll::Ready(Err(not_utf8()));
        }
        buffer.set_filled(before + right);
        Poll::Ready(Ok(()))
    }
}

fn not_utf8() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, NotUtf8)
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;
    use tokio_tungstenite::tungstenite::{Error, Message};

    use super::*;

    const TEXT: &[u8] = b"\x81\x82\0\0\0\0ok";
    /// A text of which a hundred bytes are promised, up to the first wrong one.
    const WRONG: &[u8] = b"\x81\xe4\0\0\0\0a\xff";

    #[tokio::test]
    async fn reading_ends_before_the_wrong_byte() {
        let (mut client, server) = duplex(1024);
        let sent = [TEXT, WRONG].concat();
        client.write_all(&sent).await.expect("there is room");
        let mut strict = Strict::new(server);
        let mut read = Vec::new();
        let error = strict.read_to_end(&mut read).await.expect_err("wrong");
        assert!(NotUtf8::is_why(&error), "{error}");
        assert_eq!(read, sent[..sent.len() - 1]);
        let more = strict.read_u8().await.expect_err("still wrong");
        assert!(NotUtf8::is_why(&more), "{more}");
    }

    #[tokio::test]
    async fn what_came_before_is_heard_and_a_goodbye_can_be_said() {
        let (mut client, server) = duplex(1024);
        let sent = [TEXT, WRONG].concat();
        client.write_all(&sent).await.expect("there is room");
        let strict = Strict::new(server);
        let mut socket = WebSocketStream::from_raw_socket(strict, Role::Server, None).await;
        let heard = socket.next().await.expect("a message").expect("readable");
        assert_eq!(heard, Message::text("ok"));
        // The frame's end never comes.
        let next = timeout(Duration::from_secs(10), socket.next()).await;
        let error = next
            .expect("at once")
            .expect("an error")
            .expect_err("wrong");
        assert!(
            matches!(&error, Error::Io(why) if NotUtf8::is_why(why)),
            "{error}"
        );
        socket.send(Message::Close(None)).await.expect("sent");
        assert_eq!(client.read_u16().await.expect("a frame"), 0x8800);
    }

    #[tokio::test]
    async fn the_end_of_a_connection_stays_its_end() {
        let (client, server) = duplex(1024);
        drop(client);
        let read = Strict::new(server).read(&mut [0; 8]).await;
        assert_eq!(read.expect("no error"), 0);
    }
}
