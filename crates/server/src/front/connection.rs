//! One connection over HTTP/1.1, from its first request to its last or until it becomes a WebSocket.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::forwarded::Proxies;

/// The head of a request has to be there so soon, and the next request's after so long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest head of a request. What a connection is given to read into counts for each one.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Answers what comes in. When the server stops, what is being answered is finished.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    proxies: Option<&Proxies>,
    router: Router,
    stopping: CancellationToken,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let client = client(peer, proxies, &request);
        request.extensions_mut().insert(ConnectInfo(client));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        // However it ended: the client has gone, or did not speak HTTP.
        _ = connection.as_mut() => return,
        () = stopping.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn client(peer: SocketAddr, proxies: Option<&Proxies>, request: &Request<Body>) -> SocketAddr {
    let address: IpAddr = match proxies {
        Some(proxies) => proxies.client(peer.ip(), request.headers()),
        None => peer.ip(),
    };
    match address == peer.ip() {
        true => peer,
        // The proxies do not say from which port.
        false => SocketAddr::new(address, 0),
    }
}
