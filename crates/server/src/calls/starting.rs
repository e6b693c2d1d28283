//! A new call: who may start one, and what becomes of the one that they have lost.

use std::time::Instant;

use vireo_protocol::{CallErrorCode, EndReason, ServerMessage, UserId};

use super::{Answer, Call, Callee, Caller, Calls, Offer, Party, Ringing, Send, Side, State};

impl Calls {
    /// Rings the callee.
    pub fn initiate(
        &mut self,
        caller: Caller,
        callee: Callee,
        offer: Offer,
        now: Instant,
    ) -> Answer {
        self.may_initiate(&caller.user.id, &callee, &offer, now)?;
        let mut out = self.give_up_abandoned(&caller.user.id, now);
        let (id, chat) = (offer.call_id.clone(), offer.chat_id.clone());
        let caller_party = Party::new(&caller.user.id);
        let mut ringing = Ringing::new(caller.device, offer.into_message(caller.user));
        for &device in &callee.devices {
            out.extend(ringing.device_opened(device));
        }
        let call = Call {
            chat,
            caller: caller_party,
            callee: Party::new(&callee.user),
            deadline: None,
            state: State::Ringing(ringing),
        };
        for user in [&call.caller.user, &call.callee.user] {
            let ids = self.by_user.entry(user.clone()).or_default();
            ids.insert(id.clone());
            self.affected.insert(user.clone());
        }
        self.calls.insert(id.clone(), call);
        self.set_deadline(&id, Some(now + self.answer_timeout));
        Ok(out)
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
        let glare = |call: &Call| {
            call.chat == offer.chat_id
                && call.caller.user == callee.user
                && matches!(call.state, State::Ringing(_))
        };
        let busy = |user: &UserId| {
            self.calls_of(user).any(|call| {
                !glare(call) && !call.is_abandoned_by(caller) && call.keeps_busy(user, now)
            })
        };
        // A service takes as many calls as it likes and declines by itself.
        match busy(caller) || (!callee.service && busy(&callee.user)) {
            true => Err(CallErrorCode::UserBusy),
            false => Ok(()),
        }
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
                self.finish(&id, side.other(), notice, &told, now);
                out.extend(told);
            }
        }
        out
    }
}
