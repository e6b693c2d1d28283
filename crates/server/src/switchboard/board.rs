//! Who is connected and who hears what, without sockets, clocks or storage: every method takes what happened and the
//! time, and returns what is to be done.

use std::collections::HashMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use vireo_protocol::{
    CallErrorCode, Contact, ContactStatus, OwnStatus, Presence, ServerMessage, UserId,
};

use super::people::{People, Seen};
use super::{CallCommand, Command};
use crate::calls::{self, Callee, Caller, Calls, DeviceId, Sender};
use crate::store::Account;

/// Something that the board wants done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Say this to the connection.
    Send {
        to: DeviceId,
        message: ServerMessage,
    },
    /// The connection's session has been revoked: close it.
    SignOut { device: DeviceId },
    /// The person's last connection is gone.
    LastSeen { user: UserId },
}

/// See the module.
#[derive(Debug)]
pub struct Board {
    devices: HashMap<DeviceId, Device>,
    people: People,
    calls: Calls,
    out: Vec<Output>,
}

#[derive(Debug)]
struct Device {
    account: Account,
    session: Option<String>,
}

impl Board {
    /// Nobody is there.
    pub fn new(calls: Calls) -> Self {
        Self {
            devices: HashMap::new(),
            people: People::default(),
            calls,
            out: Vec::new(),
        }
    }

    /// When [`Board::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.calls.next_deadline()
    }

    /// Ends what has waited too long.
    pub fn tick(&mut self, now: Instant) -> Vec<Output> {
        let news = self.calls.tick(now);
        self.deliver_all(news);
        self.announce_changes();
        std::mem::take(&mut self.out)
    }

    /// Carries out a command.
    pub fn handle(&mut self, command: Command, now: Instant) -> Vec<Output> {
        match command {
            Command::Connect {
                device,
                account,
                session,
            } => self.connect(device, account, session),
            Command::Disconnect { device } => self.disconnect(device, now),
            Command::Watchers {
                user,
                watchers,
                version,
            } => self.people.set_watchers(&user, watchers, version),
            Command::SetStatus { device, status } => self.set_status(device, status),
            Command::EndSession { session } => self.end_session(&session),
            Command::Reply { device, message } => self.deliver(device, message),
            Command::News { user, message } => self.tell(&user, &message),
            Command::Call {
                device,
                request,
                call,
            } => self.call(device, request, call, now),
        }
        self.announce_changes();
        std::mem::take(&mut self.out)
    }

    fn connect(&mut self, device: DeviceId, account: Account, session: Option<String>) {
        let user = account.user.id.clone();
        self.people.arrive(&user, account.service, device);
        self.devices.insert(device, Device { account, session });
        let news = self.calls.connected(&user, device);
        self.deliver_all(news);
    }

    fn disconnect(&mut self, device: DeviceId, now: Instant) {
        let Some(gone) = self.devices.remove(&device) else {
            return;
        };
        let user = gone.account.user.id;
        let news = self.calls.disconnected(&user, device, now);
        self.deliver_all(news);
        self.people.leave(&user, device);
    }

    fn set_status(&mut self, device: DeviceId, status: OwnStatus) {
        if let Some(known) = self.devices.get(&device) {
            self.people
                .set_status(&known.account.user.id, device, status);
        }
    }

    fn end_session(&mut self, session: &str) {
        let ended = |known: &Device| known.session.as_deref() == Some(session);
        let devices = self.devices.iter().filter(|(_, known)| ended(known));
        let out = devices.map(|(&device, _)| Output::SignOut { device });
        self.out.extend(out);
    }

    fn call(&mut self, device: DeviceId, request: u64, call: CallCommand, now: Instant) {
        let Some(user) = self.devices.get(&device).map(|d| d.account.user.clone()) else {
            return; // The connection was dropped while this waited.
        };
        let from = Sender {
            user: &user.id,
            device,
        };
        let (ids, result) = match call {
            CallCommand::Initiate { partner, offer } => {
                let ids = (offer.call_id.clone(), offer.chat_id.clone());
                let callee = Callee {
                    devices: self.people.devices(&partner.user.id),
                    user: partner.user.id,
                    service: partner.service,
                };
                let caller = Caller { user, device };
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

    /// Tells those who may see it what has changed in people's presence.
    fn announce_changes(&mut self) {
        drop(self.calls.take_records());
        for user in self.calls.take_affected() {
            let in_call = self.calls.is_in_call(&user);
            self.people.set_in_call(&user, in_call);
        }
        for change in self.people.take_changes() {
            let message = ServerMessage::Presence {
                user_id: change.user.clone(),
                presence: change.presence,
                last_seen_at: None,
            };
            match change.seen_by {
                Seen::ByEveryone => {
                    let everyone: Vec<DeviceId> = self.devices.keys().copied().collect();
                    for device in everyone {
                        self.deliver(device, message.clone());
                    }
                }
                Seen::NoLonger(users) => {
                    for user in users {
                        self.tell(&user, &offline(&change.user));
                    }
                }
                Seen::By(watchers) => {
                    for watcher in watchers {
                        self.tell(&watcher, &message);
                    }
                    if change.presence == Presence::Offline {
                        self.out.push(Output::LastSeen { user: change.user });
                    }
                }
            }
        }
    }

    fn tell(&mut self, user: &UserId, message: &ServerMessage) {
        for device in self.people.devices(user) {
            self.deliver(device, message.clone());
        }
    }

    fn deliver_all(&mut self, sends: Vec<calls::Send>) {
        for send in sends {
            self.deliver(send.to, send.message);
        }
    }

    fn deliver(&mut self, to: DeviceId, mut message: ServerMessage) {
        let Some(viewer) = self.devices.get(&to).map(|known| &known.account.user.id) else {
            return;
        };
        let fill = |contact: &mut Contact| {
            contact.presence = self.presence_for(viewer, contact);
            contact.last_seen_at = contact
                .last_seen_at
                .filter(|_| contact.presence == Presence::Offline);
        };
        match &mut message {
            ServerMessage::Contacts { contacts, .. } => contacts.iter_mut().for_each(fill),
            ServerMessage::Contact { contact, .. } => fill(contact),
            _ => {}
        }
        self.out.push(Output::Send { to, message });
    }

    /// Presence is filled in at the last moment: here it cannot be older than the news that were sent before.
    fn presence_for(&self, viewer: &UserId, contact: &Contact) -> Presence {
        match contact.status {
            ContactStatus::Contact => self.people.presence_for(viewer, &contact.user_id),
            ContactStatus::Requested | ContactStatus::Incoming | ContactStatus::Blocked => {
                Presence::Offline
            }
        }
    }
}

/// What those hear of a person who may not see them any more.
fn offline(user: &UserId) -> ServerMessage {
    ServerMessage::Presence {
        user_id: user.clone(),
        presence: Presence::Offline,
        last_seen_at: None,
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
