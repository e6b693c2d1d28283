//! The one place through which everything goes that people hear of each other. One task owns the board and hands it one
//! command after another, so that nothing here needs a lock and every connection sees news in the order in which they
//! happened.

mod board;
mod people;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use vireo_protocol::{OwnStatus, ServerMessage, UserId};

use crate::calls::{Calls, DeviceId, Offer};
use crate::queue::{Close, Queue};
use crate::store::Account;
use board::{Board, Output};

pub use board::call_error;

/// So many commands may wait; whoever has one more waits as well.
const COMMANDS: usize = 1024;

/// What a connection hears whose session has been revoked.
const SIGNED_OUT: Close = (4001, "You have been signed out.");

/// What is asked of the board.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Command {
    /// A connection has said hello.
    Connect {
        device: DeviceId,
        account: Account,
        /// The session it belongs to.
        session: Option<String>,
    },
    /// A connection is gone.
    Disconnect { device: DeviceId },
    /// Those who may see the person's presence, as the database knew it at that version of the person's contacts.
    Watchers {
        user: UserId,
        watchers: Vec<UserId>,
        version: i64,
    },
    /// What the person says of themselves on this device: online, away, or not to be disturbed.
    SetStatus { device: DeviceId, status: OwnStatus },
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
}

/// What can be said about a call. Descriptions and candidates have been checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum CallCommand {
    /// Rings the other member of the chat.
    Initiate { partner: Account, offer: Offer },
    /// Everything else, by message: see [`Calls`].
    Other(vireo_protocol::ClientMessage),
}

/// What the task is told.
#[derive(Debug)]
enum Asked {
    /// Where to put what a connection is to hear, from now on.
    Open { device: DeviceId, queue: Queue },
    /// See [`Command`].
    Command(Command),
}

/// The way to the switchboard; cheap to clone.
#[derive(Debug, Clone)]
pub struct Switchboard {
    asked: mpsc::Sender<Asked>,
}

impl Switchboard {
    /// Starts the task. It ends when the last handle is gone.
    pub fn start(answer_timeout: Duration) -> Self {
        let (asked, inbox) = mpsc::channel(COMMANDS);
        let hub = Hub {
            board: Board::new(Calls::new(answer_timeout)),
            queues: HashMap::new(),
        };
        tokio::spawn(hub.run(inbox));
        Self { asked }
    }

    /// A connection has said hello, and hears what it is told through this queue until it disconnects.
    pub async fn connect(
        &self,
        device: DeviceId,
        account: Account,
        session: Option<String>,
        queue: Queue,
    ) {
        self.ask(Asked::Open { device, queue }).await;
        let command = Command::Connect {
            device,
            account,
            session,
        };
        self.send(command).await;
    }

    /// Hands a command over. Commands of one connection are carried out in the order they were handed over.
    pub async fn send(&self, command: Command) {
        self.ask(Asked::Command(command)).await;
    }

    async fn ask(&self, asked: Asked) {
        // The task lives as long as this handle.
        let _ = self.asked.send(asked).await;
    }
}

/// The task: the board, and the queues of this server's connections.
struct Hub {
    board: Board,
    queues: HashMap<DeviceId, Queue>,
}

impl Hub {
    async fn run(mut self, mut inbox: mpsc::Receiver<Asked>) {
        loop {
            let deadline = self.board.next_deadline();
            tokio::select! {
                asked = inbox.recv() => match asked {
                    Some(asked) => self.carry_out(asked),
                    None => return,
                },
                () = sleep_until(deadline) => {
                    let out = self.board.tick(now());
                    self.perform(out);
                }
            }
        }
    }

    fn carry_out(&mut self, asked: Asked) {
        match asked {
            Asked::Open { device, queue } => drop(self.queues.insert(device, queue)),
            Asked::Command(command) => {
                if let Command::Disconnect { device } = &command {
                    self.queues.remove(device);
                }
                let out = self.board.handle(command, now());
                self.perform(out);
            }
        }
    }

    fn perform(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send { to, message } => {
                    if let Some(queue) = self.queues.get(&to) {
                        queue.push(message);
                    }
                }
                Output::SignOut { device } => {
                    if let Some(queue) = self.queues.get(&device) {
                        queue.close(SIGNED_OUT);
                    }
                }
                Output::LastSeen { .. } => {}
            }
        }
    }
}

/// The time as tokio sees it, so that tests may hold it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
