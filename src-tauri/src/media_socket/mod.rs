//! The way of pictures to the web view: a WebSocket on the loopback interface, outside Tauri's own channel, which costs an
//! evaluated script for every message and knows no back-pressure.
//!
//! Remote pictures go over it as they came from the network, and the web view decodes them. A web view that cannot decode a
//! codec says so, and gets pictures that were decoded here. This side's own pictures go over it small and raw. The form of
//! the messages stands in `wire.rs` and `ui/src/call/media/wire.ts`.

mod connection;
mod gate;
mod handshake;
mod native;
mod outbox;
mod own;
mod painted;
mod remote;
mod tokens;
mod wire;

use std::{io, net::Ipv4Addr, sync::Arc};

use tokio::net::TcpListener;
use vireo_call::{EncodedVideoSink, KeyFrameRequester};
use vireo_media::VideoSink;

use self::{outbox::Outbox, tokens::Tokens};
use crate::view::MediaSocket;

/// The listening end, and what sinks need to send through whichever connection there is.
#[derive(Debug)]
pub struct MediaServer {
    port: u16,
    tokens: Arc<Tokens>,
    outbox: Arc<Outbox>,
}

impl MediaServer {
    /// Listens on a free port of 127.0.0.1. The port must be known before the window is made, because the window's
    /// content security policy names it.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self {
            port: listener.local_addr()?.port(),
            tokens: Arc::new(Tokens::default()),
            outbox: Arc::new(Outbox::default()),
        };
        let (tokens, outbox) = (server.tokens.clone(), server.outbox.clone());
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        tokio::spawn(connection::serve(stream, tokens.clone(), outbox.clone()));
                    }
                    Err(error) => {
                        // Out of file descriptors, for example: give others a chance to close some.
                        tracing::warn!(%error, "a media connection could not be accepted");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            }
        });
        Ok(server)
    }

    /// What the content security policy must allow connections to.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Where to connect, with a token that works once and soon expires.
    #[must_use]
    pub fn invite(&self) -> MediaSocket {
        MediaSocket {
            url: self.origin(),
            token: self.tokens.issue(),
        }
    }

    /// Where the remote pictures of a call go.
    #[must_use]
    pub fn remote_sink(&self, key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        Box::new(remote::RemoteSink::new(self.outbox.clone(), key_frames))
    }

    /// Where this side's own pictures go.
    #[must_use]
    pub fn own_sink(&self) -> Box<dyn VideoSink> {
        Box::new(own::OwnSink::new(self.outbox.clone(), own::IN_A_CORNER))
    }

    /// Where they go while there is no call, larger.
    #[must_use]
    pub fn preview_sink(&self) -> Box<dyn VideoSink> {
        Box::new(own::OwnSink::new(self.outbox.clone(), own::LARGE))
    }
}

#[cfg(test)]
mod tests;
