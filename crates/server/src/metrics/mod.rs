//! What the server counts, for Prometheus to read at `GET /metrics`. Counting is an atomic addition and can be done anywhere;
//! labels name kinds of things, never people, addresses or calls. The numbers are those of this process.

mod kinds;
mod page;

use std::time::Duration;

use vireo_protocol::ServerMessage;

use crate::calls::CallRecord;
use kinds::{Counter, Family, Gauge, Histogram};

pub use page::{count_request, page};

static CALLS_STARTED: Counter = Counter::new();
static CALLS_ANSWERED: Counter = Counter::new();
static CALLS_ENDED: Family<Outcome> = Family::new();
static ANSWER_TIMES: Histogram<9> =
    Histogram::new([1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 25.0, 40.0]);
static CONNECTIONS: Gauge = Gauge::new();
static PEOPLE: Gauge = Gauge::new();
static WAITING: [Gauge; 3] = [const { Gauge::new() }; 3];
static REFUSED: Family<Refused> = Family::new();
static REQUESTS: Family<(String, u16)> = Family::new();
static RELAY_ALLOCATIONS: Gauge = Gauge::new();
static RELAY_BYTES: Counter = Counter::new();
static DATABASE_TIMES: Histogram<9> =
    Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0]);

/// The lanes of a connection's queue, the urgent first.
const LANES: [&str; 3] = ["calls", "contacts", "presence"];

/// Enums of the protocol have no order; their names on the wire do.
type Outcome = String;
type Refused = String;

/// A call has begun, been answered or ended, as the history has it.
pub fn call_changed(record: &CallRecord) {
    match (record.outcome, record.answered_at) {
        (Some(outcome), _) => CALLS_ENDED.count(name(&outcome)),
        (None, Some(at)) => {
            CALLS_ANSWERED.add(1);
            let rang = u64::try_from(at - record.started_at).unwrap_or(0);
            ANSWER_TIMES.observe(Duration::from_millis(rang));
        }
        (None, None) => CALLS_STARTED.add(1),
    }
}

/// One connection, counted for as long as this lives.
#[derive(Debug)]
pub struct Connection(());

impl Connection {
    /// There is one more.
    pub fn open() -> Self {
        CONNECTIONS.add(1);
        Self(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        CONNECTIONS.add(-1);
    }
}

/// So many people have a connection now.
pub fn people_here(now: usize) {
    PEOPLE.set(now as i64);
}

/// How many messages wait for connections has changed, lane by lane.
pub fn waiting_changed(before: [usize; 3], after: [usize; 3]) {
    for (gauge, (before, after)) in WAITING.iter().zip(before.into_iter().zip(after)) {
        if before != after {
            gauge.add(after as i64 - before as i64);
        }
    }
}

/// Counts the message if it says no.
pub fn count_refusal(message: &ServerMessage) {
    match message {
        ServerMessage::Error { code, .. } => REFUSED.count(name(code)),
        ServerMessage::CallError { code, .. } => REFUSED.count(name(code)),
        _ => {}
    }
}

/// So many allocations are there on the relay now.
pub fn relay_allocations(now: usize) {
    RELAY_ALLOCATIONS.set(now as i64);
}

/// The relay has passed so many bytes on.
pub fn relay_passed(bytes: usize) {
    RELAY_BYTES.add(bytes as u64);
}

/// The database has answered.
pub fn database_answered(took: Duration) {
    DATABASE_TIMES.observe(took);
}

/// A request over HTTP has been answered. `route` is the pattern that matched, not the address that was asked for.
fn request_answered(route: &str, status: u16) {
    REQUESTS.count((route.to_owned(), status));
}

/// What it is called on the wire.
fn name(code: &impl serde::Serialize) -> String {
    let name = serde_json::to_value(code).ok();
    name.and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Everything, as Prometheus reads it.
fn written() -> String {
    let mut page = String::new();
    let it = &mut page;
    CALLS_STARTED.write(
        it,
        "vireo_calls_started_total",
        "Calls that have begun to ring.",
    );
    CALLS_ANSWERED.write(
        it,
        "vireo_calls_answered_total",
        "Calls that have been answered.",
    );
    let outcome = |outcome: &Outcome| format!("outcome=\"{outcome}\"");
    CALLS_ENDED.write(
        it,
        "vireo_calls_ended_total",
        "Calls that are over, by how they ended.",
        outcome,
    );
    ANSWER_TIMES.write(
        it,
        "vireo_call_answer_seconds",
        "From the call to its answer.",
    );
    CONNECTIONS.write(it, "vireo_connections", "WebSockets that are open.");
    PEOPLE.write(it, "vireo_people", "People with an open WebSocket.");
    write_waiting(it);
    let code = |code: &Refused| format!("code=\"{code}\"");
    REFUSED.write(
        it,
        "vireo_refused_total",
        "Messages that were refused, by the code of the answer.",
        code,
    );
    let request =
        |(route, status): &(String, u16)| format!("route=\"{route}\",status=\"{status}\"");
    REQUESTS.write(
        it,
        "vireo_http_requests_total",
        "Requests over HTTP, by route and status.",
        request,
    );
    RELAY_ALLOCATIONS.write(
        it,
        "vireo_relay_allocations",
        "Addresses that clients have on the relay (TURN).",
    );
    RELAY_BYTES.write(
        it,
        "vireo_relay_bytes_total",
        "Bytes that the relay has taken in and passed on.",
    );
    DATABASE_TIMES.write(
        it,
        "vireo_database_seconds",
        "How long the database takes to answer.",
    );
    page
}

fn write_waiting(page: &mut String) {
    use std::fmt::Write;
    let name = "vireo_queue_messages";
    let help = "Messages that wait for connections to read them.";
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (lane, waiting) in LANES.iter().zip(&WAITING) {
        let _ = writeln!(page, "{name}{{lane=\"{lane}\"}} {}", waiting.get());
    }
}
