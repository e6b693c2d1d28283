//! Calls outlive the board that keeps them: another one takes them over, or the same one after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vireo_protocol::{CallId, CallOutcome, UserId};

use super::leg::Leg;
use super::{Call, CallRecord, Calls, DeviceId, FORGET_AFTER, Party, State};

/// Everything a board has to know of one call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot(Call);

impl Snapshot {
    /// An answered call of which nothing is left but the history's entry: both sides are away.
    fn from_record(record: CallRecord, away_since_ms: i64, now: Instant) -> Self {
        Self(Call {
            chat: record.chat_id.clone(),
            caller: Party::new(&record.caller),
            callee: Party::new(&record.callee),
            deadline: None,
            away_since_ms: Some(away_since_ms),
            state: State::Active {
                caller: Leg::away(now),
                callee: Leg::away(now),
            },
            record,
        })
    }

    /// Which call it is.
    pub fn call_id(&self) -> &CallId {
        &self.0.record.call_id
    }
}

impl Calls {
    /// What has to be kept elsewhere since this was asked last: a call as it is now, or nothing where it is over.
    pub fn take_snapshots(&mut self) -> Vec<(CallId, Option<Snapshot>)> {
        let changed = std::mem::take(&mut self.changed);
        let snapshot = |id: CallId| {
            let call = self.calls.get(&id).cloned().map(Snapshot);
            (id, call)
        };
        changed.into_iter().map(snapshot).collect()
    }

    /// As if it had been asked.
    pub fn forget_changes(&mut self) {
        self.changed.clear();
    }

    /// Every call.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.calls.values().cloned().map(Snapshot).collect()
    }

    /// Takes a call over from another board. One that is known already stays as it is.
    pub fn adopt(&mut self, Snapshot(mut call): Snapshot, now: Instant) {
        let id = call.record.call_id.clone();
        if self.calls.contains_key(&id) {
            return;
        }
        let mut deadline = match &mut call.state {
            State::Ringing(_) => Some(now + self.rings_on(&call.record)),
            State::Active { caller, callee } => {
                caller.restored(now);
                callee.restored(now);
                (caller.is_away() && callee.is_away()).then(|| now + FORGET_AFTER)
            }
            State::Ended { .. } => Some(now + FORGET_AFTER),
        };
        if call.goes_on() {
            deadline = call.gone_at();
        }
        for user in [&call.caller.user, &call.callee.user] {
            let ids = self.by_user.entry(user.clone()).or_default();
            ids.insert(id.clone());
            self.affected.insert(user.clone());
        }
        self.changed.insert(id.clone());
        self.calls.insert(id.clone(), call);
        self.set_deadline(&id, deadline);
    }

    /// From now on until [`Calls::recover`], remembers which calls have ended: the history may not know it yet.
    pub fn expect_records(&mut self) {
        self.ended.get_or_insert_default();
    }

    /// Takes calls up that have no end in the history: those that had been answered go on, and of the others no board knows
    /// any more.
    pub fn recover(&mut self, records: Vec<CallRecord>, alive_at_ms: i64, now: Instant) {
        let ended = self.ended.take().unwrap_or_default();
        for record in records {
            if ended.contains(&record.id) || self.calls.contains_key(&record.call_id) {
                continue;
            }
            match record.answered_at {
                Some(_) => self.adopt(Snapshot::from_record(record, alive_at_ms, now), now),
                None => self
                    .records
                    .push(record.ended(CallOutcome::Failed, alive_at_ms)),
            }
        }
    }

    /// Every connection that takes part in a call, and whose it is.
    pub fn devices(&self) -> BTreeMap<UserId, BTreeSet<DeviceId>> {
        let mut devices = BTreeMap::<UserId, BTreeSet<DeviceId>>::new();
        for call in self.calls.values() {
            let (caller, callee): (Vec<DeviceId>, Vec<DeviceId>) = match &call.state {
                State::Ringing(ringing) => {
                    let caller = ringing.caller();
                    ringing.devices().partition(|device| *device == caller)
                }
                State::Active { caller, callee } => {
                    (caller.devices().collect(), callee.devices().collect())
                }
                State::Ended { .. } => continue,
            };
            devices
                .entry(call.caller.user.clone())
                .or_default()
                .extend(caller);
            devices
                .entry(call.callee.user.clone())
                .or_default()
                .extend(callee);
        }
        devices
    }

    /// Whether the connection is known to take part in a call of its person's.
    pub fn takes_part(&self, user: &UserId, device: DeviceId) -> bool {
        self.calls_of(user).any(|call| match &call.state {
            State::Ringing(ringing) => ringing.devices().any(|other| other == device),
            State::Active { caller, callee } => caller.hears(device) || callee.hears(device),
            State::Ended { .. } => false,
        })
    }

    /// How long a call rings on that began at the time its record says.
    fn rings_on(&self, record: &CallRecord) -> Duration {
        let rung = self.now_ms.saturating_sub(record.started_at);
        let rung = Duration::from_millis(u64::try_from(rung).unwrap_or_default());
        self.answer_timeout.saturating_sub(rung)
    }
}
