//! The calls that are going on, without sockets, clocks or storage: every method takes what happened and the time, and
//! says which device is to hear what. The caller has already checked that the sender is a member of the chat.
//!
//! ```text
//!             initiate                     answer                  end
//!  (nothing) ──────────▶ Ringing ────────────────────▶ Active ─────────────▶ (nothing)
//!                           │ reject, end, time-out,     │ end, while the other
//!                           │ a side's connection lost   │ side is not connected
//!                           ▼                            ▼
//!                       (nothing)                      Ended ── told, or too late ──▶ (nothing)
//! ```
//!
//! While a call rings, a lost connection ends it. An active call outlives its connections, since its media does not go
//! through here: what the other side says meanwhile is kept, and given to the next connection of that person.

mod leg;
mod ringing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use vireo_protocol::{
    CallErrorCode, CallId, ChatId, ClientMessage, EndReason, IceCandidate, MAX_CANDIDATES_PER_SIDE,
    MediaState, ServerMessage, SessionDescription, UserId,
};

use leg::Leg;
use ringing::Ringing;

pub use ringing::{Callee, Caller, Offer};

/// A side whose connection is gone counts as busy for so long; then it has probably left for good.
const BUSY_AFTER_LOSS: Duration = Duration::from_secs(30);

/// A call with both connections gone is forgotten after so long, and so is the news that a call has ended.
const FORGET_AFTER: Duration = Duration::from_secs(120);

/// A connection, numbered in the order in which they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u64);

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
    /// The newest connection there has been.
    newest: DeviceId,
}

#[derive(Debug)]
struct Call {
    chat: ChatId,
    caller: Party,
    callee: Party,
    deadline: Option<Instant>,
    state: State,
}

#[derive(Debug)]
struct Party {
    user: UserId,
    candidates: usize,
}

#[derive(Debug)]
enum State {
    Ringing(Ringing),
    Active {
        caller: Leg,
        callee: Leg,
        /// The newest connection at the time of the answer. A later one of the same person can only be that device
        /// coming back; an earlier one is another device, which has no say in this call.
        newest_at_answer: DeviceId,
    },
    /// The side that was away has yet to hear that the call is over.
    Ended {
        away: Side,
        notice: ServerMessage,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            newest: DeviceId(0),
        }
    }

    /// When [`Calls::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A connection was opened. It hears what its person missed of a call in progress.
    pub fn connected(&mut self, user: &UserId, device: DeviceId) -> Vec<Send> {
        self.newest = self.newest.max(device);
        let mut out = Vec::new();
        let mut say = |message: &ServerMessage| {
            out.push(Send {
                to: device,
                message: message.clone(),
            });
        };
        for call in self.calls_of(user) {
            match (&call.state, call.side_of(user)) {
                (State::Active { caller, .. }, Some(Side::Caller)) => {
                    caller.missed().for_each(&mut say);
                }
                (State::Active { callee, .. }, Some(Side::Callee)) => {
                    callee.missed().for_each(&mut say);
                }
                (State::Ended { away, notice }, Some(side)) if side == *away => say(notice),
                (State::Ringing(_) | State::Active { .. } | State::Ended { .. }, _) => {}
            }
        }
        out
    }

    /// A connection was closed.
    pub fn disconnected(&mut self, user: &UserId, device: DeviceId, now: Instant) -> Vec<Send> {
        let mut out = Vec::new();
        for id in self.ids_of(user) {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            match &mut call.state {
                State::Ringing(ringing) => {
                    if let Some(news) = ringing.device_lost(&id, &call.chat, device) {
                        out.extend(news);
                        self.forget(&id);
                    }
                }
                State::Active { caller, callee, .. } => {
                    caller.device_lost(device, now);
                    callee.device_lost(device, now);
                    if caller.is_away() && callee.is_away() {
                        self.set_deadline(&id, Some(now + FORGET_AFTER));
                    }
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
            if let Some(Call {
                chat,
                state: State::Ringing(ringing),
                ..
            }) = self.calls.get(&id)
            {
                out.extend(ringing.nobody_answered(&id, chat));
            }
            self.forget(&id);
        }
        out
    }

    /// Rings the callee.
    pub fn initiate(
        &mut self,
        caller: Caller,
        callee: Callee,
        offer: Offer,
        now: Instant,
    ) -> Answer {
        if !offer.call_id.is_well_formed() || self.calls.contains_key(&offer.call_id) {
            return Err(CallErrorCode::InvalidCall);
        }
        let mut out = self.give_up_abandoned(&caller.user.id);
        if callee.devices.is_empty() {
            return Err(CallErrorCode::UserOffline);
        }
        let glare = |call: &Call| {
            call.chat == offer.chat_id
                && call.caller.user == callee.user
                && matches!(call.state, State::Ringing(_))
        };
        // A service takes as many calls as it likes and declines by itself.
        let busy = |user: &UserId, service: bool| {
            !service
                && self
                    .calls_of(user)
                    .any(|call| !glare(call) && call.keeps_busy(user, now))
        };
        if busy(&caller.user.id, false) || busy(&callee.user, callee.service) {
            return Err(CallErrorCode::UserBusy);
        }
        let id = offer.call_id.clone();
        let call = Call {
            chat: offer.chat_id.clone(),
            caller: Party::new(&caller.user.id),
            callee: Party::new(&callee.user),
            deadline: None,
            state: State::Ringing(Ringing::new(caller.device, &callee.devices)),
        };
        for user in [&call.caller.user, &call.callee.user] {
            let ids = self.by_user.entry(user.clone()).or_default();
            ids.insert(id.clone());
        }
        self.calls.insert(id.clone(), call);
        self.set_deadline(&id, Some(now + self.answer_timeout));
        let message = offer.into_message(caller.user);
        out.extend(callee.devices.iter().map(|&to| Send {
            to,
            message: message.clone(),
        }));
        Ok(out)
    }

    /// Carries out what a member of the chat says about a call that exists. Nothing where the message is of another sort.
    pub fn handle(
        &mut self,
        from: Sender<'_>,
        message: ClientMessage,
        now: Instant,
    ) -> Option<(Ids, Answer)> {
        use ClientMessage as M;
        let (ids, answer) = match message {
            M::CallRinging { call_id, chat_id } => {
                let answer = self.ringing(from, &call_id, &chat_id);
                ((call_id, chat_id), answer)
            }
            M::CallAnswer {
                call_id,
                chat_id,
                answer,
                media_state,
            } => {
                let answer = self.answer(from, &call_id, &chat_id, answer, media_state);
                ((call_id, chat_id), answer)
            }
            M::CallIceCandidate {
                call_id,
                chat_id,
                candidate,
            } => {
                let answer = self.candidate(from, &call_id, &chat_id, candidate);
                ((call_id, chat_id), answer)
            }
            M::CallMediaState {
                call_id,
                chat_id,
                media_state,
            } => {
                let answer = self.media_state(from, &call_id, &chat_id, media_state);
                ((call_id, chat_id), answer)
            }
            M::CallEnd {
                call_id,
                chat_id,
                reason,
            } => {
                let answer = self.end(from, &call_id, &chat_id, reason, now);
                ((call_id, chat_id), answer)
            }
            M::CallReject {
                call_id,
                chat_id,
                busy,
            } => {
                let answer = self.reject(from, &call_id, &chat_id, busy);
                ((call_id, chat_id), answer)
            }
            M::Hello { .. }
            | M::ContactsList {}
            | M::ContactsAdd { .. }
            | M::CallInitiate { .. } => return None,
        };
        Some((ids, answer))
    }

    /// A device of the callee's rings.
    pub fn ringing(&mut self, from: Sender<'_>, id: &CallId, chat: &ChatId) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Callee => {
                ringing.device_rings(id, chat, from.device)
            }
            State::Ringing(_) | State::Active { .. } | State::Ended { .. } => {
                Err(CallErrorCode::NoSuchCall)
            }
        }
    }

    /// A device of the callee's accepts.
    pub fn answer(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        answer: SessionDescription,
        media_state: MediaState,
    ) -> Answer {
        let newest_at_answer = self.newest;
        let (call, side) = self.find(from, id, chat)?;
        let State::Ringing(ringing) = &call.state else {
            return Err(CallErrorCode::NoSuchCall);
        };
        if side != Side::Callee || !ringing.rings_at(from.device) {
            return Err(CallErrorCode::NoSuchCall);
        }
        let mut out = vec![Send {
            to: ringing.caller(),
            message: ServerMessage::CallAnswer {
                call_id: id.clone(),
                chat_id: chat.clone(),
                answer,
                media_state,
            },
        }];
        out.extend(ringing.tell_other_devices(id, chat, from.device, EndReason::AnsweredElsewhere));
        call.state = State::Active {
            caller: Leg::at(ringing.caller()),
            callee: Leg::at(from.device),
            newest_at_answer,
        };
        self.set_deadline(&id.clone(), None);
        Ok(out)
    }

    /// A candidate for the other side.
    pub fn candidate(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        candidate: IceCandidate,
    ) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        let party = call.party_mut(side);
        if party.candidates >= MAX_CANDIDATES_PER_SIDE {
            return Err(CallErrorCode::InvalidCandidate);
        }
        party.candidates += 1;
        let message = ServerMessage::CallIceCandidate {
            call_id: id.clone(),
            chat_id: chat.clone(),
            candidate,
        };
        self.forward(from, id, side, message)
    }

    /// What a side sends from now on, for the other side.
    pub fn media_state(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        media_state: MediaState,
    ) -> Answer {
        let (_, side) = self.find(from, id, chat)?;
        let message = ServerMessage::CallMediaState {
            call_id: id.clone(),
            chat_id: chat.clone(),
            media_state,
        };
        self.forward(from, id, side, message)
    }

    /// A side cancels, gives up or hangs up.
    pub fn end(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
        reason: EndReason,
        now: Instant,
    ) -> Answer {
        // The sender knows of these two only; whether it was a cancel is for this table to say.
        let reason = match reason {
            EndReason::ConnectionFailed => EndReason::ConnectionFailed,
            EndReason::HungUp
            | EndReason::Cancelled
            | EndReason::NoAnswer
            | EndReason::AnsweredElsewhere
            | EndReason::DeclinedElsewhere => EndReason::HungUp,
        };
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) => {
                let out = ringing.ended_by(id, chat, from.device, side == Side::Caller, reason)?;
                self.forget(id);
                Ok(out)
            }
            State::Active { .. } => {
                let notice = ServerMessage::CallEnd {
                    call_id: id.clone(),
                    chat_id: chat.clone(),
                    reason,
                };
                let out = self.forward(from, id, side, notice.clone())?;
                self.finish(id, side.other(), notice, &out, now);
                Ok(out)
            }
            State::Ended { .. } => Err(CallErrorCode::NoSuchCall),
        }
    }

    /// A device of the callee's declines.
    pub fn reject(&mut self, from: Sender<'_>, id: &CallId, chat: &ChatId, busy: bool) -> Answer {
        let (call, side) = self.find(from, id, chat)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Callee => {
                let (out, over) = ringing.rejected_by(id, chat, from.device, busy)?;
                if over {
                    self.forget(id);
                }
                Ok(out)
            }
            State::Ringing(_) | State::Active { .. } | State::Ended { .. } => {
                Err(CallErrorCode::NoSuchCall)
            }
        }
    }

    /// The call of this id, where the sender belongs to it.
    fn find(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        chat: &ChatId,
    ) -> Result<(&mut Call, Side), CallErrorCode> {
        let call = self
            .calls
            .get_mut(id)
            .filter(|call| call.chat == *chat)
            .ok_or(CallErrorCode::NoSuchCall)?;
        let side = call.side_of(from.user).ok_or(CallErrorCode::AccessDenied)?;
        Ok((call, side))
    }

    /// Passes a message on to the other side of a call.
    fn forward(
        &mut self,
        from: Sender<'_>,
        id: &CallId,
        side: Side,
        message: ServerMessage,
    ) -> Answer {
        let call = self.calls.get_mut(id).ok_or(CallErrorCode::NoSuchCall)?;
        match &mut call.state {
            State::Ringing(ringing) if side == Side::Caller => {
                ringing.caller_says(from.device, &message)
            }
            State::Active {
                caller,
                callee,
                newest_at_answer,
            } => {
                let (own, other) = match side {
                    Side::Caller => (caller, callee),
                    Side::Callee => (callee, caller),
                };
                own.claim(from.device, *newest_at_answer)?;
                let out = other.deliver(message);
                self.set_deadline(id, None); // Somebody is there again.
                Ok(out)
            }
            // The callee has nothing to say before it has answered, and nobody has after the end.
            State::Ringing(_) | State::Ended { .. } => Err(CallErrorCode::NoSuchCall),
        }
    }

    /// An active call ends. Where the other side is away, the news of it waits.
    fn finish(
        &mut self,
        id: &CallId,
        other: Side,
        notice: ServerMessage,
        told: &[Send],
        now: Instant,
    ) {
        if !told.is_empty() {
            return self.forget(id);
        }
        if let Some(call) = self.calls.get_mut(id) {
            call.state = State::Ended {
                away: other,
                notice,
            };
            self.set_deadline(id, Some(now + FORGET_AFTER));
        }
    }

    /// Somebody whose connection was lost during a call and who now makes a new one has left the old one.
    fn give_up_abandoned(&mut self, user: &UserId) -> Vec<Send> {
        let mut out = Vec::new();
        for id in self.ids_of(user) {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            let side = call.side_of(user);
            if let State::Active { caller, callee, .. } = &mut call.state {
                let (own, other) = match side {
                    Some(Side::Caller) => (caller, callee),
                    Some(Side::Callee) => (callee, caller),
                    None => continue,
                };
                if own.is_away() {
                    out.extend(other.deliver(ServerMessage::CallEnd {
                        call_id: id.clone(),
                        chat_id: call.chat.clone(),
                        reason: EndReason::ConnectionFailed,
                    }));
                    self.forget(&id);
                }
            }
        }
        out
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

    fn forget(&mut self, id: &CallId) {
        self.set_deadline(id, None);
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        for user in [&call.caller.user, &call.callee.user] {
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
