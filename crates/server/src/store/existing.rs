//! A database that a server has made, opened by another program than that server.

use sqlx::{AnyConnection, Connection, Row};

use super::{Database, FOR_POSTGRES, Store, StoreError};

/// Why there is nothing to work with.
#[derive(Debug, thiserror::Error)]
pub enum ExistingError {
    /// No database.
    #[error(
        "There is no database of a Vireo server there. Name its directory with --data, or its address with --database."
    )]
    Missing,
    /// It holds an older or newer state of things than this program knows.
    #[error(
        "The database belongs to another version of vireo-server. Use the program that serves it."
    )]
    OtherVersion,
    /// The database failed.
    #[error("The database does not answer: {0}. Is it running, and may you use it?")]
    Database(#[from] StoreError),
}

impl Store {
    /// Opens a database that is there and of this version; makes and changes nothing, since a server may be using it.
    ///
    /// # Errors
    /// See [`ExistingError`].
    pub async fn open_existing(database: &Database) -> Result<Self, ExistingError> {
        let mut connection = connect(database).await?;
        check_version(&mut connection).await?;
        connection.close().await?;
        Ok(Self::open(database).await?)
    }
}

/// One connection to a database that is there.
pub(super) async fn connect(database: &Database) -> Result<AnyConnection, ExistingError> {
    let connected = database.connect_to_existing().await;
    let mut connection = connected.map_err(|error| match database {
        Database::Sqlite(file) if !file.exists() => ExistingError::Missing,
        _ => error.into(),
    })?;
    let there = match database {
        Database::Sqlite(_) => {
            "SELECT CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END FROM sqlite_master WHERE name IN ('users', '_sqlx_migrations')"
        }
        Database::Postgres(_) => {
            "SELECT CASE WHEN to_regclass('_sqlx_migrations') IS NULL THEN 0 ELSE 1 END"
        }
    };
    let row = sqlx::query(there).fetch_one(&mut connection).await?;
    let there: i64 = match database {
        Database::Sqlite(_) => row.try_get(0)?,
        Database::Postgres(_) => row.try_get::<i32, _>(0)?.into(),
    };
    match there {
        0 => Err(ExistingError::Missing),
        _ => Ok(connection),
    }
}

/// Checks that every migration of this version has been applied, and no other; those of both kinds have the same numbers.
pub(super) async fn check_version(connection: &mut AnyConnection) -> Result<(), ExistingError> {
    let applied: Vec<(i64,)> =
        sqlx::query_as("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(connection)
            .await?;
    let known = FOR_POSTGRES.iter().map(|migration| migration.version);
    match applied.into_iter().map(|(version,)| version).eq(known) {
        true => Ok(()),
        false => Err(ExistingError::OtherVersion),
    }
}
