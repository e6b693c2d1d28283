//! The history of calls, written many at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::Value;
use vireo_protocol::{CallDirection, CallId, CallOutcome, ChatId, HistoryId, PastCall, UserId};

use super::{Store, StoreError};
use crate::calls::CallRecord;

/// So many calls go into one statement. Few sizes, so that each is prepared once and for all.
const SIZES: [usize; 4] = [64, 16, 4, 1];

static STATEMENTS: LazyLock<[String; 4]> = LazyLock::new(|| SIZES.map(statement));

const COLUMNS: usize = 9;

/// Writes so many calls. What is known of one stays known when an older record of it comes later.
fn statement(rows: usize) -> String {
    let row = |row: usize| {
        let values: Vec<_> = (1..=COLUMNS)
            .map(|column| format!("${}", row * COLUMNS + column))
            .collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO calls (id, call_id, chat_id, caller_id, callee_id, started_at, answered_at, ended_at, outcome)
         VALUES {}
         ON CONFLICT (id) DO UPDATE SET
             answered_at = COALESCE(calls.answered_at, excluded.answered_at),
             ended_at = COALESCE(calls.ended_at, excluded.ended_at),
             outcome = COALESCE(calls.outcome, excluded.outcome)",
        rows.join(", ")
    )
}

type Record = (
    String,
    String,
    String,
    String,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

fn record(row: Record) -> CallRecord {
    let (id, call, chat, caller, callee, started_at, answered_at, ended_at, outcome) = row;
    CallRecord {
        id,
        call_id: CallId(call),
        chat_id: ChatId(chat),
        caller: UserId(caller),
        callee: UserId(callee),
        started_at,
        answered_at,
        ended_at,
        outcome: outcome.and_then(from_word),
    }
}

/// Calls of one side, the newest first. Each half goes along its own index and stops early.
const HISTORY: &str = "
    SELECT mine.id, mine.call_id, mine.chat_id, mine.other_id, users.name, mine.outgoing,
           mine.started_at, mine.answered_at, mine.ended_at, mine.outcome
    FROM (
        SELECT * FROM (
            SELECT id, call_id, chat_id, callee_id AS other_id, 1 AS outgoing, started_at, answered_at, ended_at, outcome
            FROM calls WHERE caller_id = $1 AND id < $2 AND ended_at IS NOT NULL ORDER BY id DESC LIMIT $3) AS made
        UNION ALL
        SELECT * FROM (
            SELECT id, call_id, chat_id, caller_id AS other_id, 0 AS outgoing, started_at, answered_at, ended_at, outcome
            FROM calls WHERE callee_id = $1 AND id < $2 AND ended_at IS NOT NULL ORDER BY id DESC LIMIT $3) AS taken
    ) AS mine
    LEFT JOIN users ON users.id = mine.other_id
    ORDER BY mine.id DESC LIMIT $3";

type Past = (
    String,
    String,
    String,
    String,
    Option<String>,
    i64,
    i64,
    Option<i64>,
    i64,
    Option<String>,
);

fn past_call(row: Past) -> PastCall {
    let (id, call, chat, other, name, outgoing, started_at, answered_at, ended_at, outcome) = row;
    let milliseconds = answered_at.map_or(0, |answered| ended_at - answered);
    PastCall {
        id: HistoryId(id),
        call_id: CallId(call),
        chat_id: ChatId(chat),
        user_id: UserId(other),
        name,
        direction: match outgoing {
            0 => CallDirection::Incoming,
            _ => CallDirection::Outgoing,
        },
        started_at,
        answered_at,
        ended_at,
        outcome: outcome.and_then(from_word).unwrap_or(CallOutcome::Failed),
        duration_seconds: u64::try_from(milliseconds / 1000).unwrap_or(0),
    }
}

/// An outcome is stored under its name on the wire.
fn to_word(outcome: CallOutcome) -> Option<String> {
    let value = serde_json::to_value(outcome).ok()?;
    value.as_str().map(str::to_owned)
}

fn from_word<T: DeserializeOwned>(word: String) -> Option<T> {
    serde_json::from_value(Value::String(word)).ok()
}

impl Store {
    /// Writes calls down as they are known now, all of them or none. To write one twice, or an older record after a newer
    /// one, changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_calls(&self, calls: &[CallRecord]) -> Result<(), StoreError> {
        // Each once, and in one order, so that two instances never wait for each other's.
        let mut known: BTreeMap<&str, CallRecord> = BTreeMap::new();
        for call in calls {
            let record = known.entry(&call.id).or_insert_with(|| call.clone());
            record.answered_at = record.answered_at.or(call.answered_at);
            record.ended_at = record.ended_at.or(call.ended_at);
            record.outcome = record.outcome.or(call.outcome);
        }
        let records: Vec<_> = known.into_values().collect();
        let mut rest = records.as_slice();
        let mut transaction = self.begin_write().await?;
        for (size, statement) in SIZES.into_iter().zip(STATEMENTS.iter()) {
            while let Some((now, later)) = rest.split_at_checked(size) {
                let mut query = sqlx::query(statement.as_str());
                for call in now {
                    query = query
                        .bind(&call.id)
                        .bind(&call.call_id.0)
                        .bind(&call.chat_id.0)
                        .bind(&call.caller.0)
                        .bind(&call.callee.0)
                        .bind(call.started_at)
                        .bind(call.answered_at)
                        .bind(call.ended_at)
                        .bind(call.outcome.and_then(to_word));
                }
                query.execute(&mut *transaction).await?;
                rest = later;
            }
        }
        transaction.commit().await
    }

    /// The person's calls that are over, the newest first, at most `limit`; only those older than `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn call_history(
        &self,
        user: &UserId,
        before: Option<&HistoryId>,
        limit: u32,
    ) -> Result<Vec<PastCall>, StoreError> {
        let rows: Vec<Past> = sqlx::query_as(HISTORY)
            .bind(&user.0)
            // Greater than every identifier, all of which begin with a digit or a letter.
            .bind(before.map_or("~", |id| id.0.as_str()))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(past_call).collect())
    }

    /// Calls whose end has not been written down, the oldest first: they go on, or the server died meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_calls(&self) -> Result<Vec<CallRecord>, StoreError> {
        let rows: Vec<Record> = sqlx::query_as(
            "SELECT id, call_id, chat_id, caller_id, callee_id, started_at, answered_at, ended_at, outcome
             FROM calls WHERE ended_at IS NULL ORDER BY id",
        )
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(record).collect())
    }
}
