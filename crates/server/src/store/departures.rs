//! What went with an account, for those who have to hear of it. The program that deletes it need not be a server, and a
//! server may die before it has told anybody.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Any, Transaction};
use vireo_protocol::{SessionId, UserId};

use super::{Store, StoreError};

/// Somebody's account is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Whose.
    pub user: UserId,
    /// The sessions that ended with it.
    pub sessions: Vec<SessionId>,
    /// Those in whose lists the person was.
    pub contacts: Vec<UserId>,
}

impl Store {
    /// The accounts that were deleted at this time or later, in milliseconds since the epoch, whichever process did it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn departures_since(&self, since: i64) -> Result<Vec<Departure>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT user_id, sessions, contacts FROM departures WHERE departed_at >= $1",
        )
        .bind(since)
        .fetch_all(&self.readers)
        .await?;
        let departure = |(user, sessions, contacts): (String, String, String)| Departure {
            user: UserId(user),
            sessions: ids(&sessions),
            contacts: ids(&contacts),
        };
        Ok(rows.into_iter().map(departure).collect())
    }
}

/// Writes a departure down.
pub(super) async fn depart(
    transaction: &mut Transaction<'_, Any>,
    departure: &Departure,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO departures (user_id, sessions, contacts, departed_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&departure.user.0)
    .bind(text(&departure.sessions))
    .bind(text(&departure.contacts))
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn text<T: Serialize>(ids: &[T]) -> String {
    serde_json::to_string(ids).expect("identifiers are plain data")
}

fn ids<T: DeserializeOwned>(text: &str) -> Vec<T> {
    // What another hand has written there tells nobody anything.
    serde_json::from_str(text).unwrap_or_default()
}
