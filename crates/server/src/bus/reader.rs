//! Reads what is written to this server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use super::{ANSWER, Event, Instance, Letter, RETRY, connect, inbox};

/// A question to Redis waits so long for something to come.
const WAIT: Duration = Duration::from_secs(2);

/// So many letters are read at once.
const AT_ONCE: usize = 200;

/// The name of the one field of an entry.
pub(super) const LETTER: &str = "letter";

pub(super) async fn run(
    client: redis::Client,
    instance: Instance,
    report: UnboundedSender<Event>,
    read: Arc<Mutex<String>>,
) {
    loop {
        let error = match connect(&client, WAIT + ANSWER).await {
            Ok(connection) => read_on(connection, instance, &report, &read).await,
            Err(error) => error,
        };
        tracing::debug!(%error, "what other servers write cannot be read");
        sleep(RETRY).await;
    }
}

async fn read_on(
    mut connection: MultiplexedConnection,
    instance: Instance,
    report: &UnboundedSender<Event>,
    read: &Mutex<String>,
) -> RedisError {
    let wait = usize::try_from(WAIT.as_millis()).unwrap_or(usize::MAX);
    let options = StreamReadOptions::default().block(wait).count(AT_ONCE);
    let inbox = [inbox(instance)];
    loop {
        let last = read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reply: Result<Option<StreamReadReply>, _> =
            connection.xread_options(&inbox, &[last], &options).await;
        let entries = match reply {
            Ok(reply) => reply.into_iter().flat_map(|reply| reply.keys),
            Err(error) => return error,
        };
        for entry in entries.flat_map(|stream| stream.ids) {
            if let Some(letter) = entry.get::<Vec<u8>>(LETTER).and_then(|text| open(&text)) {
                let _ = report.send(Event::Letter(letter));
            }
            *read.lock().unwrap_or_else(PoisonError::into_inner) = entry.id;
        }
    }
}

/// A letter that cannot be read comes from a server of another version; what it asks is asked again.
pub(super) fn open(text: &[u8]) -> Option<Letter> {
    serde_json::from_slice(text)
        .inspect_err(|error| tracing::warn!(%error, "another server writes what cannot be read"))
        .ok()
}
