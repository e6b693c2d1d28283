//! Everything that outlives the process: accounts, sessions, contacts, chats and calls, in SQLite or PostgreSQL.
//!
//! Nothing outside this module knows SQL, and every query is one that both databases understand.

mod accounts;
mod backup;
mod calls;
mod contacts;
mod copy;
mod database;
mod departures;
mod existing;
mod invites;
mod keys;
mod people;
mod profiles;
mod restore;
mod sessions;
mod state;
#[cfg(test)]
pub mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, Transaction};

pub use accounts::{Account, AddUserError};
pub use backup::back_up;
pub use contacts::{Change, ContactError, ContactRow, Partner, Standing, Watchers};
pub use database::Database;
use database::Pools;
pub use departures::Departure;
pub use invites::InviteError;
pub use people::AccountError;
pub use restore::restore;
pub use sessions::{Holder, Refreshed, SessionRow};

static FOR_SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static FOR_POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// What the database answers when it cannot answer.
pub type StoreError = sqlx::Error;

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// For whatever only reads; in SQLite it cannot write.
    readers: AnyPool,
    /// For everything else.
    writers: AnyPool,
    /// How a transaction that writes begins.
    begin: &'static str,
}

impl Store {
    /// Opens the database, creating and migrating it where needed.
    ///
    /// # Errors
    /// When it cannot be opened or written, or comes from a newer version.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let Pools { readers, writers } = database.connect().await?;
        let (migrator, begin) = match database {
            // A transaction that reads first and writes later could otherwise fail half-way, because SQLite cannot
            // upgrade its lock while another program writes.
            Database::Sqlite(_) => (&FOR_SQLITE, "BEGIN IMMEDIATE"),
            Database::Postgres(_) => (&FOR_POSTGRES, "BEGIN"),
        };
        migrator.run(&writers).await?;
        Ok(Self {
            readers,
            writers,
            begin,
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Closes the database; what was written is safe.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// Begins a transaction that writes. SQLite lets one in at a time. PostgreSQL lets them run side by side, each blind
    /// to what the others have not committed: one that decides by what it reads has to change a row first that whoever
    /// could get in its way changes first too, as `contacts::changes` does.
    async fn begin_write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        self.writers.begin_with(self.begin).await
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
