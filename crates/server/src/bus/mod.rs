//! How servers that share a database work as one: through Redis, which holds nothing that cannot be made anew.
//!
//! Each server has an inbox, a stream. One of them leads for as long as it renews its lease: the board is there. The
//! others send it what is asked of them, and get back what their connections are to hear. A copy of the calls lies in
//! Redis as well, for whoever leads next. Whoever cannot reach Redis for longer than a lease lasts works alone until it
//! can, for the people connected to it.

mod keeper;
mod lease;
mod reader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use vireo_protocol::CallId;

use crate::calls::Snapshot;
use crate::switchboard::{Command, Output};

/// Whoever leads and does not say so again for so long does not lead any more. Short, since nothing is heard of anybody
/// until another one leads; a server that was only slow loses the lead by it and nothing else.
const LEASE: Duration = Duration::from_millis(700);

/// How often every server says that it is there.
const TURN: Duration = Duration::from_millis(150);

/// Redis may be away for so long, to be started anew for one, before a server works alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server that has not said so for so long is gone.
const SILENCE: Duration = Duration::from_secs(5);

/// Redis answers within so long, or counts as gone.
const ANSWER: Duration = Duration::from_secs(1);

/// After so long a connection to Redis that broke is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// A server of several, by a number that no other one has.
pub type Instance = u32;

/// Rises with every server that begins to lead.
pub type Epoch = u64;

/// A command, numbered by the server that was asked, so that it can be confirmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Numbered {
    pub number: u64,
    pub command: Command,
}

/// What one server writes to another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Letter {
    /// To the one that leads.
    Commands {
        epoch: Epoch,
        from: Instance,
        commands: Vec<Numbered>,
    },
    /// From the one that leads; every command up to that number has been carried out.
    Outputs {
        epoch: Epoch,
        confirmed: u64,
        outputs: Vec<Output>,
    },
}

/// What the bus reports.
#[derive(Debug)]
pub enum Event {
    /// This server leads, with the calls that whoever led before has left.
    Lead { epoch: Epoch, calls: Vec<Snapshot> },
    /// Another one leads. It may have forgotten this server.
    Follow { epoch: Epoch, leader: Instance },
    /// Redis cannot be reached.
    Alone,
    /// Those that are there, and where clients reach them.
    Alive(Vec<Member>),
    /// Something was written to this server.
    Letter(Letter),
}

/// A server that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub instance: Instance,
    /// Where clients reach it; nothing where nobody has said so.
    pub url: Option<String>,
}

/// What the hub gives the bus to do.
#[derive(Debug)]
enum Errand {
    Letter { to: Instance, letter: Letter },
    Calls(Vec<(CallId, Option<Snapshot>)>),
}

/// How to reach the other servers.
#[derive(Clone)]
pub struct BusConfig {
    /// `redis://…`; may hold a password.
    pub redis: String,
    /// Where clients reach this server.
    pub public_url: Option<String>,
}

impl std::fmt::Debug for BusConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BusConfig { .. }")
    }
}

/// See the module. Dropping it leaves the other servers.
#[derive(Debug)]
pub struct Bus {
    /// This server.
    pub instance: Instance,
    errands: mpsc::UnboundedSender<Errand>,
    events: mpsc::UnboundedReceiver<Event>,
    lease: Lease,
    /// Cancelled when this server is not to lead any more.
    resigned: CancellationToken,
    _tasks: [AbortOnDropHandle<()>; 2],
}

/// Until when this server may lead.
#[derive(Debug, Clone, Default)]
struct Lease(Arc<Mutex<Option<Instant>>>);

impl Lease {
    fn until(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Bus {
    /// Starts to look for the other servers.
    ///
    /// # Errors
    /// When the address is not one of Redis.
    pub fn start(config: BusConfig, instance: Instance) -> Result<Self, redis::RedisError> {
        let client = redis::Client::open(config.redis)?;
        let (errands, to_do) = mpsc::unbounded_channel();
        let (report, events) = mpsc::unbounded_channel();
        let lease = Lease::default();
        let resigned = CancellationToken::new();
        let read = Arc::new(Mutex::new(String::from("0")));
        let keeper = keeper::Keeper {
            client: client.clone(),
            instance,
            public_url: config.public_url,
            report: report.clone(),
            lease: lease.clone(),
            resigned: resigned.clone(),
            read: Arc::clone(&read),
            state: keeper::State::default(),
        };
        let tasks = [
            tokio::spawn(keeper.run(to_do)),
            tokio::spawn(reader::run(client, instance, report, read)),
        ];
        Ok(Self {
            instance,
            errands,
            events,
            lease,
            resigned,
            _tasks: tasks.map(AbortOnDropHandle::new),
        })
    }

    /// What has happened; waits for it.
    pub async fn next_event(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            // The tasks live as long as this handle.
            None => std::future::pending().await,
        }
    }

    /// Whether this server may act as the one that leads. It cannot know what has happened while it stood still.
    pub fn may_lead(&self) -> bool {
        self.lease
            .until()
            .is_some_and(|until| Instant::now() < until)
    }

    /// Writes to another server.
    pub fn write(&self, to: Instance, letter: Letter) {
        let _ = self.errands.send(Errand::Letter { to, letter });
    }

    /// Keeps what is to be known of calls if this server is gone.
    pub fn keep(&self, calls: Vec<(CallId, Option<Snapshot>)>) {
        if !calls.is_empty() {
            let _ = self.errands.send(Errand::Calls(calls));
        }
    }

    /// Lets another server lead.
    pub fn resign(&self) {
        self.resigned.cancel();
    }
}

/// Reads this as everything that may stand in Redis.
#[cfg(feature = "fuzz")]
pub fn read_anything(data: &[u8]) {
    reader::open(data);
    keeper::kept_call(data);
    if let Ok(text) = std::str::from_utf8(data) {
        lease::leader(text);
        lease::member(text);
    }
}

fn inbox(instance: Instance) -> String {
    format!("vireo:inbox:{instance}")
}

/// A connection that answers in time or fails.
async fn connect(
    client: &redis::Client,
    answer: Duration,
) -> Result<redis::aio::MultiplexedConnection, redis::RedisError> {
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER))
        .set_response_timeout(Some(answer));
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}
