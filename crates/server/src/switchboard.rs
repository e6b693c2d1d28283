//! Who is connected, and who hears what. One task owns the connections and the calls and handles one command after
//! another, so that nothing here needs a lock and every connection sees news in the order in which they happened.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use vireo_protocol::{CallErrorCode, Contact, ContactStatus, Presence, ServerMessage, UserId};

use crate::calls::{self, Callee, Caller, Calls, DeviceId, Offer, Sender};
use crate::queue::Queue;
use crate::store::Account;

/// So many commands may wait; whoever has one more waits as well.
const COMMANDS: usize = 1024;

/// What a connection asks of the switchboard.
#[derive(Debug)]
pub enum Command {
    /// A connection has said hello.
    Connect {
        device: DeviceId,
        account: Account,
        queue: Queue,
        /// Those who may see that the person is there.
        watchers: Vec<UserId>,
    },
    /// A connection is gone.
    Disconnect {
        device: DeviceId,
        watchers: Vec<UserId>,
    },
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
        /// The other member.
        partner: Account,
        call: CallCommand,
    },
}

/// What can be said about a call. Descriptions and candidates have been checked.
#[derive(Debug)]
pub enum CallCommand {
    Initiate(Offer),
    /// Everything else, by message: see [`calls::Calls`].
    Other(vireo_protocol::ClientMessage),
}

/// The way to the switchboard; cheap to clone.
#[derive(Debug, Clone)]
pub struct Switchboard {
    commands: mpsc::Sender<Command>,
}

impl Switchboard {
    /// Starts the task. It ends when the last handle is gone.
    pub fn start(answer_timeout: Duration) -> Self {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        tokio::spawn(run(Board::new(answer_timeout), inbox));
        Self { commands }
    }

    /// Hands a command over. Commands of one connection are carried out in the order they were handed over.
    pub async fn send(&self, command: Command) {
        // The task lives as long as this handle.
        let _ = self.commands.send(command).await;
    }
}

async fn run(mut board: Board, mut inbox: mpsc::Receiver<Command>) {
    loop {
        let deadline = board.calls.next_deadline();
        tokio::select! {
            command = inbox.recv() => match command {
                Some(command) => board.handle(command, now()),
                None => return,
            },
            () = sleep_until(deadline) => {
                let news = board.calls.tick(now());
                board.deliver_all(news);
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

struct Board {
    devices: HashMap<DeviceId, Device>,
    users: HashMap<UserId, Vec<DeviceId>>,
    calls: Calls,
}

struct Device {
    account: Account,
    queue: Queue,
}

impl Board {
    fn new(answer_timeout: Duration) -> Self {
        Self {
            devices: HashMap::new(),
            users: HashMap::new(),
            calls: Calls::new(answer_timeout),
        }
    }

    fn handle(&mut self, command: Command, now: Instant) {
        match command {
            Command::Connect {
                device,
                account,
                queue,
                watchers,
            } => self.connect(device, account, queue, &watchers),
            Command::Disconnect { device, watchers } => self.disconnect(device, &watchers, now),
            Command::Reply { device, message } => self.deliver(device, message),
            Command::News { user, message } => self.tell(&user, &message),
            Command::Call {
                device,
                request,
                partner,
                call,
            } => self.call(device, request, partner, call, now),
        }
    }

    fn connect(&mut self, device: DeviceId, account: Account, queue: Queue, watchers: &[UserId]) {
        let user = account.user.id.clone();
        let service = account.service;
        self.devices.insert(device, Device { account, queue });
        let devices = self.users.entry(user.clone()).or_default();
        devices.push(device);
        if devices.len() == 1 {
            self.announce(&user, service, Presence::Online, watchers);
        }
        let news = self.calls.connected(&user, device);
        self.deliver_all(news);
    }

    fn disconnect(&mut self, device: DeviceId, watchers: &[UserId], now: Instant) {
        let Some(gone) = self.devices.remove(&device) else {
            return;
        };
        let Account { user, service } = gone.account;
        if let Some(devices) = self.users.get_mut(&user.id) {
            devices.retain(|other| *other != device);
            if devices.is_empty() {
                self.users.remove(&user.id);
                self.announce(&user.id, service, Presence::Offline, watchers);
            }
        }
        let news = self.calls.disconnected(&user.id, device, now);
        self.deliver_all(news);
    }

    fn call(
        &mut self,
        device: DeviceId,
        request: u64,
        partner: Account,
        call: CallCommand,
        now: Instant,
    ) {
        let Some(user) = self.devices.get(&device).map(|d| d.account.user.clone()) else {
            return; // The connection was dropped while this waited.
        };
        let from = Sender {
            user: &user.id,
            device,
        };
        let (ids, result) = match call {
            CallCommand::Initiate(offer) => {
                let ids = (offer.call_id.clone(), offer.chat_id.clone());
                let callee = Callee {
                    devices: self
                        .users
                        .get(&partner.user.id)
                        .cloned()
                        .unwrap_or_default(),
                    user: partner.user.id,
                    service: partner.service,
                };
                let caller = Caller {
                    user: user.clone(),
                    device,
                };
                (ids, self.calls.initiate(caller, callee, offer, now))
            }
            CallCommand::Other(message) => match self.calls.handle(from, message, now) {
                Some(handled) => handled,
                None => return,
            },
        };
        let reply = match result {
            Ok(news) => {
                self.deliver_all(news);
                ServerMessage::Ok { id: request }
            }
            Err(code) => call_error(request, ids, code),
        };
        self.deliver(device, reply);
    }

    fn announce(&mut self, user: &UserId, service: bool, presence: Presence, watchers: &[UserId]) {
        let message = ServerMessage::Presence {
            user_id: user.clone(),
            presence,
            last_seen_at: None,
        };
        if service {
            let everyone: Vec<DeviceId> = self.devices.keys().copied().collect();
            for device in everyone {
                self.deliver(device, message.clone());
            }
            return;
        }
        for watcher in watchers {
            self.tell(watcher, &message);
        }
    }

    fn tell(&mut self, user: &UserId, message: &ServerMessage) {
        for device in self.users.get(user).cloned().unwrap_or_default() {
            self.deliver(device, message.clone());
        }
    }

    fn deliver_all(&mut self, sends: Vec<calls::Send>) {
        for send in sends {
            self.deliver(send.to, send.message);
        }
    }

    /// Puts a message into a connection's queue. A queue that is full belongs to somebody who does not read: its
    /// connection closes by itself, and comes back here as [`Command::Disconnect`].
    fn deliver(&mut self, device: DeviceId, mut message: ServerMessage) {
        match &mut message {
            ServerMessage::Contacts { contacts, .. } => {
                contacts
                    .iter_mut()
                    .for_each(|contact| self.fill_presence(contact));
            }
            ServerMessage::Contact { contact, .. } => self.fill_presence(contact),
            _ => {}
        }
        if let Some(device) = self.devices.get(&device) {
            device.queue.push(message);
        }
    }

    /// Presence is filled in at the last moment: here it cannot be older than the news that were sent before.
    fn fill_presence(&self, contact: &mut Contact) {
        let online = self.users.contains_key(&contact.user_id);
        contact.presence = match contact.status {
            ContactStatus::Contact if online => Presence::Online,
            ContactStatus::Contact
            | ContactStatus::Requested
            | ContactStatus::Incoming
            | ContactStatus::Blocked => Presence::Offline,
        };
    }
}

/// The answer to a request about a call that failed.
pub fn call_error(
    request: u64,
    (call_id, chat_id): calls::Ids,
    code: CallErrorCode,
) -> ServerMessage {
    ServerMessage::CallError {
        id: Some(request),
        call_id,
        chat_id,
        code,
        message: code.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::Receiver;
    use vireo_protocol::{CallId, ChatId, MediaState, SessionDescription, User};

    use super::*;
    use crate::queue::queue;

    fn account(name: &str) -> Account {
        Account {
            user: User {
                id: UserId(name.to_owned()),
                name: name.to_owned(),
            },
            service: false,
        }
    }

    async fn connect(
        board: &Switchboard,
        name: &str,
        device: u64,
        watcher: &str,
    ) -> Receiver<ServerMessage> {
        let (queue, messages, _) = queue();
        let command = Command::Connect {
            device: DeviceId(device),
            account: account(name),
            queue,
            watchers: vec![UserId(watcher.to_owned())],
        };
        board.send(command).await;
        messages
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_rings_for_as_long_as_was_said() {
        let board = Switchboard::start(Duration::from_secs(30));
        let mut ann = connect(&board, "ann", 1, "bob").await;
        let mut bob = connect(&board, "bob", 2, "ann").await;
        assert!(matches!(
            ann.recv().await,
            Some(ServerMessage::Presence { .. })
        ));
        let start = tokio::time::Instant::now();
        let call = CallCommand::Initiate(Offer {
            call_id: CallId("c".into()),
            chat_id: ChatId("ab".into()),
            offer: SessionDescription::offer("sdp"),
            media_state: MediaState {
                microphone: true,
                camera: true,
            },
        });
        let command = Command::Call {
            device: DeviceId(1),
            request: 7,
            partner: account("bob"),
            call,
        };
        board.send(command).await;
        assert!(matches!(
            bob.recv().await,
            Some(ServerMessage::CallOffer { .. })
        ));
        assert_eq!(ann.recv().await, Some(ServerMessage::Ok { id: 7 }));
        let over = ann.recv().await;
        let no_answer = matches!(
            over,
            Some(ServerMessage::CallError {
                id: None,
                code: CallErrorCode::NoAnswer,
                ..
            })
        );
        assert!(no_answer, "{over:?}");
        assert!(matches!(
            bob.recv().await,
            Some(ServerMessage::CallEnd { .. })
        ));
        let waited = start.elapsed();
        assert!((30.0..30.01).contains(&waited.as_secs_f64()), "{waited:?}");
    }

    #[tokio::test]
    async fn a_connection_that_does_not_read_is_told_to_end_and_holds_up_nobody() {
        let board = Switchboard::start(Duration::from_secs(30));
        let (full, _unread, overflow) = queue();
        let command = Command::Connect {
            device: DeviceId(1),
            account: account("ann"),
            queue: full,
            watchers: Vec::new(),
        };
        board.send(command).await;
        let mut bob = connect(&board, "bob", 2, "nobody").await;
        for id in 0..1000 {
            let message = ServerMessage::Ok { id };
            let user = UserId("ann".into());
            board.send(Command::News { user, message }).await;
        }
        let message = ServerMessage::Ok { id: 7 };
        let device = DeviceId(2);
        board.send(Command::Reply { device, message }).await;
        assert_eq!(bob.recv().await, Some(ServerMessage::Ok { id: 7 }));
        assert!(overflow.is_cancelled());
    }
}
