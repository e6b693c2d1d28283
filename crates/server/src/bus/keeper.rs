//! Keeps this server's place among the others, and carries what it writes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::lease::take_turn;
use super::reader::LETTER;
use super::{
    ANSWER, Epoch, Errand, Event, Instance, LEASE, Lease, PATIENCE, RETRY, SILENCE, Snapshot, TURN,
    connect, inbox,
};

/// The calls that are going on, by id.
const CALLS: &str = "vireo:calls";

/// So many errands are run at once.
const AT_ONCE: usize = 500;

/// So many errands wait for Redis; then the oldest are given up.
const MAX_WAITING: usize = 20_000;

/// An inbox holds about so many letters at most.
const MAX_LETTERS: usize = 50_000;

pub(super) struct Keeper {
    pub client: redis::Client,
    pub instance: Instance,
    pub public_url: Option<String>,
    pub report: UnboundedSender<Event>,
    pub lease: Lease,
    pub resigned: CancellationToken,
    /// The last entry of the inbox that has been read.
    pub read: Arc<Mutex<String>>,
    pub state: State,
}

#[derive(Default)]
pub(super) struct State {
    leader: Option<(Epoch, Instance)>,
    last_turn: Option<Instant>,
    alone: bool,
    waiting: VecDeque<Errand>,
}

impl Keeper {
    pub async fn run(mut self, mut errands: UnboundedReceiver<Errand>) {
        let started = Instant::now();
        loop {
            let error = match connect(&self.client, ANSWER).await {
                Ok(connection) => match self.work(connection, &mut errands).await {
                    Ok(()) => return,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            tracing::debug!(%error, "Redis does not answer");
            let heard = self.state.last_turn.unwrap_or(started);
            if !self.state.alone && heard.elapsed() > PATIENCE {
                tracing::warn!("Redis cannot be reached; this server works alone until it can");
                self.state.alone = true;
                self.state.leader = None;
                self.state.waiting.clear();
                self.lease.set(None);
                self.tell(Event::Alone);
            }
            sleep(RETRY).await;
        }
    }

    fn tell(&self, event: Event) {
        // Without anybody who hears, this task is about to end as well.
        let _ = self.report.send(event);
    }

    /// Works until the handle is gone or Redis is.
    async fn work(
        &mut self,
        mut connection: MultiplexedConnection,
        errands: &mut UnboundedReceiver<Errand>,
    ) -> Result<(), RedisError> {
        let mut turn = interval(TURN);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut some = Vec::new();
        let resigned = self.resigned.clone();
        let mut has_resigned = false;
        loop {
            tokio::select! {
                biased;
                () = resigned.cancelled(), if !has_resigned => {
                    has_resigned = true;
                    self.turn(&mut connection).await?;
                }
                _ = turn.tick() => self.turn(&mut connection).await?,
                count = errands.recv_many(&mut some, AT_ONCE) => {
                    if count == 0 {
                        return Ok(());
                    }
                    self.state.waiting.extend(some.drain(..));
                }
            }
            self.run_errands(&mut connection).await?;
        }
    }

    async fn turn(&mut self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let begun = Instant::now();
        let read = self
            .read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let resigned = self.resigned.is_cancelled();
        let url = self.public_url.as_deref();
        let turn = take_turn(connection, self.instance, url, resigned, &read).await?;
        // The others have given this server up if it was silent for long.
        let was_gone = self
            .state
            .last_turn
            .is_none_or(|last| begun - last > SILENCE);
        self.state.last_turn = Some(begun);
        // Before the news of who leads, which takes another question: a server that has joined since then may have written to
        // this one already, and would be given up because this older list does not have it.
        self.tell(Event::Alive(turn.members));
        let leads = matches!(turn.leader, Some((_, leader)) if leader == self.instance);
        self.lease.set(leads.then(|| begun + LEASE));
        let is_news = turn.leader != self.state.leader || was_gone || self.state.alone;
        if let (true, Some((epoch, leader))) = (is_news, turn.leader) {
            self.new_leader(connection, epoch, leader).await?;
        }
        Ok(())
    }

    async fn new_leader(
        &mut self,
        connection: &mut MultiplexedConnection,
        epoch: Epoch,
        leader: Instance,
    ) -> Result<(), RedisError> {
        let event = match leader == self.instance {
            true => Event::Lead {
                epoch,
                calls: kept_calls(connection).await?,
            },
            false => Event::Follow { epoch, leader },
        };
        self.state.leader = Some((epoch, leader));
        self.state.alone = false;
        self.tell(event);
        Ok(())
    }

    /// Does what there is to do. What could not be done is done again: a letter that comes twice does no harm.
    async fn run_errands(
        &mut self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), RedisError> {
        let waiting = &mut self.state.waiting;
        if waiting.len() > MAX_WAITING {
            let too_many = waiting.len() - MAX_WAITING;
            waiting.drain(..too_many);
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for errand in waiting.iter() {
            add(&mut pipeline, errand);
        }
        pipeline.exec_async(connection).await?;
        waiting.clear();
        Ok(())
    }
}

fn add(pipeline: &mut Pipeline, errand: &Errand) {
    match errand {
        Errand::Letter { to, letter } => {
            pipeline
                .cmd("XADD")
                .arg(inbox(*to))
                .arg("MAXLEN")
                .arg("~")
                .arg(MAX_LETTERS)
                .arg("*")
                .arg(LETTER)
                .arg(json(letter))
                .ignore();
        }
        Errand::Calls(calls) => {
            for (id, call) in calls {
                match call {
                    Some(call) => pipeline.hset(CALLS, &id.0, json(call)).ignore(),
                    None => pipeline.hdel(CALLS, &id.0).ignore(),
                };
            }
        }
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("keys are strings, or numbers that JSON can have as keys")
}

/// What whoever led last has left.
async fn kept_calls(connection: &mut MultiplexedConnection) -> Result<Vec<Snapshot>, RedisError> {
    let kept: Vec<Vec<u8>> = redis::cmd("HVALS")
        .arg(CALLS)
        .query_async(connection)
        .await?;
    Ok(kept.iter().filter_map(|text| kept_call(text)).collect())
}

/// A call that cannot be read was left by a server of another version.
pub(super) fn kept_call(text: &[u8]) -> Option<Snapshot> {
    serde_json::from_slice(text).ok()
}
