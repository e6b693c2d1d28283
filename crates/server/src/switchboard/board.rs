//! Who is connected and who hears what, without sockets, clocks or storage: every method takes what happened and the
//! time, and returns what is to be done.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vireo_protocol::{
    CallErrorCode, CallId, Contact, ContactStatus, DeviceStatus, Presence, ServerMessage, UserId,
};

use super::people::{People, Seen};
use super::{CallCommand, Command};
use crate::calls::{self, CallRecord, Callee, Caller, Calls, DeviceId, Sender, Snapshot};
use crate::metrics;
use crate::store::Account;

/// Connections that took part in a call when another board kept it have so long to show that they are still there.
pub const SETTLE: Duration = Duration::from_secs(5);

/// So many connections may belong to one person.
const MAX_DEVICES: usize = 20;

/// The time, twice: to measure with, and to write down.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Never set back.
    pub instant: Instant,
    /// Milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

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
    /// The person has too many connections: close this one.
    OneTooMany { device: DeviceId },
    /// The person's last connection is gone.
    LastSeen { user: UserId, at_ms: i64 },
    /// Keep this in the history, and say that it was done once it is safe there.
    Keep {
        records: Vec<CallRecord>,
        then: Option<(DeviceId, ServerMessage)>,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Board {
    devices: HashMap<DeviceId, Device>,
    people: People,
    calls: Calls,
    /// When connections of which nothing has been heard are given up.
    settle_at: Option<Instant>,
    /// What they are to hear if they are still there.
    kept: HashMap<DeviceId, Vec<ServerMessage>>,
    now_ms: i64,
    out: Vec<Output>,
}

#[derive(Debug)]
struct Device {
    account: Arc<Account>,
    session: Option<String>,
}

impl Board {
    /// Nobody is there.
    pub fn new(calls: Calls) -> Self {
        Self {
            devices: HashMap::new(),
            people: People::default(),
            calls,
            settle_at: None,
            kept: HashMap::new(),
            now_ms: 0,
            out: Vec::new(),
        }
    }

    /// When [`Board::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        let settle = self.settle_at;
        self.calls.next_deadline().into_iter().chain(settle).min()
    }

    /// Ends what has waited too long.
    pub fn tick(&mut self, now: Now) -> Vec<Output> {
        self.set_time(now);
        let news = self.calls.tick(now.instant);
        self.deliver_all(news);
        if self.settle_at.is_some_and(|at| at <= now.instant) {
            self.settle_at = None;
            self.kept.clear();
            self.give_up_missing(now.instant);
        }
        self.finish(None)
    }

    /// Takes calls over from another board.
    pub fn adopt(&mut self, calls: Vec<Snapshot>, now: Now) {
        if calls.is_empty() {
            return;
        }
        self.set_time(now);
        for call in calls {
            self.calls.adopt(call, now.instant);
        }
        self.let_take_part();
        self.settle_at = Some(now.instant + SETTLE);
    }

    /// Takes calls over that were going on when the server stopped, as the history knows them.
    pub fn adopt_records(
        &mut self,
        records: Vec<CallRecord>,
        alive_at_ms: i64,
        now: Now,
    ) -> Vec<Output> {
        self.set_time(now);
        self.calls.recover(records, alive_at_ms, now.instant);
        self.let_take_part();
        self.finish(None)
    }

    /// The history will be asked what calls were going on: see [`Calls::expect_records`].
    pub fn expect_records(&mut self) {
        self.calls.expect_records();
    }

    /// Every call, for another board.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.calls.snapshots()
    }

    /// What has to be kept of calls for another board: see [`Calls::take_snapshots`].
    pub fn take_snapshots(&mut self) -> Vec<(CallId, Option<Snapshot>)> {
        self.calls.take_snapshots()
    }

    /// Nobody keeps calls for another board: see [`Calls::take_snapshots`].
    pub fn forget_changes(&mut self) {
        self.calls.forget_changes();
    }

    /// Every connection that this holds for.
    pub fn devices_where(&self, holds: impl Fn(DeviceId) -> bool) -> Vec<DeviceId> {
        let devices = self.devices.keys().copied();
        devices.filter(|device| holds(*device)).collect()
    }

    /// Carries out a command.
    pub fn handle(&mut self, command: Command, now: Now) -> Vec<Output> {
        self.set_time(now);
        let mut reply = None;
        match command {
            Command::Connect {
                device,
                account,
                session,
            } => self.connect(device, account, session),
            Command::Disconnect { device, closed } => {
                self.disconnect(device, closed, now.instant);
            }
            Command::Watchers {
                user,
                watchers,
                do_not_disturb,
                version,
            } => self
                .people
                .set_watchers(&user, watchers, do_not_disturb, version),
            Command::SetStatus { device, status } => self.set_status(device, status),
            Command::EndSession { session } => self.end_session(&session),
            Command::Reply { device, message } => self.deliver(device, message),
            Command::News { user, message } => self.tell(&user, &message),
            Command::Call {
                device,
                request,
                call,
            } => reply = self.call(device, request, call, now.instant),
            Command::Adopt { calls } => self.adopt(calls, now),
        }
        self.finish(reply)
    }

    fn set_time(&mut self, now: Now) {
        self.now_ms = now.unix_ms;
        self.calls.set_time(now.unix_ms);
    }

    /// Says what follows from what was done. What the history has to keep is kept before its sender hears that it was done.
    fn finish(&mut self, reply: Option<(DeviceId, ServerMessage)>) -> Vec<Output> {
        self.announce_changes();
        let records = self.calls.take_records();
        records.iter().for_each(metrics::call_changed);
        match (records.is_empty(), reply) {
            (false, then) => self.out.push(Output::Keep { records, then }),
            (true, Some((device, message))) => self.deliver(device, message),
            (true, None) => {}
        }
        std::mem::take(&mut self.out)
    }

    /// Whoever took part in a call and has not come back is gone.
    fn give_up_missing(&mut self, now: Instant) {
        for (user, devices) in self.calls.devices() {
            let devices: BTreeSet<DeviceId> = devices;
            for device in devices {
                if !self.devices.contains_key(&device) {
                    let news = self.calls.disconnected(&user, device, false, now);
                    self.deliver_all(news);
                }
            }
        }
    }

    /// A connection is there. One that is known already says so to a board that may not know it.
    fn connect(&mut self, device: DeviceId, account: Arc<Account>, session: Option<String>) {
        if self.devices.contains_key(&device) {
            return;
        }
        let user = account.user.id.clone();
        if !account.service && self.people.devices(&user).len() >= MAX_DEVICES {
            self.out.push(Output::OneTooMany { device });
            return;
        }
        self.people.arrive(&user, account.service, device);
        self.devices.insert(device, Device { account, session });
        for message in self.kept.remove(&device).unwrap_or_default() {
            self.deliver(device, message);
        }
        let in_call = self.calls.is_in_call(&user);
        self.people.set_in_call(&user, in_call);
        self.take_part(&user, device);
    }

    /// Whoever is there already hears of calls that have been taken over.
    fn let_take_part(&mut self) {
        for user in self.calls.devices().into_keys() {
            for device in self.people.devices(&user) {
                self.take_part(&user, device);
            }
        }
    }

    /// A connection hears of its person's calls, unless it is known to take part in one.
    fn take_part(&mut self, user: &UserId, device: DeviceId) {
        if !self.calls.takes_part(user, device) {
            let news = self.calls.connected(user, device);
            self.deliver_all(news);
        }
    }

    fn disconnect(&mut self, device: DeviceId, closed: bool, now: Instant) {
        let Some(gone) = self.devices.remove(&device) else {
            return;
        };
        let user = &gone.account.user.id;
        let news = self.calls.disconnected(user, device, closed, now);
        self.deliver_all(news);
        self.people.leave(user, device);
    }

    fn set_status(&mut self, device: DeviceId, status: DeviceStatus) {
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

    /// Returns the answer to the request.
    fn call(
        &mut self,
        device: DeviceId,
        request: u64,
        call: CallCommand,
        now: Instant,
    ) -> Option<(DeviceId, ServerMessage)> {
        // Where there is none the connection was dropped while this waited.
        let user = self.devices.get(&device)?.account.user.clone();
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
            CallCommand::Other(message) => self.calls.handle(from, message, now)?,
        };
        for (user, news) in self.calls.take_missed() {
            self.tell(&user, &news);
        }
        let reply = match result {
            Ok(news) => {
                self.deliver_all(news);
                ServerMessage::Ok { id: request }
            }
            Err(code) => call_error(request, ids, code),
        };
        Some((device, reply))
    }

    /// Tells those who may see it what has changed in people's presence.
    fn announce_changes(&mut self) {
        for user in self.calls.take_affected() {
            let in_call = self.calls.is_in_call(&user);
            self.people.set_in_call(&user, in_call);
        }
        for change in self.people.take_changes() {
            let message = ServerMessage::Presence {
                user_id: change.user.clone(),
                presence: change.presence,
                last_seen_at: (change.presence == Presence::Offline).then_some(self.now_ms),
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
                        let at_ms = self.now_ms;
                        let user = change.user;
                        self.out.push(Output::LastSeen { user, at_ms });
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
            if self.settle_at.is_some() {
                self.kept.entry(to).or_default().push(message);
            }
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
        retry_after_seconds: None,
    }
}
