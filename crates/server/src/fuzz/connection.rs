//! A connection's bytes as they come from the network: HTTP, and what is said over the WebSocket that it may become.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex, sink};
use tokio::runtime::Runtime;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;
use vireo_protocol::{Role, SessionId, UserId};

use super::runtime;
use crate::front::{Proxies, PublicAddress, serve_connection};
use crate::ice::IceConfig;
use crate::router::router;
use crate::state::{AppState, Policy};
use crate::store::{Database, Store};
use crate::tokens::{Tokens, new_signing_key};

/// Stands in the bytes for an access token of somebody's, which nobody can guess.
const TOKEN: &[u8] = b"$TOKEN";

/// More than the router takes.
const LONGEST_BODY: usize = 64 * 1024;

/// The bytes of one connection.
pub fn connection(data: &[u8]) {
    static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
    SERVER.runtime.block_on(SERVER.hear(data));
}

/// What outlives a connection.
struct Server {
    runtime: Runtime,
    store: Store,
    key: Vec<u8>,
    user: UserId,
    session: SessionId,
    /// Its database lies there.
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let runtime = runtime();
        let folder = tempfile::tempdir().expect("a temporary directory");
        let database = Database::in_directory(folder.path());
        let (store, user, session) = runtime.block_on(async {
            let store = Store::open(&database).await.expect("a new database");
            let user = store.add_user("Ann", "").await.expect("the first");
            let session = store.open_session(&user.id, "device", &[0; 32]).await;
            (store, user.id, session.expect("somebody has it"))
        });
        Self {
            runtime,
            store,
            key: new_signing_key(),
            user,
            session,
            _folder: folder,
        }
    }

    async fn hear(&self, data: &[u8]) {
        let tokens = Tokens::new(&self.key).expect("a new key is a good one");
        let token = tokens.issue(&self.user, &self.session, Role::Member);
        let data = replaced(data, token.as_bytes());
        let policy = Policy {
            name: "fuzz".to_owned(),
            // Making the hash of a password takes longer than everything else here.
            open_registration: false,
            answer_timeout: Duration::from_secs(30),
            ice: IceConfig::default(),
            drain: Duration::ZERO,
            metrics_token: None,
        };
        let state = AppState::new(self.store.clone(), tokens, None, policy);
        let state = state.expect("there is no bus");
        let server = "http://127.0.0.1:4000".parse();
        // Who makes an invite is told where the server is.
        state.set_found_at(PublicAddress {
            server: server.expect("an address"),
            from_anywhere: false,
        });
        let answering = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&answering);
        let count = move |request: Request, next: Next| count(Arc::clone(&counted), request, next);
        let router = router(state.clone()).layer(from_fn(count));
        let (client, server) = duplex(64 * 1024);
        let peer = SocketAddr::from(([127, 0, 0, 1], 4000));
        let proxies = Proxies::default();
        let stopping = CancellationToken::new();
        let served = serve_connection(server, peer, Some(&proxies), router, stopping);
        tokio::join!(served, say(client, &data, &answering));
        state.connections.close();
        state.connections.wait().await;
    }
}

/// Counts the requests that are there as a whole and have no answer yet.
async fn count(answering: Arc<AtomicUsize>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    answering.fetch_add(1, Ordering::Relaxed);
    let request = Request::from_parts(head, Body::from(body));
    let response = next.run(request).await;
    answering.fetch_sub(1, Ordering::Relaxed);
    response
}

/// Says it, lets the server answer, and hangs up.
async fn say(client: DuplexStream, data: &[u8], answering: &AtomicUsize) {
    let (mut reads, mut writes) = tokio::io::split(client);
    let heard = async {
        let _ = tokio::io::copy(&mut reads, &mut sink()).await;
    };
    let said = async {
        // A server that has heard enough hangs up first.
        let _ = writes.write_all(data).await;
        let mut quiet = 0;
        while quiet < 8 {
            quiet = match answering.load(Ordering::Relaxed) {
                0 => quiet + 1,
                _ => 0,
            };
            yield_now().await;
        }
        let _ = writes.shutdown().await;
    };
    tokio::join!(heard, said);
}

/// The bytes with the token in the place of each [`TOKEN`].
fn replaced(mut data: &[u8], token: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(data.len());
    while let Some(at) = data.windows(TOKEN.len()).position(|part| part == TOKEN) {
        whole.extend_from_slice(&data[..at]);
        whole.extend_from_slice(token);
        data = &data[at + TOKEN.len()..];
    }
    whole.extend_from_slice(data);
    whole
}
