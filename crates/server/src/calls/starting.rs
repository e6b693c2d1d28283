//! A new call: who may start one, and what becomes of the one that they have lost.

use std::time::Instant;

use vireo_protocol::{CallErrorCode, CallOutcome, EndReason, ServerMessage, UserId};

use super::{
    Answer, Call, CallRecord, Callee, Caller, Calls, Offer, Party, Ringing, Send, Side, State,
    ringing::missed,
};

impl Calls {
    /// Rings the callee.
    pub fn initiate(
        &mut self,
        caller: Caller,
        callee: Callee,
        offer: Offer,
        now: Instant,
    ) -> Answer {
        if self.has_begun(&caller, &offer) {
            return Ok(Vec::new()); // Asked again, since the answer did not arrive.
        }
        let record = CallRecord::new(
            &offer.call_id,
            &offer.chat_id,
            &caller.user.id,
            &callee.user,
            self.now_ms,
        );
        if let Err(code) = self.may_initiate(&caller.user.id, &callee, &offer, now) {
            self.refused_in_history(record, code);
            if code == CallErrorCode::UserBusy
                && self.is_busy(&callee, &caller.user.id, &offer, now)
            {
                let missed = missed(offer.into_message(caller.user));
                self.missed.extend(missed.map(|news| (callee.user, news)));
            }
            return Err(code);
        }
        self.records.push(record.clone());
        let mut out = self.give_up_abandoned(&caller.user.id, now);
        let (id, chat) = (offer.call_id.clone(), offer.chat_id.clone());
        let caller_party = Party::new(&caller.user.id);
        let mut ringing = Ringing::new(caller.device, offer.into_message(caller.user));
        for &device in &callee.devices {
            out.extend(ringing.device_opened(device));
        }
        let call = Call {
            record,
            chat,
            caller: caller_party,
            callee: Party::new(&callee.user),
            deadline: None,
            away_since_ms: None,
            state: State::Ringing(ringing),
        };
        for user in [&call.caller.user, &call.callee.user] {
            let ids = self.by_user.entry(user.clone()).or_default();
            ids.insert(id.clone());
            self.affected.insert(user.clone());
        }
        self.changed.insert(id.clone());
        self.calls.insert(id.clone(), call);
        self.set_deadline(&id, Some(now + self.answer_timeout));
        Ok(out)
    }

    /// Whether this very device has started this very call, and it still rings.
    fn has_begun(&self, caller: &Caller, offer: &Offer) -> bool {
        let call = self.calls.get(&offer.call_id);
        call.is_some_and(|call| match &call.state {
            State::Ringing(ringing) => {
                call.chat == offer.chat_id && ringing.caller() == caller.device
            }
            State::Active { .. } | State::Ended { .. } => false,
        })
    }

    /// Whoever could not be reached wants to know who has tried.
    fn refused_in_history(&mut self, record: CallRecord, code: CallErrorCode) {
        let outcome = match code {
            CallErrorCode::UserOffline => CallOutcome::Offline,
            CallErrorCode::UserBusy => CallOutcome::Busy,
            _ => return,
        };
        self.records.push(record.ended(outcome, self.now_ms));
    }

    /// Changes nothing, as a call that is refused must not cost anybody another one.
    fn may_initiate(
        &self,
        caller: &UserId,
        callee: &Callee,
        offer: &Offer,
        now: Instant,
    ) -> Result<(), CallErrorCode> {
        if !offer.call_id.is_well_formed() || self.calls.contains_key(&offer.call_id) {
            return Err(CallErrorCode::InvalidCall);
        }
        if callee.devices.is_empty() {
            return Err(CallErrorCode::UserOffline);
        }
        let caller_is_busy = self.has_another(caller, caller, callee, offer, now);
        match caller_is_busy || self.is_busy(callee, caller, offer, now) {
            true => Err(CallErrorCode::UserBusy),
            false => Ok(()),
        }
    }

    /// Whether the callee has another call. A service takes as many as it likes and declines by itself.
    fn is_busy(&self, callee: &Callee, caller: &UserId, offer: &Offer, now: Instant) -> bool {
        !callee.service && self.has_another(&callee.user, caller, callee, offer, now)
    }

    /// Whether one of the two has a call already, unless the callee is calling the caller at the same time.
    fn has_another(
        &self,
        user: &UserId,
        caller: &UserId,
        callee: &Callee,
        offer: &Offer,
        now: Instant,
    ) -> bool {
        let glare = |call: &Call| {
            call.chat == offer.chat_id
                && call.caller.user == callee.user
                && matches!(call.state, State::Ringing(_))
        };
        self.calls_of(user)
            .any(|call| !glare(call) && !call.is_abandoned_by(caller) && call.keeps_busy(user, now))
    }

    /// Somebody whose connection was lost during a call and who now makes a new one has left the old one.
    fn give_up_abandoned(&mut self, user: &UserId, now: Instant) -> Vec<Send> {
        let mut out = Vec::new();
        for id in self.ids_of(user) {
            let Some(call) = self.calls.get_mut(&id) else {
                continue;
            };
            if !call.is_abandoned_by(user) {
                continue;
            }
            let notice = ServerMessage::CallEnd {
                call_id: id.clone(),
                chat_id: call.chat.clone(),
                reason: EndReason::ConnectionFailed,
            };
            if let (Some(side), State::Active { caller, callee }) =
                (call.side_of(user), &mut call.state)
            {
                let told = match side {
                    Side::Caller => callee.deliver(notice.clone()),
                    Side::Callee => caller.deliver(notice.clone()),
                };
                self.end_in_history(&id, CallOutcome::Completed, self.now_ms);
                self.finish(&id, side.other(), notice, &told, now);
                out.extend(told);
            }
        }
        out
    }
}
