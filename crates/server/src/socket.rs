//! A WebSocket from its handshake to its end. What the messages mean is the session's matter.

mod upgrade;

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::{Sink, Stream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::close::{self, Close};
use crate::drain::{self, turn_to_leave};
use crate::host::reached_by;
use crate::http;
use crate::metrics;
use crate::places::{Place, network};
use crate::queue::queue;
use crate::rate::Limit;
use crate::refusal::Refusal;
use crate::session::{Next, Session};
use crate::state::{AppState, lock};
use crate::store::Holder;
use crate::wire::{Event, Wire};
use upgrade::{Socket, Upgrade};

/// A connection that does not say hello by then is closed.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// New connections from one address: thousands may come back at once when a server does.
pub const HANDSHAKES: Limit = Limit {
    capacity: 2000,
    period: Duration::from_millis(5),
};

/// `GET /api/ws`: who brings a valid token gets a WebSocket.
pub async fn upgrade(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Refusal> {
    drain::check(&state)?;
    lock(&state.handshakes)
        .take(network(address.ip()), std::time::Instant::now())
        .map_err(Refusal::too_many_attempts)?;
    let place = state.places.take(address.ip())?;
    let holder = http::holder(&state, &headers).await?;
    let reached_by = reached_by(&headers);
    Ok(upgrade.grant(move |socket| {
        // In a task of its own: this one has room for the whole handshake, which most connections have long behind them.
        let tasks = state.connections.clone();
        tasks.spawn(serve(socket, state, holder, reached_by, place));
    }))
}

/// What an idle connection keeps is this future, so it holds everything once. An `async fn` would keep its arguments beside
/// what is made of them.
fn serve(
    socket: Socket,
    state: AppState,
    holder: Holder,
    reached_by: Option<Box<str>>,
    place: Place,
) -> impl Future<Output = ()> {
    let counted = metrics::Connection::open();
    let (queue, waiting) = queue();
    let leaving = state.clone();
    let mut session = Session::new(state, holder, queue, reached_by);
    let mut wire = Wire::new(socket, waiting);
    async move {
        let end = tokio::select! {
            end = talk(&mut wire, &mut session) => end,
            () = turn_to_leave(&leaving) => End::Close((close::RESTART, "The server is stopping.")),
        };
        Box::pin(part(wire, session, end)).await;
        drop((place, counted));
    }
}

async fn part(wire: Wire<Socket>, mut session: Session, end: End) {
    session.end(end == End::Gone).await;
    match end {
        End::Close(close) => wire.close(close).await,
        End::Gone | End::Silent => wire.hang_up().await,
    }
}

/// How a connection ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The server closes it.
    Close(Close),
    /// The client has gone.
    Gone,
    /// The client is not heard any more.
    Silent,
}

/// Talks with the client until the connection ends.
async fn talk<S>(wire: &mut Wire<S>, session: &mut Session) -> End
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message> + Unpin,
{
    let hello_by = Instant::now() + HELLO_TIMEOUT;
    loop {
        let until = (!session.has_greeted()).then_some(hello_by);
        let next = match wire.next(until).await {
            // Answering may need the database, whose futures are large: they are not kept by a connection that is idle.
            Event::Heard(Message::Text(text)) => Box::pin(session.text(text.as_str())).await,
            Event::Heard(Message::Binary(_)) => session.binary(),
            Event::Heard(
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_),
            ) => Next::Continue,
            Event::Gone => return End::Gone,
            Event::Silent => return End::Silent,
            Event::Close(close) => return End::Close(close),
            Event::TimeUp => return End::Close((close::POLICY, "You did not say hello.")),
        };
        match next {
            Next::Continue => {}
            Next::Close(close) => return End::Close(close),
        }
    }
}

#[cfg(all(test, unix))]
mod conformance;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vireo_protocol::{Role, SessionId, User, UserId};

    use super::*;
    use crate::ice::IceConfig;
    use crate::state::Policy;
    use crate::store::{Account, Database, Store};
    use crate::tokens::Tokens;
    use crate::wire::tests::Duplex;

    /// A session over a database of its own, and its connection. Time may be paused once this has returned.
    async fn session(directory: &std::path::Path) -> (Session, crate::queue::Waiting) {
        let store = Store::open(&Database::Sqlite(directory.join("test.sqlite"))).await;
        let timeout = Duration::from_secs(30);
        let state = AppState::new(
            store.expect("opened"),
            Tokens::with_new_key(),
            None,
            Policy {
                name: "Vireo".to_owned(),
                open_registration: true,
                answer_timeout: timeout,
                ice: IceConfig::default(),
                drain: Duration::ZERO,
                metrics_token: None,
            },
        )
        .expect("there is no bus");
        let user = User {
            id: UserId("ann".into()),
            name: "Ann".into(),
        };
        let holder = Holder {
            session: SessionId("laptop".into()),
            account: Account {
                user,
                service: false,
            },
            role: Role::Member,
            do_not_disturb: false,
            display_name: None,
            avatar: None,
        };
        let (queue, waiting) = queue();
        (Session::new(state, holder, queue, None), waiting)
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (mut session, waiting) = session(directory.path()).await;
        tokio::time::pause();
        let start = Instant::now();
        let mut wire = Wire::new(
            Duplex {
                reads: 100,
                ..Duplex::default()
            },
            waiting,
        );
        let end = talk(&mut wire, &mut session).await;
        assert!(matches!(end, End::Close((close::POLICY, _))), "{end:?}");
        assert_eq!(start.elapsed().as_secs(), HELLO_TIMEOUT.as_secs());
    }
}
