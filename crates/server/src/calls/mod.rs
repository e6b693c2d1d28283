//! The calls that are going on, without sockets, clocks or storage: every method takes what happened and the time, and
//! says which device is to hear what. The caller has already checked that the sender is a member of the chat.
//!
//! ```text
//!             initiate                     answer                  end
//!  (nothing) ──────────▶ Ringing ────────────────────▶ Active ─────────────▶ (nothing)
//!                           │ reject, end, time-out,     │ end, while the other
//!                           │ a side's connection lost   │ side is not connected
//!                           ▼                            ▼
//!                       (nothing)                      Ended ─── two minutes ───▶ (nothing)
//! ```
//!
//! Every device that the absent side connects within those two minutes is told of the end: the server cannot know which of
//! them was in the call.
//!
//! Where a side has closed its connection to an active call and does not come back, or is not heard of for very long, the other
//! one is told. The call goes on all the same: whether media flows, only that side knows.
//!
//! While a call rings, a lost connection ends it. An active call outlives its connections, since its media does not go
//! through here: what the other side says meanwhile is kept, and given to the next connection of that person.

mod leg;
mod messages;
mod record;
mod ringing;
mod snapshot;
mod starting;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vireo_protocol::{CallErrorCode, CallId, CallOutcome, ChatId, ServerMessage, UserId};

use leg::Leg;
use ringing::Ringing;

pub use record::CallRecord;
pub use ringing::{Callee, Caller, Offer};
pub use snapshot::Snapshot;

/// A side whose connection is gone counts as busy for so long; then it has probably left for good.
const BUSY_AFTER_LOSS: Duration = Duration::from_secs(30);

/// A side that is not heard of any more may have no network; after so long it has probably left for good as well.
const GONE_AFTER_SILENCE: Duration = Duration::from_secs(600);

/// A call with both connections gone is forgotten after so long, and so is the news that a call has ended.
const FORGET_AFTER: Duration = Duration::from_secs(120);

/// A connection: the number of the server that has it in the upper half, and in the lower half the connections of that
/// server, numbered in the order in which they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceId(pub u64);

impl DeviceId {
    /// The connection of this number of that server.
    pub fn new(instance: u32, number: u32) -> Self {
        Self((u64::from(instance) << 32) | u64::from(number))
    }

    /// The server that has the connection.
    pub fn instance(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// Something for one device to hear.
#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    /// Who is to hear it.
    pub to: DeviceId,
    /// What.
    pub message: ServerMessage,
}

/// Who says something about a call.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The person.
    pub user: &'a UserId,
    /// The connection they say it through.
    pub device: DeviceId,
}

/// Every call of this server.
#[derive(Debug)]
pub struct Calls {
    calls: HashMap<CallId, Call>,
    by_user: HashMap<UserId, HashSet<CallId>>,
    deadlines: BTreeSet<(Instant, CallId)>,
    answer_timeout: Duration,
    /// Those for whom a call has begun or ended since they were asked for.
    affected: BTreeSet<UserId>,
    /// What the history has to learn since it was asked for.
    records: Vec<CallRecord>,
    /// Whom somebody has called in vain since it was asked for, since they had another call, and what they are to hear.
    missed: Vec<(UserId, ServerMessage)>,
    /// Calls of the history that have ended, while it is still to be learnt which went on before this board was there.
    ended: Option<HashSet<String>>,
    /// Calls that have begun, been answered or ended since this was asked for: what another board would have to know.
    changed: BTreeSet<CallId>,
    /// The time of day, in milliseconds since the Unix epoch. Only the history is told.
    now_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Call {
    record: CallRecord,
    chat: ChatId,
    caller: Party,
    callee: Party,
    #[serde(skip)]
    deadline: Option<Instant>,
    /// When the last of the two sides lost its connection, while both are away.
    away_since_ms: Option<i64>,
    state: State,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Party {
    user: UserId,
    candidates: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum State {
    Ringing(Ringing),
    Active {
        caller: Leg,
        callee: Leg,
    },
    /// The side that was away has yet to hear that the call is over.
    Ended {
        away: Side,
        notice: ServerMessage,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Side {
    Caller,
    Callee,
}

type Answer = Result<Vec<Send>, CallErrorCode>;

/// Which call a message is about, and in which chat.
pub type Ids = (CallId, ChatId);

impl Calls {
    /// No calls. One that nobody answers ends after `answer_timeout`.
    pub fn new(answer_timeout: Duration) -> Self {
        Self {
            calls: HashMap::new(),
            by_user: HashMap::new(),
            deadlines: BTreeSet::new(),
            answer_timeout,
            affected: BTreeSet::new(),
            records: Vec::new(),
            missed: Vec::new(),
            ended: Some(HashSet::new()),
            changed: BTreeSet::new(),
            now_ms: 0,
        }
    }

    /// When [`Calls::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A connection was opened. It rings where its person is being called, and hears what they missed of a call in progress.
    pub fn connected(&mut self, user: &UserId, device: DeviceId) -> Vec<Send> {
        let mut out = Vec::new();
        for id in self.ids_of(user) {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            match (call.side_of(user), &mut call.state) {
                (Some(Side::Callee), State::Ringing(ringing)) => {
                    out.extend(ringing.device_opened(device));
                }
                (Some(Side::Caller), State::Ringing(ringing)) => ringing.caller_opened(device),
                (Some(side), State::Active { caller, callee }) => {
                    let (own, other) = match side {
                        Side::Caller => (caller, callee),
                        Side::Callee => (callee, caller),
                    };
                    out.extend(own.device_opened(device));
                    if other.reported_gone {
                        out.push(Send {
                            to: device,
                            message: gone(&id, &call.chat),
                        });
                    }
                }
                (Some(side), State::Ended { away, notice }) if side == *away => out.push(Send {
                    to: device,
                    message: notice.clone(),
                }),
                (_, State::Ringing(_) | State::Active { .. } | State::Ended { .. }) => {}
            }
            if matches!(call.state, State::Active { .. }) {
                call.away_since_ms = None; // Somebody is there again.
                let at = call.gone_at();
                self.set_deadline(&id, at);
            }
        }
        out
    }

    /// A connection is gone; `closed` where the client has closed it.
    pub fn disconnected(
        &mut self,
        user: &UserId,
        device: DeviceId,
        closed: bool,
        now: Instant,
    ) -> Vec<Send> {
        let mut out = Vec::new();
        self.affected.insert(user.clone());
        for id in self.ids_of(user) {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            match &mut call.state {
                State::Ringing(ringing) => {
                    if let Some((news, outcome)) = ringing.device_lost(&id, &call.chat, device) {
                        out.extend(news);
                        self.end_in_history(&id, outcome, self.now_ms);
                        self.forget(&id);
                    }
                }
                State::Active { caller, callee } => {
                    caller.device_lost(device, closed, now);
                    callee.device_lost(device, closed, now);
                    let deadline = if caller.is_away() && callee.is_away() {
                        call.away_since_ms = Some(self.now_ms);
                        Some(now + FORGET_AFTER)
                    } else {
                        call.gone_at()
                    };
                    self.set_deadline(&id, deadline);
                }
                State::Ended { .. } => {}
            }
        }
        out
    }

    /// Ends what has waited too long.
    pub fn tick(&mut self, now: Instant) -> Vec<Send> {
        let mut out = Vec::new();
        while let Some((at, id)) = self.deadlines.first().cloned() {
            if at > now {
                break;
            }
            let Some(call) = self.calls.get_mut(&id) else {
                self.deadlines.remove(&(at, id));
                continue;
            };
            if call.goes_on() {
                out.extend(call.report_gone(&id, now));
                let next = call.gone_at();
                self.changed.insert(id.clone());
                self.set_deadline(&id, next);
                continue;
            }
            let (outcome, ended_at) = match &call.state {
                State::Ringing(ringing) => {
                    out.extend(ringing.nobody_answered(&id, &call.chat));
                    (CallOutcome::NoAnswer, self.now_ms)
                }
                State::Active { .. } | State::Ended { .. } => {
                    let gone = call.away_since_ms.unwrap_or(self.now_ms);
                    (CallOutcome::Completed, gone)
                }
            };
            self.end_in_history(&id, outcome, ended_at);
            self.forget(&id);
        }
        out
    }

    /// What time of day it is.
    pub fn set_time(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
    }

    /// What the history has to learn: calls that have begun, been answered, or ended.
    pub fn take_records(&mut self) -> Vec<CallRecord> {
        std::mem::take(&mut self.records)
    }

    /// Who is to hear, on every device, that somebody has called in vain since this was asked last.
    pub fn take_missed(&mut self) -> Vec<(UserId, ServerMessage)> {
        std::mem::take(&mut self.missed)
    }

    /// Everyone for whom a call may have begun or ended since this was asked last.
    pub fn take_affected(&mut self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.affected)
    }

    /// Whether a call of the person's rings or goes on.
    pub fn is_in_call(&self, user: &UserId) -> bool {
        let is_over = |call: &Call| matches!(call.state, State::Ended { .. });
        self.calls_of(user)
            .any(|call| !is_over(call) && !call.is_abandoned_by(user))
    }

    fn ids_of(&self, user: &UserId) -> Vec<CallId> {
        self.by_user
            .get(user)
            .map(|ids| ids.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn calls_of(&self, user: &UserId) -> impl Iterator<Item = &Call> {
        let ids = self.by_user.get(user).into_iter().flatten();
        ids.filter_map(|id| self.calls.get(id))
    }

    fn set_deadline(&mut self, id: &CallId, at: Option<Instant>) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut call.deadline, at) {
            self.deadlines.remove(&(old, id.clone()));
        }
        if let Some(at) = at {
            self.deadlines.insert((at, id.clone()));
        }
    }

    /// The call is over; the first reason and time that is given counts.
    fn end_in_history(&mut self, id: &CallId, outcome: CallOutcome, at_ms: i64) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        if call.record.outcome.is_none() {
            call.record = call.record.clone().ended(outcome, at_ms);
            self.records.push(call.record.clone());
            if let Some(ended) = &mut self.ended {
                ended.insert(call.record.id.clone());
            }
        }
    }

    fn forget(&mut self, id: &CallId) {
        self.set_deadline(id, None);
        self.changed.insert(id.clone());
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        for user in [&call.caller.user, &call.callee.user] {
            self.affected.insert(user.clone());
            if let Some(ids) = self.by_user.get_mut(user) {
                ids.remove(id);
                if ids.is_empty() {
                    self.by_user.remove(user);
                }
            }
        }
    }
}

impl Call {
    fn side_of(&self, user: &UserId) -> Option<Side> {
        match user {
            user if *user == self.caller.user => Some(Side::Caller),
            user if *user == self.callee.user => Some(Side::Callee),
            _ => None,
        }
    }

    fn party_mut(&mut self, side: Side) -> &mut Party {
        match side {
            Side::Caller => &mut self.caller,
            Side::Callee => &mut self.callee,
        }
    }

    /// Whether it is active and somebody is there to hear of it.
    fn goes_on(&self) -> bool {
        match &self.state {
            State::Active { caller, callee } => !caller.is_away() || !callee.is_away(),
            State::Ringing(_) | State::Ended { .. } => false,
        }
    }

    /// When the next side of an active call that was lost counts as gone for good.
    fn gone_at(&self) -> Option<Instant> {
        match &self.state {
            State::Active { caller, callee } => {
                caller.gone_at().into_iter().chain(callee.gone_at()).min()
            }
            State::Ringing(_) | State::Ended { .. } => None,
        }
    }

    /// Tells either side of an active call that the other one is gone, once that is so.
    fn report_gone(&mut self, id: &CallId, now: Instant) -> Vec<Send> {
        let State::Active { caller, callee } = &mut self.state else {
            return Vec::new();
        };
        let message = gone(id, &self.chat);
        let report = |one: &mut Leg, other: &Leg| {
            if one.gone_at().is_none_or(|at| at > now) {
                return Vec::new();
            }
            one.reported_gone = true;
            other.tell(&message)
        };
        let mut out = report(caller, callee);
        out.extend(report(callee, caller));
        out
    }

    /// Whether the person lost their connection to this call and has not spoken in it since.
    fn is_abandoned_by(&self, user: &UserId) -> bool {
        match (&self.state, self.side_of(user)) {
            (State::Active { caller, .. }, Some(Side::Caller)) => caller.is_abandoned(),
            (State::Active { callee, .. }, Some(Side::Callee)) => callee.is_abandoned(),
            (State::Active { .. }, None) | (State::Ringing(_) | State::Ended { .. }, _) => false,
        }
    }

    /// Whether this call is a reason for the person not to take another one.
    fn keeps_busy(&self, user: &UserId, now: Instant) -> bool {
        match (&self.state, self.side_of(user)) {
            (State::Ringing(_), _) => true,
            (State::Active { caller, .. }, Some(Side::Caller)) => caller.keeps_busy(now),
            (State::Active { callee, .. }, Some(Side::Callee)) => callee.keeps_busy(now),
            (State::Active { .. }, None) | (State::Ended { .. }, _) => false,
        }
    }
}

/// What a side of an active call hears when the other one does not come back.
fn gone(id: &CallId, chat: &ChatId) -> ServerMessage {
    let code = CallErrorCode::UserOffline;
    ServerMessage::CallError {
        id: None,
        call_id: id.clone(),
        chat_id: chat.clone(),
        code,
        message: code.message().to_owned(),
        retry_after_seconds: None,
    }
}

impl Party {
    fn new(user: &UserId) -> Self {
        Self {
            user: user.clone(),
            candidates: 0,
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}
