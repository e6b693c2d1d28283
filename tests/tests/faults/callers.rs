//! People who call each other and invite others while servers fail, and what was confirmed to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use vireo_protocol::{CallId, ChatId, ClientMessage, EndReason, MediaState, Request};
use vireo_signalling::descriptions::{answer, offer};
use vireo_signalling::people::{self, Person};
use vireo_signalling::{Socket, Target};

use crate::PATIENCE;

/// Longer than servers that work take for a call.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Between calls, as many as a person may begin.
const PAUSE: Duration = Duration::from_millis(300);

/// A person may have more invites than these.
const MAX_INVITES: usize = 40;

/// What the servers have confirmed to two people.
#[derive(Debug, Default)]
struct Confirmed {
    calls: Vec<Call>,
    /// Ids of invites.
    invites: Vec<String>,
}

/// A call that a server has confirmed, and how far.
#[derive(Debug, Clone)]
struct Call {
    id: String,
    answered: bool,
    ended: bool,
}

/// Pairs that go on calling until they are asked to stop.
pub struct Callers {
    stop: Arc<AtomicBool>,
    pairs: JoinSet<Confirmed>,
}

impl Callers {
    /// Begins: people in pairs, the one who calls at the first server, the other one at the second.
    pub fn start(at: [&str; 2], people: &[Person]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut pairs = JoinSet::new();
        for (number, people) in people.as_chunks::<2>().0.iter().enumerate() {
            let pair = Pair {
                number,
                at: at.map(str::to_owned),
                people: people.clone(),
                confirmed: Confirmed::default(),
            };
            pairs.spawn(pair.call_until(stop.clone()));
        }
        Self { stop, pairs }
    }

    /// Stops. All that was confirmed has to be in the database.
    pub async fn all_is_kept(self, database: &str) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let confirmed = timeout(PATIENCE, self.pairs.join_all()).await?;
        let kept = people::calls(database).await?;
        let invites = people::invites(database).await?;
        let of_all = |count: fn(&Confirmed) -> usize| confirmed.iter().map(count).sum::<usize>();
        let ended = of_all(|pair| pair.calls.iter().filter(|call| call.ended).count());
        let invited = of_all(|pair| pair.invites.len());
        ensure!(
            ended > 5 && invited > 5,
            "too little to tell: {confirmed:?}"
        );
        for pair in &confirmed {
            for call in &pair.calls {
                let kept = kept.get(&call.id);
                let kept = kept.with_context(|| format!("{call:?} is lost"))?;
                let as_confirmed = (!call.answered || kept.answered) && (!call.ended || kept.ended);
                ensure!(as_confirmed, "of {call:?} is left {kept:?}");
            }
            let lost = pair.invites.iter().find(|id| !invites.contains(*id));
            ensure!(lost.is_none(), "the invite {lost:?} is lost");
        }
        Ok(())
    }
}

struct Pair {
    number: usize,
    at: [String; 2],
    people: [Person; 2],
    confirmed: Confirmed,
}

impl Pair {
    /// Calls, again and again. What fails, since something is away, is tried anew.
    async fn call_until(mut self, stop: Arc<AtomicBool>) -> Confirmed {
        let mut last = None;
        while !stop.load(Ordering::Relaxed) {
            if let Ok(Ok(mut lines)) = timeout(ATTEMPT, self.connect()).await {
                while !stop.load(Ordering::Relaxed) {
                    let called = timeout(ATTEMPT, self.call(&mut lines, &mut last));
                    if !matches!(called.await, Ok(Ok(()))) {
                        break;
                    }
                    let _ = timeout(ATTEMPT, self.invite()).await;
                    sleep(PAUSE).await;
                }
            }
            sleep(PAUSE).await;
        }
        self.confirmed
    }

    async fn connect(&self) -> Result<[Line; 2]> {
        let line = async |side: usize| {
            let target = Target::of(&self.at[side])?;
            let token = self.people[side].token();
            let socket = target.connect(&token, 2 * self.number + side).await?;
            anyhow::Ok(Line { socket, last: 0 })
        };
        Ok([line(0).await?, line(1).await?])
    }

    /// One call from its beginning to its end. `last` is the one before, which may go on for the servers.
    async fn call(&mut self, lines: &mut [Line; 2], last: &mut Option<CallId>) -> Result<()> {
        let [caller, callee] = lines;
        let chat_id = ChatId(self.people[0].chat.clone());
        let end = |call_id| ClientMessage::CallEnd {
            call_id,
            chat_id: chat_id.clone(),
            reason: EndReason::HungUp,
        };
        if let Some(before) = last.take() {
            // It may have ended, or never begun.
            let _ = caller.ask(end(before)).await;
        }
        let call_id = CallId(format!("{}-{:016x}", self.number, rand::random::<u64>()));
        *last = Some(call_id.clone());
        let media_state = MediaState::of(true, true);
        let initiate = ClientMessage::CallInitiate {
            call_id: call_id.clone(),
            chat_id: chat_id.clone(),
            offer: offer(),
            media_state,
        };
        caller.ask(initiate).await?;
        let known = self.confirmed.calls.len();
        self.confirmed.calls.push(Call {
            id: call_id.0.clone(),
            answered: false,
            ended: false,
        });
        callee.until_offered(&call_id).await?;
        let accept = ClientMessage::CallAnswer {
            call_id: call_id.clone(),
            chat_id: chat_id.clone(),
            answer: answer(),
            media_state,
        };
        callee.ask(accept).await?;
        self.confirmed.calls[known].answered = true;
        caller.ask(end(call_id)).await?;
        self.confirmed.calls[known].ended = true;
        *last = None;
        Ok(())
    }

    /// The one who calls invites somebody else as well.
    async fn invite(&mut self) -> Result<()> {
        if self.confirmed.invites.len() == MAX_INVITES {
            return Ok(());
        }
        let response = reqwest::Client::new()
            .post(format!("{}/api/invites", self.at[0]))
            .bearer_auth(self.people[0].token())
            .header("content-type", "application/json")
            .body(r#"{"uses": 1, "expiresInSeconds": 3600}"#)
            .send()
            .await?
            .error_for_status()?;
        let made: Value = serde_json::from_slice(&response.bytes().await?)?;
        let id = made["invite"]["id"].as_str().context("no id")?;
        self.confirmed.invites.push(id.to_owned());
        Ok(())
    }
}

/// A connection, and the number of its last request.
struct Line {
    socket: Socket,
    last: u64,
}

impl Line {
    /// Asks, and waits until it is confirmed.
    async fn ask(&mut self, message: ClientMessage) -> Result<()> {
        self.last += 1;
        let id = self.last;
        let request = serde_json::to_string(&Request { id, message })?;
        self.socket.send(Message::text(request)).await?;
        let reply = self.until(|message| message["id"] == id).await?;
        ensure!(reply["type"] == "ok", "{reply}");
        Ok(())
    }

    async fn until_offered(&mut self, call: &CallId) -> Result<()> {
        let offered = |message: &Value| {
            message["type"] == "call:offer" && message["callId"] == call.0.as_str()
        };
        self.until(offered).await.map(drop)
    }

    async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        loop {
            let message = self.socket.next().await.context("it hung up")??;
            if let Message::Text(text) = message {
                let message: Value = serde_json::from_str(&text)?;
                if is_it(&message) {
                    return Ok(message);
                }
            }
        }
    }
}
