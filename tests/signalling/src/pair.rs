//! Two people who call each other: their connections, and the call they have at the moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::{Error, Message};
use vireo_protocol::{CallId, ChatId, ClientMessage, Request};

use crate::call::{Call, Heard, Next, Side};
use crate::connection::{HELLO_ID, Socket, Target};
use crate::load::{Order, Shared};
use crate::people::Person;

/// A call that is not complete by then has failed.
pub const PATIENCE: Duration = Duration::from_secs(5);

const LOST: &str = "a connection was lost";

/// Two people who call each other.
pub struct Pair {
    number: usize,
    people: [(Person, Target); 2],
    shared: Arc<Shared>,
    made: u64,
}

/// A connection, and the number of its last request.
struct Line {
    socket: Socket,
    last: u64,
    /// Replies to requests before this one belong to a call that was given up.
    first_of_call: u64,
}

/// As much of a server's message as matters here.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: Option<u64>,
    #[serde(rename = "callId")]
    call_id: Option<&'a str>,
    code: Option<&'a str>,
}

/// What a message means for the pair.
enum Meaning {
    Heard(Heard),
    Failed(String),
    /// Nothing: it is of another call, or of none.
    Nothing,
}

impl Pair {
    pub fn new(number: usize, targets: &[Target], two: &[Person; 2], shared: Arc<Shared>) -> Self {
        let at = |side: usize| (two[side].clone(), targets[side % targets.len()].clone());
        Self {
            number,
            people: [at(0), at(1)],
            shared,
            made: 0,
        }
    }

    async fn connect(&self) -> Result<[Line; 2]> {
        let line = async |side: usize| {
            let (person, target) = &self.people[side];
            let socket = target
                .connect(&person.token(), 2 * self.number + side)
                .await?;
            anyhow::Ok(Line {
                socket,
                last: HELLO_ID,
                first_of_call: 0,
            })
        };
        let [one, other] = [line(0).await?, line(1).await?];
        Ok([one, other])
    }

    fn begin(&mut self, order: Order) -> (Call, Vec<ClientMessage>) {
        self.made += 1;
        let id = CallId(format!(
            "{:08x}-{}-{}",
            rand::random::<u32>(),
            self.number,
            self.made
        ));
        let chat = ChatId(self.people[0].0.chat.clone());
        Call::new(id, chat, &self.shared.script, order.step, order.scheduled)
    }
}

/// Keeps the two connected and lets them call, until nobody gives orders any more.
pub fn start(mut pair: Pair, mut orders: UnboundedReceiver<Order>) {
    tokio::spawn(async move {
        let mut is_new = true;
        while !orders.is_closed() {
            match pair.connect().await {
                Ok(lines) => {
                    if is_new {
                        pair.shared.release(pair.number);
                    }
                    is_new = converse(&mut pair, lines, &mut orders).await;
                }
                // Whoever waits for the pair says that it is not connected.
                Err(_) => sleep(Duration::from_millis(200)).await,
            }
        }
    });
}

/// Carries out orders until a connection is lost or there are no more. Returns whether that interrupted a call.
async fn converse(
    pair: &mut Pair,
    lines: [Line; 2],
    orders: &mut UnboundedReceiver<Order>,
) -> bool {
    let [mut caller, mut callee] = lines;
    let mut call: Option<Call> = None;
    let deadline = sleep(Duration::ZERO);
    tokio::pin!(deadline);
    loop {
        let (side, message) = tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return false };
                let (begun, first) = pair.begin(order);
                deadline.as_mut().reset((begun.scheduled + PATIENCE).into());
                caller.begin_call();
                callee.begin_call();
                if caller.send(first).await.is_err() {
                    begun.step.failed(LOST);
                    pair.shared.connection_lost();
                    return true;
                }
                call = Some(begun);
                continue;
            }
            message = caller.socket.next() => (Side::Caller, message),
            message = callee.socket.next() => (Side::Callee, message),
            () = &mut deadline, if call.is_some() => {
                give_up(pair, &mut caller, call.take(), "it took too long").await;
                continue;
            }
        };
        let now = Instant::now();
        let Some(Ok(message)) = message else {
            pair.shared.connection_lost();
            if let Some(call) = &call {
                call.step.failed(LOST);
            }
            return call.is_some();
        };
        let Some(current) = &mut call else { continue };
        let line = if side == Side::Caller {
            &caller
        } else {
            &callee
        };
        let next = match line.meaning(&message, current) {
            Meaning::Heard(heard) => current.hear(side, heard, &pair.shared.script, now),
            Meaning::Nothing => continue,
            Meaning::Failed(why) => {
                give_up(pair, &mut caller, call.take(), &why).await;
                continue;
            }
        };
        match next {
            Next::Nothing => {}
            Next::Send(side, messages) => {
                let line = if side == Side::Caller {
                    &mut caller
                } else {
                    &mut callee
                };
                // A lost connection is noticed by its reader.
                let _ = line.send(messages).await;
            }
            Next::Done => {
                current.step.completed(current, now);
                call = None;
                pair.shared.release(pair.number);
            }
            Next::Wrong => give_up(pair, &mut caller, call.take(), "an unexpected message").await,
        }
    }
}

/// The call has failed; the pair may make another one.
async fn give_up(pair: &Pair, caller: &mut Line, call: Option<Call>, why: &str) {
    if let Some(call) = call {
        call.step.failed(why);
        let _ = caller.send(vec![call.end()]).await;
        pair.shared.release(pair.number);
    }
}

impl Line {
    fn begin_call(&mut self) {
        self.first_of_call = self.last + 1;
    }

    /// Sends these together, as they were found together.
    async fn send(&mut self, messages: Vec<ClientMessage>) -> Result<(), Error> {
        for message in messages {
            self.last += 1;
            let request = Request {
                id: self.last,
                message,
            };
            let text = serde_json::to_string(&request).expect("messages are plain data");
            self.socket.feed(Message::text(text)).await?;
        }
        self.socket.flush().await
    }

    fn meaning(&self, message: &Message, call: &Call) -> Meaning {
        let Message::Text(text) = message else {
            return Meaning::Nothing;
        };
        let Ok(head) = serde_json::from_str::<Head<'_>>(text) else {
            return Meaning::Failed("a message that cannot be read".to_owned());
        };
        if head.id.is_some_and(|id| id < self.first_of_call) {
            return Meaning::Nothing;
        }
        if head.call_id.is_some_and(|id| id != call.id.0) {
            return Meaning::Nothing;
        }
        match (head.kind, head.code) {
            ("ok", _) => Meaning::Heard(Heard::Confirmed),
            ("call:offer", _) => Meaning::Heard(Heard::Offer),
            ("call:ringing", _) => Meaning::Heard(Heard::Ringing),
            ("call:answer", _) => Meaning::Heard(Heard::Answer),
            ("call:ice-candidate", _) => Meaning::Heard(Heard::Candidate),
            ("call:end", _) => Meaning::Heard(Heard::End),
            (kind, Some(code)) => Meaning::Failed(format!("{kind}: {code}")),
            // Presence and the like.
            _ => Meaning::Nothing,
        }
    }
}
