//! The addresses that connections come in by, and what is asked of each before it is served.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::serve;
use super::forwarded::Proxies;

/// A handshake that takes longer is none.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// So many handshakes may be under way at once; whoever comes on top of that is sent away and comes again.
const MAX_HANDSHAKES: usize = 2048;

/// When the system has no more connections to give, it may have some after so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How connections that come in at one address are treated.
#[derive(Clone)]
pub enum Door {
    /// As they are: whoever is on this computer.
    Plain,
    /// Encrypted.
    Tls(TlsAcceptor),
    /// As they are, from these proxies alone, which say whose they are.
    Proxied(Arc<Proxies>),
}

/// Every address that the server listens on. Cheap to clone.
#[derive(Clone)]
pub struct Doors {
    router: Router,
    stopping: CancellationToken,
    connections: TaskTracker,
    handshakes: Arc<Semaphore>,
}

impl Doors {
    /// No door yet; what comes in by one is answered by this router, until `stopping`.
    #[must_use]
    pub fn new(router: Router, stopping: CancellationToken) -> Self {
        Self {
            router,
            stopping,
            connections: TaskTracker::new(),
            handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)),
        }
    }

    /// Accepts what comes in here.
    pub fn open(&self, listener: TcpListener, door: Door) {
        let doors = self.clone();
        self.connections.spawn(async move {
            let stopping = doors.stopping.clone();
            tokio::select! {
                () = stopping.cancelled() => {}
                () = doors.accept(listener, door) => {}
            }
        });
    }

    /// Waits until every door is closed and every connection has ended or become a WebSocket. Only after `stopping`.
    pub async fn closed(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    async fn accept(&self, listener: TcpListener, door: Door) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // On a socket for both, IPv4 looks like IPv6.
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    let doors = self.clone();
                    self.connections
                        .spawn(doors.enter(stream, peer, door.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn enter(self, stream: TcpStream, peer: SocketAddr, door: Door) {
        // Signals are small and somebody waits for each: they must not be held back to be sent together.
        let _ = stream.set_nodelay(true);
        match door {
            Door::Plain => serve(stream, peer, None, self.router, self.stopping).await,
            Door::Proxied(proxies) if proxies.include(peer.ip()) => {
                serve(stream, peer, Some(&proxies), self.router, self.stopping).await;
            }
            // Whoever does not come by the proxy would send their password in the clear.
            Door::Proxied(_) => {}
            Door::Tls(acceptor) => {
                let Ok(permit) = self.handshakes.try_acquire() else {
                    return;
                };
                let handshake = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
                drop(permit);
                if let Ok(Ok(stream)) = handshake {
                    serve(stream, peer, None, self.router, self.stopping).await;
                }
            }
        }
    }
}
