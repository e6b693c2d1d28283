//! The one place through which everything goes that people hear of each other. One task owns the board and hands it one
//! command after another, so that nothing here needs a lock and every connection sees news in the order in which they
//! happened.

mod board;
mod hub;
mod people;
mod reading;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use vireo_protocol::{DeviceStatus, ServerMessage, UserId};

use crate::bus::{Bus, Member};
use crate::calls::{CallRecord, DeviceId, Offer, Snapshot};
use crate::close::{self, Close};
use crate::history::History;
use crate::queue::Queue;
use crate::store::{Account, Store, Watchers};
use board::Now;
use hub::{Hub, Local};
use reading::recover;

pub use board::{Output, call_error};

/// So many commands may wait; whoever has one more waits as well.
const COMMANDS: usize = 1024;

/// What a connection hears whose session has been revoked.
const SIGNED_OUT: Close = (4001, "You have been signed out.");

/// What a connection hears of somebody who has more devices than anybody needs.
const ONE_TOO_MANY: Close = (close::POLICY, "You are connected from too many devices.");

/// What is asked of the board.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Command {
    /// A connection has said hello.
    Connect {
        device: DeviceId,
        account: Arc<Account>,
        /// The session it belongs to.
        session: Option<String>,
    },
    /// A connection is gone.
    Disconnect {
        device: DeviceId,
        /// By the client, not by silence or by the server.
        #[serde(default)]
        closed: bool,
    },
    /// Those who may see the person's presence, and whether the person does not wish to be called, as the database knew it
    /// at that version of the person's contacts.
    Watchers {
        user: UserId,
        watchers: Vec<UserId>,
        #[serde(default)]
        do_not_disturb: bool,
        version: i64,
    },
    /// What the person says of themselves on this device: online or away.
    SetStatus {
        device: DeviceId,
        status: DeviceStatus,
    },
    /// A session has been revoked: its connections end.
    EndSession { session: String },
    /// Say this to the connection.
    Reply {
        device: DeviceId,
        message: ServerMessage,
    },
    /// Two people have become contacts, or one wishes to: say this to every connection of the person.
    News {
        user: UserId,
        message: ServerMessage,
    },
    /// Something about a call, from a member of its chat.
    Call {
        device: DeviceId,
        request: u64,
        call: CallCommand,
    },
    /// These calls go on: the board that kept them until now does not any more.
    Adopt { calls: Vec<Snapshot> },
}

impl Command {
    /// What the database has said of who may see the person.
    pub fn watchers(user: UserId, read: Watchers) -> Self {
        Self::Watchers {
            user,
            watchers: read.users,
            do_not_disturb: read.do_not_disturb,
            version: read.version,
        }
    }
}

/// What can be said about a call. Descriptions and candidates have been checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum CallCommand {
    /// Rings the other member of the chat.
    Initiate { partner: Account, offer: Offer },
    /// Everything else, by message: see [`calls`](crate::calls).
    Other(vireo_protocol::ClientMessage),
}

/// What the task is told.
#[derive(Debug)]
enum Asked {
    /// A connection has said hello.
    Open { device: DeviceId, local: Local },
    /// See [`Command`].
    Command(Command),
    /// Calls were going on when the server, or the one that led, stopped.
    Recover {
        records: Vec<CallRecord>,
        alive_at_ms: i64,
    },
    /// Let another server lead.
    Resign,
}

/// What the task needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What outlives the process.
    pub store: Store,
    /// A call that nobody answers ends after so long.
    pub answer_timeout: Duration,
    /// Where the other servers are noted.
    pub others: Others,
}

/// The servers that work as one with this one, itself among them.
#[derive(Debug, Clone, Default)]
pub struct Others(Arc<Mutex<Vec<Member>>>);

impl Others {
    fn set(&self, members: Vec<Member>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = members;
    }

    /// Where clients reach them.
    pub fn urls(&self) -> Vec<String> {
        let members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members.iter().filter_map(|m| m.url.clone()).collect()
    }
}

/// The way to the switchboard; cheap to clone.
#[derive(Debug, Clone)]
pub struct Switchboard {
    asked: mpsc::Sender<Asked>,
}

impl Switchboard {
    /// Starts the task. It ends when the last handle is gone.
    pub fn start(settings: Settings, bus: Option<Bus>) -> Self {
        let (asked, inbox) = mpsc::channel(COMMANDS);
        let (history, confirmed) = History::start(settings.store.clone());
        if bus.is_none() {
            recover(&settings, asked.downgrade(), false);
        }
        let hub = Hub::new(settings, bus, history, asked.downgrade());
        tokio::spawn(hub.run(inbox, confirmed));
        Self { asked }
    }

    /// A connection has said hello, and hears what it is told through this queue until it disconnects.
    pub async fn connect(
        &self,
        device: DeviceId,
        account: Arc<Account>,
        session: Option<String>,
        queue: Queue,
    ) {
        let local = Local {
            queue,
            account,
            session,
            status: DeviceStatus::default(),
        };
        self.ask(Asked::Open { device, local }).await;
    }

    /// Hands a command over. Commands of one connection are carried out in the order they were handed over.
    pub async fn send(&self, command: Command) {
        self.ask(Asked::Command(command)).await;
    }

    /// Lets another server lead, where there is one.
    pub async fn resign(&self) {
        self.ask(Asked::Resign).await;
    }

    async fn ask(&self, asked: Asked) {
        // The task lives as long as this handle.
        let _ = self.asked.send(asked).await;
    }
}

/// The time; to measure with, as tokio sees it, so that tests may hold it.
fn clock() -> Now {
    Now {
        instant: tokio::time::Instant::now().into_std(),
        unix_ms: crate::store::now_ms(),
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
