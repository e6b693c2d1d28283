//! The switchboard's task: this server's connections, and the board, where it is here.
//!
//! ```text
//!            the bus says: lead                    the bus says: follow
//!   alone ─────────────────────▶ leading ◀─────────────────────────────── following
//!     ▲  (the board is here)      (the board is here, for everyone)        (the board is elsewhere)
//!     └──────────────────────────── the bus is gone ───────────────────────────┘
//! ```
//!
//! Without a bus a server is always alone. Whenever the board changes, every connection is made known to the new one, and
//! what the old one has not confirmed is asked again.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use vireo_protocol::DeviceStatus;

use super::board::{Board, Output};
use super::reading::{read_watchers, recover};
use super::{Asked, Command, ONE_TOO_MANY, SIGNED_OUT, Settings, clock, sleep_until};
use crate::bus::{Bus, Epoch, Event, Instance, Letter, Numbered};
use crate::calls::{Calls, DeviceId};
use crate::history::{Confirmation, Entry, History};
use crate::queue::Queue;
use crate::store::Account;

/// So many things are done before what follows from them is written to other servers.
const AT_ONCE: usize = 256;

/// So many commands may wait for a board elsewhere to confirm them; older ones are given up.
const MAX_UNCONFIRMED: usize = 20_000;

/// A connection of this server's.
#[derive(Debug)]
pub(super) struct Local {
    pub queue: Queue,
    pub account: Arc<Account>,
    pub session: Option<String>,
    pub status: DeviceStatus,
}

/// Where the board is.
enum Place {
    Here(Box<Board>),
    Elsewhere(Epoch, Instance),
}

/// See the module.
pub(super) struct Hub {
    settings: Settings,
    place: Place,
    /// Set while this server's board serves others as well.
    leading: Option<Epoch>,
    bus: Option<Bus>,
    locals: HashMap<DeviceId, Local>,
    history: History,
    /// What this task tells itself.
    own: mpsc::WeakSender<Asked>,
    /// What other servers' connections are to hear, and which of their commands are confirmed with it.
    outgoing: BTreeMap<Instance, Vec<Output>>,
    confirmed: BTreeMap<Instance, u64>,
    /// What a board elsewhere is asked, and has not been asked yet or not confirmed.
    asked: Vec<Numbered>,
    unconfirmed: VecDeque<Numbered>,
    last_number: u64,
    /// What others ask of this server's board. It may come before this server knows that it leads.
    to_obey: Vec<(Epoch, Instance, Vec<Numbered>)>,
}

impl Hub {
    pub fn new(
        settings: Settings,
        bus: Option<Bus>,
        history: History,
        own: mpsc::WeakSender<Asked>,
    ) -> Self {
        Self {
            place: new_board(settings.answer_timeout),
            settings,
            leading: None,
            bus,
            locals: HashMap::new(),
            history,
            own,
            outgoing: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            asked: Vec::new(),
            unconfirmed: VecDeque::new(),
            last_number: 0,
            to_obey: Vec::new(),
        }
    }

    pub async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Asked>,
        mut confirmed: mpsc::UnboundedReceiver<Vec<Confirmation>>,
    ) {
        let mut some = Vec::with_capacity(AT_ONCE);
        loop {
            let deadline = match &self.place {
                Place::Here(board) => board.next_deadline(),
                Place::Elsewhere(..) => None,
            };
            tokio::select! {
                event = next_event(&mut self.bus) => self.hear(event),
                count = inbox.recv_many(&mut some, AT_ONCE), if self.may_act() => {
                    if count == 0 {
                        return;
                    }
                    for asked in some.drain(..) {
                        self.carry_out(asked);
                    }
                }
                Some(confirmations) = confirmed.recv() => {
                    for (to, message) in confirmations {
                        self.deliver(to, Output::Send { to, message });
                    }
                }
                () = sleep_until(deadline), if self.may_act() => {
                    if let Place::Here(board) = &mut self.place {
                        let out = board.tick(clock());
                        self.perform(out);
                    }
                }
            }
            self.obey();
            self.write_to_others();
        }
    }

    /// Whoever leads and has stood still for longer than the lease lasts has to ask first who leads now.
    fn may_act(&self) -> bool {
        match (&self.leading, &self.bus) {
            (Some(_), Some(bus)) => bus.may_lead(),
            _ => true,
        }
    }

    fn carry_out(&mut self, asked: Asked) {
        match asked {
            Asked::Open { device, local } => {
                let command = local.connect(device);
                self.locals.insert(device, local);
                self.submit(command);
            }
            Asked::Command(command) => {
                match &command {
                    Command::Disconnect { device, .. } => drop(self.locals.remove(device)),
                    Command::SetStatus { device, status } => {
                        if let Some(local) = self.locals.get_mut(device) {
                            local.status = *status;
                        }
                    }
                    _ => {}
                }
                self.submit(command);
            }
            Asked::Recover {
                records,
                alive_at_ms,
            } => {
                if let Place::Here(board) = &mut self.place {
                    let out = board.adopt_records(records, alive_at_ms, clock());
                    self.perform(out);
                }
            }
            Asked::Resign => {
                if let Some(bus) = &self.bus {
                    bus.resign();
                }
            }
        }
    }

    /// Hands a command to the board, wherever it is.
    fn submit(&mut self, command: Command) {
        match &mut self.place {
            Place::Here(board) => {
                let out = board.handle(command, clock());
                self.perform(out);
            }
            Place::Elsewhere(..) => {
                self.last_number += 1;
                self.asked.push(Numbered {
                    number: self.last_number,
                    command,
                });
            }
        }
    }

    fn perform(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send { to, .. } => self.deliver(to, output),
                Output::SignOut { device } | Output::OneTooMany { device } => {
                    self.deliver(device, output);
                }
                Output::LastSeen { user, at_ms } => {
                    // Nobody waits for it.
                    let _ = self.history.keep(Entry::LastSeen { user, at_ms });
                }
                Output::Keep { records, then } => {
                    let kept = self.history.keep(Entry::Calls { records, then });
                    let Err(entry) = kept else { continue };
                    tracing::error!("the database is away for too long: the history has a gap");
                    if let Entry::Calls {
                        then: Some((to, message)),
                        ..
                    } = *entry
                    {
                        self.deliver(to, Output::Send { to, message });
                    }
                }
            }
        }
    }

    /// Brings it to the connection, or to the server that has it.
    fn deliver(&mut self, to: DeviceId, output: Output) {
        let own = self
            .bus
            .as_ref()
            .is_none_or(|bus| bus.instance == to.instance());
        match (own, self.locals.get(&to), output) {
            (false, _, output) => self.outgoing.entry(to.instance()).or_default().push(output),
            (true, Some(local), Output::Send { message, .. }) => local.queue.push(message),
            (true, Some(local), Output::SignOut { .. }) => local.queue.close(SIGNED_OUT),
            (true, Some(local), Output::OneTooMany { .. }) => local.queue.close(ONE_TOO_MANY),
            (true, _, _) => {}
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Lead { epoch, calls } => self.lead(epoch, calls),
            Event::Follow { epoch, leader } => self.follow(epoch, leader),
            Event::Alone => self.stay_alone(),
            Event::Alive(members) => {
                let instances: Vec<Instance> = members.iter().map(|m| m.instance).collect();
                self.settings.others.set(members);
                self.give_up_others(|instance| !instances.contains(&instance));
            }
            Event::Letter(Letter::Commands {
                epoch,
                from,
                commands,
            }) => {
                if self.to_obey.len() < MAX_UNCONFIRMED {
                    self.to_obey.push((epoch, from, commands));
                }
            }
            Event::Letter(Letter::Outputs {
                epoch,
                confirmed,
                outputs,
            }) => self.be_told(epoch, confirmed, outputs),
        }
    }

    fn lead(&mut self, epoch: Epoch, calls: Vec<crate::calls::Snapshot>) {
        tracing::info!("this server leads");
        self.leading = Some(epoch);
        self.confirmed.clear();
        match &mut self.place {
            Place::Here(board) => board.adopt(calls, clock()),
            Place::Elsewhere(..) => {
                let first = Command::Adopt { calls };
                self.move_to(new_board(self.settings.answer_timeout), Some(first));
            }
        }
        if let Place::Here(board) = &mut self.place {
            board.expect_records();
        }
        recover(&self.settings, self.own.clone(), true);
    }

    fn follow(&mut self, epoch: Epoch, leader: Instance) {
        tracing::info!("another server leads");
        self.to_obey.retain(|(asked, ..)| *asked > epoch);
        self.leading = None;
        let here = match &self.place {
            Place::Here(board) => board.snapshots(),
            Place::Elsewhere(..) => Vec::new(),
        };
        // First, so that the connections of these calls are not taken for new ones.
        let first = (!here.is_empty()).then_some(Command::Adopt { calls: here });
        self.move_to(Place::Elsewhere(epoch, leader), first);
    }

    fn stay_alone(&mut self) {
        self.leading = None;
        match &self.place {
            Place::Here(_) => {
                let own = self.bus.as_ref().map(|bus| bus.instance);
                self.give_up_others(|instance| Some(instance) != own);
            }
            Place::Elsewhere(..) => {
                self.move_to(new_board(self.settings.answer_timeout), None);
            }
        }
    }

    /// Makes every connection known to a board that does not know it, and asks again what the old one has not confirmed.
    fn move_to(&mut self, place: Place, first: Option<Command>) {
        let again: Vec<Command> = (self.unconfirmed.drain(..).chain(self.asked.drain(..)))
            .map(|numbered| numbered.command)
            .filter(|command| !matches!(command, Command::Connect { .. }))
            .collect();
        self.outgoing.clear();
        self.place = place;
        let known = self.locals.iter().flat_map(|(&device, local)| {
            let status = Command::SetStatus {
                device,
                status: local.status,
            };
            [local.connect(device), status]
        });
        let known: Vec<Command> = known.collect();
        for command in first.into_iter().chain(known).chain(again) {
            self.submit(command);
        }
        let users = self
            .locals
            .values()
            .map(|local| local.account.user.id.clone());
        read_watchers(&self.settings.store, users.collect(), self.own.clone());
    }

    /// Connections of servers that are gone are gone as well.
    fn give_up_others(&mut self, is_gone: impl Fn(Instance) -> bool) {
        let own = self.bus.as_ref().map(|bus| bus.instance);
        if let Place::Here(board) = &mut self.place {
            let gone = board.devices_where(|device| {
                Some(device.instance()) != own && is_gone(device.instance())
            });
            for device in gone {
                let closed = false;
                self.submit(Command::Disconnect { device, closed });
            }
        }
    }

    /// Does what others ask of this server's board, in the order in which they asked, once it is sure that it leads.
    fn obey(&mut self) {
        let (Some(leading), true) = (self.leading, self.may_act()) else {
            return;
        };
        for (epoch, from, commands) in std::mem::take(&mut self.to_obey) {
            match epoch.cmp(&leading) {
                Ordering::Less => {} // It asks again, whoever it takes for the leader now.
                Ordering::Equal => self.obey_one(from, commands),
                Ordering::Greater => self.to_obey.push((epoch, from, commands)),
            }
        }
    }

    fn obey_one(&mut self, from: Instance, commands: Vec<Numbered>) {
        self.outgoing.entry(from).or_default();
        for Numbered { number, command } in commands {
            let confirmed = self.confirmed.entry(from).or_default();
            if number <= *confirmed {
                continue; // Redis has carried it twice.
            }
            *confirmed = number;
            self.submit(command);
        }
    }

    /// The server that leads answers.
    fn be_told(&mut self, from_epoch: Epoch, confirmed: u64, outputs: Vec<Output>) {
        if !matches!(self.place, Place::Elsewhere(epoch, _) if epoch == from_epoch) {
            return; // It does not lead any more.
        }
        let is_done = |numbered: &Numbered| numbered.number <= confirmed;
        while self.unconfirmed.front().is_some_and(is_done) {
            self.unconfirmed.pop_front();
        }
        self.perform(outputs);
    }

    /// Ends a round: writes to other servers what has come of it.
    fn write_to_others(&mut self) {
        let Some(bus) = &self.bus else {
            if let Place::Here(board) = &mut self.place {
                board.forget_changes(); // There is nobody to take a call over.
            }
            return;
        };
        if let Some(epoch) = self.leading {
            // What has changed while this server was alone is among it.
            if let Place::Here(board) = &mut self.place {
                bus.keep(board.take_snapshots());
            }
            for (to, outputs) in std::mem::take(&mut self.outgoing) {
                let confirmed = self.confirmed.get(&to).copied().unwrap_or_default();
                let letter = Letter::Outputs {
                    epoch,
                    confirmed,
                    outputs,
                };
                bus.write(to, letter);
            }
        }
        self.outgoing.clear();
        if let (Place::Elsewhere(epoch, leader), false) = (&self.place, self.asked.is_empty()) {
            self.unconfirmed.extend(self.asked.iter().cloned());
            let too_many = self.unconfirmed.len().saturating_sub(MAX_UNCONFIRMED);
            self.unconfirmed.drain(..too_many);
            let letter = Letter::Commands {
                epoch: *epoch,
                from: bus.instance,
                commands: std::mem::take(&mut self.asked),
            };
            bus.write(*leader, letter);
        }
    }
}

impl Local {
    fn connect(&self, device: DeviceId) -> Command {
        Command::Connect {
            device,
            account: Arc::clone(&self.account),
            session: self.session.clone(),
        }
    }
}

fn new_board(answer_timeout: Duration) -> Place {
    Place::Here(Box::new(Board::new(Calls::new(answer_timeout))))
}

async fn next_event(bus: &mut Option<Bus>) -> Event {
    match bus {
        Some(bus) => bus.next_event().await,
        None => std::future::pending().await,
    }
}
