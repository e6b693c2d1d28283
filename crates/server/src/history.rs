//! Writes down what is to be remembered of calls and of people who have gone: many entries in one transaction, and none
//! confirmed before it is safe. A database that is away for a while holds nobody up; what waits is written when it is back.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use vireo_protocol::{ServerMessage, UserId};

use crate::calls::{CallRecord, DeviceId};
use crate::store::Store;

/// So many entries may wait. A database that is away for longer than that loses what is new.
const CAPACITY: usize = 50_000;

/// So many are written at once.
const BATCH: usize = 500;

/// From one beginning to the next there is so much time at least: a transaction costs about the same whatever is in it.
const INTERVAL: Duration = Duration::from_millis(5);

/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a connection is to hear once its entry is safe.
pub type Confirmation = (DeviceId, ServerMessage);

/// Something to remember.
#[derive(Debug)]
pub enum Entry {
    /// Calls, and who is told when they are written.
    Calls {
        records: Vec<CallRecord>,
        then: Option<Confirmation>,
    },
    /// When somebody was there last, in milliseconds since the Unix epoch.
    LastSeen { user: UserId, at_ms: i64 },
}

/// The way to the history; cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    entries: mpsc::Sender<Entry>,
}

impl History {
    /// Starts the task that writes. It ends when the last handle is gone and everything is written.
    pub fn start(store: Store) -> (Self, mpsc::UnboundedReceiver<Vec<Confirmation>>) {
        let (entries, inbox) = mpsc::channel(CAPACITY);
        let (confirm, confirmed) = mpsc::unbounded_channel();
        tokio::spawn(write(store, inbox, confirm));
        (Self { entries }, confirmed)
    }

    /// Remembers this. Returns it where there is no room.
    pub fn keep(&self, entry: Entry) -> Result<(), Box<Entry>> {
        self.entries
            .try_send(entry)
            .map_err(|full| Box::new(full.into_inner()))
    }
}

/// What is written in one go: of each call and each person only the newest.
#[derive(Debug, Default)]
struct Batch {
    records: Vec<CallRecord>,
    places: HashMap<String, usize>,
    last_seen: HashMap<UserId, i64>,
    confirmations: Vec<Confirmation>,
}

async fn write(
    store: Store,
    mut inbox: mpsc::Receiver<Entry>,
    confirm: mpsc::UnboundedSender<Vec<Confirmation>>,
) {
    let mut entries = Vec::with_capacity(BATCH);
    let mut not_before = Instant::now();
    while inbox.recv_many(&mut entries, BATCH).await > 0 {
        // Who is alone waits for nothing; among many, each waits for those who come a little later.
        sleep_until(not_before).await;
        while entries.len() < BATCH
            && let Ok(entry) = inbox.try_recv()
        {
            entries.push(entry);
        }
        not_before = Instant::now() + INTERVAL;
        let batch = Batch::of(entries.drain(..));
        batch.write(&store).await;
        // Nobody to tell: the server stops.
        let _ = confirm.send(batch.confirmations);
    }
}

impl Batch {
    fn of(entries: impl Iterator<Item = Entry>) -> Self {
        let mut batch = Self::default();
        for entry in entries {
            match entry {
                Entry::Calls { records, then } => {
                    records.into_iter().for_each(|record| batch.add(record));
                    batch.confirmations.extend(then);
                }
                Entry::LastSeen { user, at_ms } => drop(batch.last_seen.insert(user, at_ms)),
            }
        }
        batch
    }

    fn add(&mut self, record: CallRecord) {
        match self.places.get(&record.id) {
            Some(&place) => self.records[place] = record,
            None => {
                self.places.insert(record.id.clone(), self.records.len());
                self.records.push(record);
            }
        }
    }

    /// Writes until it is written.
    async fn write(&self, store: &Store) {
        let mut pause = FIRST_PAUSE;
        let last_seen: Vec<(UserId, i64)> = self
            .last_seen
            .iter()
            .map(|(user, at)| (user.clone(), *at))
            .collect();
        loop {
            let written = async {
                if !self.records.is_empty() {
                    store.record_calls(&self.records).await?;
                }
                match last_seen.is_empty() {
                    true => Ok(()),
                    false => store.set_last_seen(&last_seen).await,
                }
            };
            match written.await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "the history waits for the database"),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use vireo_protocol::{CallId, CallOutcome, ChatId};

    use super::*;

    fn record(id: &str, outcome: Option<CallOutcome>) -> CallRecord {
        CallRecord {
            id: id.to_owned(),
            call_id: CallId(id.to_owned()),
            chat_id: ChatId("ab".into()),
            caller: UserId("ann".into()),
            callee: UserId("bob".into()),
            started_at: 1,
            answered_at: None,
            ended_at: outcome.map(|_| 2),
            outcome,
        }
    }

    #[test]
    fn of_each_call_only_the_newest_is_written() {
        let over = Some(CallOutcome::Declined);
        let entry = |records| Entry::Calls {
            records,
            then: Some((DeviceId(1), ServerMessage::Ok { id: 1 })),
        };
        let entries = [
            entry(vec![record("1", None)]),
            entry(vec![record("2", None)]),
            entry(vec![record("1", over)]),
        ];
        let batch = Batch::of(entries.into_iter());
        assert_eq!(batch.records, [record("1", over), record("2", None)]);
        assert_eq!(batch.confirmations.len(), 3);
    }
}
