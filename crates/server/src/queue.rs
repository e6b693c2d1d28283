//! What a connection still has to be told, the urgent first: what calls and replies say, then contacts, then presence, of
//! which only the newest of each person is kept. A flood of presence therefore never delays a hang-up.
//!
//! The queue is bounded. Whoever does not read is let go, so that one slow reader costs a bounded amount of memory and
//! holds nobody up. An empty queue holds no memory, since most connections are idle most of the time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use vireo_protocol::{ServerMessage, UserId};

use crate::close::{self, Close};
use crate::metrics;

/// So many messages may wait for a connection in each lane but that of presence, which is bounded by the contacts.
pub const CAPACITY: usize = 512;

const NOT_READ: Close = (close::POLICY, "You do not read your messages.");

/// What the end that empties the queue gets.
#[derive(Debug, PartialEq)]
pub enum Item {
    /// Send this.
    Message(ServerMessage),
    /// Close the connection; what still waits does not matter any more.
    Close(Close),
}

/// The end that fills the queue; cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue(Arc<Shared>);

/// The end that empties the queue.
#[derive(Debug)]
pub struct Waiting(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lanes: Mutex<Lanes>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Lanes {
    calls: VecDeque<ServerMessage>,
    contacts: VecDeque<ServerMessage>,
    presence: BTreeMap<UserId, ServerMessage>,
    close: Option<Close>,
}

/// A new queue: the end that fills and the end that empties.
pub fn queue() -> (Queue, Waiting) {
    let shared = Arc::<Shared>::default();
    (Queue(Arc::clone(&shared)), Waiting(shared))
}

impl Queue {
    /// Adds a message. When there is no room for it the connection is as good as dead, and is told to end.
    pub fn push(&self, message: ServerMessage) {
        metrics::count_refusal(&message);
        self.0.change(|lanes| lanes.push(message));
        self.0.waker.wake();
    }

    /// Ends the connection, for the first reason that is given.
    pub fn close(&self, close: Close) {
        self.0.lanes().close.get_or_insert(close);
        self.0.waker.wake();
    }
}

impl Waiting {
    /// What is to be done next.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Item> {
        if let Some(item) = self.0.change(Lanes::pop) {
            return Poll::Ready(item);
        }
        self.0.waker.register(context.waker());
        // Something may have come between the first look and the registration.
        match self.0.change(Lanes::pop) {
            Some(item) => Poll::Ready(item),
            None => Poll::Pending,
        }
    }

    /// A message that waits; nothing where there is none, or the connection is to be closed.
    pub fn take(&self) -> Option<ServerMessage> {
        match self.0.change(Lanes::pop)? {
            Item::Message(message) => Some(message),
            Item::Close(_) => None,
        }
    }
}

impl Shared {
    /// Changes the lanes, and counts what waits in them.
    fn change<T>(&self, change: impl FnOnce(&mut Lanes) -> T) -> T {
        let mut lanes = self.lanes();
        let before = lanes.lengths();
        let done = change(&mut lanes);
        metrics::waiting_changed(before, lanes.lengths());
        done
    }

    /// The lanes stay right when a holder of the lock has panicked: nothing in them spans two steps.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        metrics::waiting_changed(self.lanes().lengths(), [0; 3]);
    }
}

impl Lanes {
    /// How much waits, the urgent first.
    fn lengths(&self) -> [usize; 3] {
        [self.calls.len(), self.contacts.len(), self.presence.len()]
    }

    fn push(&mut self, message: ServerMessage) {
        use ServerMessage as M;
        if self.close.is_some() {
            return;
        }
        match &message {
            M::Presence { user_id, .. } => {
                self.presence.insert(user_id.clone(), message);
                return;
            }
            // The newest presence is in these, and what waits is older.
            M::Contact { contact, .. } => drop(self.presence.remove(&contact.user_id)),
            M::Contacts { .. } => self.presence = BTreeMap::new(),
            M::ContactRemoved { user_id } => drop(self.presence.remove(user_id)),
            M::Calls { .. } => {}
            // No call may overtake what decides whether it is heard.
            M::DoNotDisturb { .. }
            | M::Hello { .. }
            | M::Ok { .. }
            | M::Error { .. }
            | M::CallOffer { .. }
            | M::CallRinging { .. }
            | M::CallAnswer { .. }
            | M::CallIceCandidate { .. }
            | M::CallMediaState { .. }
            | M::CallRestart { .. }
            | M::CallEnd { .. }
            | M::CallRejected { .. }
            | M::CallMissed { .. }
            | M::CallError { .. } => return self.add(|lanes| &mut lanes.calls, message),
        }
        self.add(|lanes| &mut lanes.contacts, message);
    }

    fn add(
        &mut self,
        lane: impl Fn(&mut Self) -> &mut VecDeque<ServerMessage>,
        message: ServerMessage,
    ) {
        let lane = lane(self);
        if lane.len() < CAPACITY {
            lane.push_back(message);
            return;
        }
        *self = Self {
            close: Some(NOT_READ),
            ..Self::default()
        };
    }

    fn pop(&mut self) -> Option<Item> {
        if let Some(close) = self.close {
            return Some(Item::Close(close));
        }
        let message = pop(&mut self.calls)
            .or_else(|| pop(&mut self.contacts))
            .or_else(|| self.pop_presence())?;
        Some(Item::Message(message))
    }

    fn pop_presence(&mut self) -> Option<ServerMessage> {
        let (_, message) = self.presence.pop_first()?;
        if self.presence.is_empty() {
            // A map that has been emptied keeps room for eleven.
            self.presence = BTreeMap::new();
        }
        Some(message)
    }
}

/// The first of the lane, whose memory is given back with the last.
fn pop(lane: &mut VecDeque<ServerMessage>) -> Option<ServerMessage> {
    let message = lane.pop_front()?;
    if lane.is_empty() {
        *lane = VecDeque::new();
    }
    Some(message)
}

#[cfg(test)]
mod tests {
    use vireo_protocol::{CallId, ChatId, EndReason, Presence};

    use super::*;

    fn presence(user: &str, presence: Presence) -> ServerMessage {
        ServerMessage::Presence {
            user_id: UserId(user.to_owned()),
            presence,
            last_seen_at: None,
        }
    }

    fn contacts() -> ServerMessage {
        ServerMessage::Contacts {
            id: 1,
            contacts: Vec::new(),
        }
    }

    fn hang_up() -> ServerMessage {
        ServerMessage::CallEnd {
            call_id: CallId("c".into()),
            chat_id: ChatId("ab".into()),
            reason: EndReason::HungUp,
        }
    }

    fn take(waiting: &Waiting) -> Vec<Item> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut items = Vec::new();
        while let Poll::Ready(item) = waiting.poll_next(&mut context) {
            let over = matches!(item, Item::Close(_));
            items.push(item);
            if over {
                break;
            }
        }
        items
    }

    #[test]
    fn a_hang_up_overtakes_a_flood_of_presence() {
        let (queue, waiting) = queue();
        for n in 0..10_000 {
            queue.push(presence(&format!("user {n}"), Presence::Online));
        }
        queue.push(contacts());
        queue.push(hang_up());
        let items = take(&waiting);
        // A list is newer than the presence that waited before it.
        let expected = [hang_up(), contacts()].map(Item::Message);
        assert_eq!(items, expected);
    }

    #[test]
    fn of_presence_only_the_newest_is_kept() {
        let (queue, waiting) = queue();
        for state in [Presence::Online, Presence::Offline, Presence::Online] {
            queue.push(presence("ann", state));
            queue.push(presence("bob", Presence::Offline));
        }
        let expected = [
            presence("ann", Presence::Online),
            presence("bob", Presence::Offline),
        ];
        assert_eq!(take(&waiting), expected.map(Item::Message));
    }

    #[test]
    fn who_does_not_read_is_let_go_and_costs_nothing_more() {
        let (queue, waiting) = queue();
        for id in 0..=CAPACITY as u64 {
            queue.push(ServerMessage::Ok { id });
        }
        queue.push(hang_up());
        assert_eq!(take(&waiting), [Item::Close(NOT_READ)]);
        assert!(waiting.0.lanes().calls.is_empty());
    }

    #[test]
    fn the_first_reason_to_close_counts_and_an_empty_lane_holds_no_memory() {
        let (queue, waiting) = queue();
        queue.push(hang_up());
        assert_eq!(take(&waiting), [Item::Message(hang_up())]);
        assert_eq!(waiting.0.lanes().calls.capacity(), 0);
        queue.push(hang_up());
        queue.close((4001, "Signed out."));
        queue.close((1012, "Come back."));
        assert_eq!(take(&waiting), [Item::Close((4001, "Signed out."))]);
    }
}
