//! A running server.

mod opening;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use vireo_protocol::{Fingerprint, ServerAddress, SessionId, UserId};

use crate::config::Config;
use crate::drain;
use crate::front::{Front, Listening};
use crate::ice::TurnSecret;
use crate::private_file::make_private_directory;
use crate::relay::Relay;
use crate::revocations;
use crate::router::router;
use crate::secrets::{new_token, token_hash};
use crate::self_test::{Examined, Report};
use crate::start_error::StartError;
use crate::state::{AppState, Policy};
use crate::store::{AddUserError, Database, Store, StoreError, now_ms};
use crate::tokens::{Tokens, new_signing_key};

pub use opening::Opening;

/// The name of the service that plays back one's own sound and picture.
pub const ECHO_NAME: &str = "Echo test";

/// Connections get so long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// How often the server writes down that it is alive.
const ALIVE: Duration = Duration::from_secs(5);

/// Starts servers.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// A server that runs until [`Running::shutdown`], or until this is dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    front: Arc<Front>,
    state: AppState,
    echo: UserId,
    echo_session: Mutex<Option<SessionId>>,
    /// Held for as long as the server runs.
    _lock: File,
}

impl Server {
    /// Opens the data and listens. Clients can connect as soon as this returns.
    ///
    /// # Errors
    /// A sentence for the person who started it.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let Config {
            data,
            database,
            listen,
            encryption,
            public_url,
            home_router,
            name,
            open_registration,
            answer_timeout,
            mut ice,
            relay,
            bus,
            drain,
            metrics_token,
        } = config;
        let lock = lock_data(&data)?;
        let listening = Listening::at(&listen, encryption, &data)?;
        let database = database.unwrap_or_else(|| Database::in_directory(&data));
        let failed = |error| database_error(&database, error);
        let store = Store::open(&database).await.map_err(failed)?;
        let echo = store
            .service(ECHO_NAME)
            .await
            .map_err(|error| match error {
                AddUserError::NameTaken => StartError::ServiceNameTaken,
                AddUserError::Store(error) => failed(error),
            })?;
        let secret = TurnSecret::stored(&store).await.map_err(failed)?;
        ice.turn_secret.get_or_insert_with(|| secret.clone());
        if let Some(relay) = relay {
            ice.relay = Arc::new(Relay::start(relay, secret)?.into());
        }
        let tokens = access_tokens(&store, failed).await?;
        let policy = Policy {
            name,
            open_registration,
            answer_timeout,
            ice,
            drain,
            metrics_token,
        };
        let state = AppState::new(store.clone(), tokens, bus, policy)
            .map_err(|_| StartError::BusAddress)?;
        tokio::spawn(revocations::follow(state.clone()));
        let front = listening.open(router(state.clone()), state.stopping.clone(), public_url);
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            "the server has started"
        );
        tokio::spawn(stay_alive(state.clone()));
        let running = Running {
            url: ServerAddress::from(front.local()).to_string(),
            front: Arc::new(front),
            state,
            echo: echo.id,
            echo_session: Mutex::default(),
            _lock: lock,
        };
        running.note_address().await.map_err(failed)?;
        running.ask_router(home_router);
        Ok(running)
    }
}

impl Running {
    /// The server's address for clients on this computer: `http://127.0.0.1:PORT`, or, where it encrypts,
    /// `https://127.0.0.1:PORT#sha256=FINGERPRINT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// By what clients know the server; nothing where it does not encrypt.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.front.fingerprint()
    }

    /// Where programs on this computer that belong to the server reach it, whatever certificate it has:
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn service_url(&self) -> String {
        self.front.service_url()
    }

    /// The server's address for people elsewhere.
    #[must_use]
    pub fn public_address(&self) -> ServerAddress {
        self.front.public_address(self.outside()).server
    }

    /// Takes up the certificate's files at once, instead of within seconds after they have changed. Nothing happens where there
    /// are none.
    pub fn reload_certificate(&self) {
        self.front.reload_certificate();
    }

    /// Tries out what people need of this server, and says in plain words what works. Takes some seconds where something does
    /// not answer.
    pub async fn self_test(&self) -> Report {
        let ice = &self.state.ice;
        let examined = Examined {
            front: &self.front,
            relay: ice.relay.get(),
            router: &self.state.router_ports,
            relays_elsewhere: !ice.turn.is_empty(),
            store: &self.state.store,
        };
        examined.report().await
    }

    /// A fresh session for the Echo service: the refresh token by which `vireo-echo` signs in. The one before ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn service_token(&self) -> Result<String, StoreError> {
        let token = new_token();
        let store = &self.state.store;
        let session = store
            .open_session(&self.echo, ECHO_NAME, &token_hash(&token))
            .await?;
        let before = self.echo_session.lock().await.replace(session);
        self.end_echo_session(before).await?;
        Ok(token)
    }

    /// The token of an invite whose redeemer becomes this server's administrator; none once somebody has an account. Each
    /// call makes another one and ends the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_invite(&self) -> Result<Option<String>, StoreError> {
        let token = new_token();
        let hash = token_hash(&token);
        let made = self.state.store.create_first_invite(&hash).await?;
        Ok(made.then_some(token))
    }

    async fn end_echo_session(&self, session: Option<SessionId>) -> Result<(), StoreError> {
        if let Some(session) = session {
            self.state
                .store
                .end_session(Some(&self.echo), &session)
                .await?;
            self.state.end_session(&session).await;
        }
        Ok(())
    }

    /// Takes no new connections and closes those that there are, spread over a few seconds, so that their clients move to
    /// another instance or come back to the next process. Health is still answered, readiness says no.
    pub async fn drain(&self) {
        drain::drain(&self.state).await;
    }

    /// Says goodbye to every connection, finishes what was being answered, and closes the database.
    pub async fn shutdown(self) {
        self.state.switchboard.resign().await;
        self.stop();
        self.state.connections.close();
        let _ = timeout(GOODBYE, self.state.connections.wait()).await;
        let closed = timeout(GOODBYE, self.front.closed());
        let (_, ()) = tokio::join!(closed, self.state.router_ports.close());
        let session = self.echo_session.lock().await.take();
        if let Err(error) = self.end_echo_session(session).await {
            tracing::warn!(%error, "the Echo test's session is left behind");
        }
        self.state.store.close().await;
        tracing::info!("the server has stopped");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn stop(&self) {
        self.state.stopping.cancel();
        self.state.draining.cancel();
    }
}

/// Writes down from time to time that the server is alive: a call that goes on when it dies ended then, at the earliest.
async fn stay_alive(state: AppState) {
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            () = tokio::time::sleep(ALIVE) => {}
        }
        if let Err(error) = state.store.set_alive(now_ms()).await {
            tracing::debug!(%error, "the database does not know that the server is alive");
        }
    }
}

/// Makes the directory where it is missing, and keeps other servers out of it. The system lets go of the lock when the
/// process ends, however it ends.
///
/// # Errors
/// When it cannot be made, or a server is using it.
pub fn lock_data(data: &Path) -> Result<File, StartError> {
    let directory = || data.display().to_string();
    let file = make_private_directory(data)
        .and_then(|()| File::create(data.join("lock")))
        .map_err(|error| StartError::Directory {
            directory: directory(),
            error,
        })?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(directory())),
        // Some network file systems have no locks; that is no reason not to run.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// What signs access tokens, by the key that all instances share.
async fn access_tokens(
    store: &Store,
    failed: impl Fn(StoreError) -> StartError,
) -> Result<Tokens, StartError> {
    let key = store.key("access-tokens", new_signing_key).await;
    Tokens::new(&key.map_err(failed)?).map_err(|_| StartError::Key)
}

fn database_error(database: &Database, error: StoreError) -> StartError {
    match database {
        Database::Sqlite(file) => StartError::File {
            file: file.display().to_string(),
            error,
        },
        Database::Postgres(_) => StartError::DatabaseServer(error),
    }
}
