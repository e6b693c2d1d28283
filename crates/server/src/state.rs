//! What the handlers share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::uri::Authority;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vireo_protocol::{ServerAddress, UserId};

use crate::bus::{Bus, BusConfig};
use crate::calls::DeviceId;
use crate::front::PublicAddress;
use crate::hashing::Hashing;
use crate::http::REQUESTS;
use crate::http::profile::PROFILE_CHANGES;
use crate::http::sign_in::{REFRESHES, REGISTRATIONS, SIGN_IN_FAILURES, SignInKey};
use crate::ice::IceConfig;
use crate::members::Members;
use crate::places::Places;
use crate::rate::Buckets;
use crate::router_ports::RouterPorts;
use crate::session::{CALLS_BEGUN, CONTACT_CHANGES, MESSAGES};
use crate::socket::HANDSHAKES;
use crate::store::Store;
use crate::switchboard::{Others, Settings, Switchboard};
use crate::tokens::Tokens;

/// So many connections at most: some 10 KB each with TLS, and what the system lets a process open may be less.
const MAX_CONNECTIONS: usize = 100_000;

/// Buckets that handlers share.
pub type SharedBuckets<K> = Mutex<Buckets<K>>;

/// What the handlers share; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

/// What is up to whoever runs the server.
#[derive(Debug)]
pub struct Policy {
    /// What the server calls itself.
    pub name: String,
    /// Whether new accounts are accepted.
    pub open_registration: bool,
    /// How long a call rings.
    pub answer_timeout: Duration,
    /// STUN and TURN servers to hand out.
    pub ice: IceConfig,
    /// Over how long connections are ended before the server stops.
    pub drain: Duration,
    /// With which the numbers may be read; without one, from this computer only.
    pub metrics_token: Option<String>,
}

/// See [`AppState`].
#[derive(Debug)]
pub struct Shared {
    /// What outlives the process.
    pub store: Store,
    /// Connections and calls.
    pub switchboard: Switchboard,
    /// What signs and checks access tokens.
    pub tokens: Tokens,
    /// What the server calls itself.
    pub name: String,
    /// Whether new accounts are accepted without an invite.
    open_registration: bool,
    /// Whether people elsewhere have come to reach a server that was for this computer only.
    opened: AtomicBool,
    /// The servers that work as one with this one.
    pub others: Others,
    /// Where clients reach this one of them.
    public_url: Option<String>,
    /// This server's number among them.
    instance: u32,
    /// Members of the chats that are being called in.
    pub members: Members,
    /// How long a call rings.
    pub answer_timeout: Duration,
    /// STUN and TURN servers to hand out.
    pub ice: IceConfig,
    /// What a home router has opened for this server.
    pub router_ports: RouterPorts,
    /// Where people elsewhere find this server; nothing before it listens.
    found_at: watch::Sender<Option<PublicAddress>>,
    /// The line before password hashing.
    pub hashing: Hashing,
    /// Wrong passwords of late, and passwords that are being looked at.
    pub sign_in_failures: SharedBuckets<SignInKey>,
    /// New accounts of late.
    pub registrations: SharedBuckets<IpAddr>,
    /// Changes of their contacts that people have made of late.
    pub contact_changes: SharedBuckets<UserId>,
    /// Changes of their profiles that people have made of late.
    pub profile_changes: SharedBuckets<UserId>,
    /// Whoever reads a picture has the permit.
    pub pictures: Arc<Semaphore>,
    /// Refresh tokens that came of late.
    pub refreshes: SharedBuckets<IpAddr>,
    /// Requests of late of those who are signed in.
    pub requests: SharedBuckets<UserId>,
    /// With which the numbers may be read; without one, from this computer only.
    pub metrics_token: Option<String>,
    /// Cancelled when the server is about to stop: it takes no new connections, and ends those it has.
    pub draining: CancellationToken,
    /// Over how long it ends them.
    pub drain: Duration,
    /// Room for connections.
    pub places: Places,
    /// New connections of late.
    pub handshakes: SharedBuckets<IpAddr>,
    /// Messages that people have sent of late.
    pub messages: SharedBuckets<UserId>,
    /// Calls that people have begun of late.
    pub calls_begun: SharedBuckets<UserId>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
    /// Every open WebSocket.
    pub connections: TaskTracker,
    next_device: AtomicU32,
}

impl AppState {
    /// The state of a server that starts now. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the bus has an address that is not one of Redis.
    pub fn new(
        store: Store,
        tokens: Tokens,
        bus: Option<BusConfig>,
        policy: Policy,
    ) -> Result<Self, redis::RedisError> {
        let Policy {
            name,
            open_registration,
            answer_timeout,
            ice,
            drain,
            metrics_token,
        } = policy;
        // The number of a server that works alone does not matter.
        let instance = rand::random();
        let public_url = bus.as_ref().and_then(|config| config.public_url.clone());
        let bus = bus.map(|config| Bus::start(config, instance)).transpose()?;
        let others = Others::default();
        let settings = Settings {
            store: store.clone(),
            answer_timeout,
            others: others.clone(),
        };
        Ok(Self(Arc::new(Shared {
            store,
            switchboard: Switchboard::start(settings, bus),
            others,
            public_url,
            instance,
            tokens,
            name,
            open_registration,
            opened: AtomicBool::new(false),
            members: Members::default(),
            answer_timeout,
            ice,
            metrics_token,
            router_ports: RouterPorts::default(),
            found_at: watch::Sender::default(),
            hashing: Hashing::new(),
            sign_in_failures: Mutex::new(Buckets::new(SIGN_IN_FAILURES)),
            registrations: Mutex::new(Buckets::new(REGISTRATIONS)),
            contact_changes: Mutex::new(Buckets::new(CONTACT_CHANGES)),
            profile_changes: Mutex::new(Buckets::new(PROFILE_CHANGES)),
            pictures: Arc::new(Semaphore::new(1)),
            refreshes: Mutex::new(Buckets::new(REFRESHES)),
            requests: Mutex::new(Buckets::new(REQUESTS)),
            draining: CancellationToken::new(),
            drain,
            places: Places::new(MAX_CONNECTIONS),
            handshakes: Mutex::new(Buckets::new(HANDSHAKES)),
            messages: Mutex::new(Buckets::new(MESSAGES)),
            calls_begun: Mutex::new(Buckets::new(CALLS_BEGUN)),
            stopping: CancellationToken::new(),
            connections: TaskTracker::new(),
            next_device: AtomicU32::new(1),
        })))
    }
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// Where clients find the other instances when this one is gone.
    pub fn other_servers(&self) -> Vec<String> {
        let mut servers = self.others.urls();
        servers.retain(|url| Some(url) != self.public_url.as_ref());
        servers
    }

    /// Says where people elsewhere find this server, from now on.
    pub fn set_found_at(&self, address: PublicAddress) {
        self.found_at.send_replace(Some(address));
    }

    /// Where those find this server who get a link from somebody whose client has reached it at `reached`. A server that is
    /// only just starting is waited for.
    pub async fn found_from(&self, reached: Option<&Authority>) -> ServerAddress {
        let mut found_at = self.found_at.subscribe();
        let known = found_at.wait_for(Option::is_some).await;
        let known = known.expect("whoever says it is here");
        let known = known.as_ref().expect("it was waited for");
        known.for_link(reached)
    }

    /// Whoever comes from elsewhere to a server that was for this computer only needs an invite from now on.
    pub fn open(&self) {
        self.opened.store(true, Ordering::Relaxed);
    }

    /// Whether a new account needs an invite, when somebody at this address asks for one.
    pub fn needs_invite(&self, address: IpAddr) -> bool {
        let elsewhere = !address.to_canonical().is_loopback();
        !self.open_registration || (elsewhere && self.opened.load(Ordering::Relaxed))
    }

    /// A number for a new connection, higher than every one before.
    pub fn next_device(&self) -> DeviceId {
        DeviceId::new(
            self.instance,
            self.next_device.fetch_add(1, Ordering::Relaxed),
        )
    }
}

/// Buckets stay right when a holder of the lock has panicked: nothing in them spans two steps.
pub fn lock<K>(buckets: &SharedBuckets<K>) -> MutexGuard<'_, Buckets<K>> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner)
}
