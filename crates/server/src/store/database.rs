//! Which database the server keeps everything in, and how it connects to it.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, Connection};

use super::StoreError;

/// Whoever waits longer for the database than this is told that it does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// SQLite reads from several connections at once; more than the processors can serve are of no use.
const SQLITE_READERS: u32 = 4;

/// Of PostgreSQL's hundred, so that several instances have enough.
const POSTGRES_CONNECTIONS: u32 = 12;

/// A connection that has lain still for so long may be dead; it is tried before it is used.
const MAY_BE_DEAD: Duration = Duration::from_secs(1);

/// Where everything is kept. Its Debug output does not hold PostgreSQL's address, which may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// This file, made where it is missing.
    Sqlite(PathBuf),
    /// This address: `postgres://user:password@host/database`.
    Postgres(String),
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => formatter.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(_) => formatter.write_str("Postgres(…)"),
        }
    }
}

/// The address of a PostgreSQL database; the error is a sentence that does not repeat it.
impl FromStr for Database {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ["postgres://", "postgresql://"];
        let is_address = known.iter().any(|scheme| text.starts_with(scheme))
            && AnyConnectOptions::from_str(text).is_ok();
        match is_address {
            true => Ok(Self::Postgres(text.to_owned())),
            false => Err(
                "--database needs an address such as postgres://user:password@host/vireo."
                    .to_owned(),
            ),
        }
    }
}

/// Connections that read and connections that write.
pub(super) struct Pools {
    pub readers: AnyPool,
    pub writers: AnyPool,
}

impl Database {
    /// The database in a data directory.
    #[must_use]
    pub fn in_directory(data: &Path) -> Self {
        Self::Sqlite(data.join("vireo.sqlite"))
    }

    /// Connects, and makes SQLite's file where it is missing.
    pub(super) async fn connect(&self) -> Result<Pools, StoreError> {
        sqlx::any::install_default_drivers();
        match self {
            Self::Sqlite(file) => sqlite(file).await,
            Self::Postgres(address) => postgres(address).await,
        }
    }
}

impl Database {
    /// One connection to a database that is there; SQLite's file is not made.
    pub(super) async fn connect_to_existing(&self) -> Result<AnyConnection, StoreError> {
        sqlx::any::install_default_drivers();
        let address = match self {
            Self::Sqlite(file) => sqlite_address(file, "rw")?,
            Self::Postgres(address) => address.clone(),
        };
        AnyConnection::connect_with(&AnyConnectOptions::from_str(&address)?).await
    }
}

/// One connection writes, so that writers wait in line instead of trying again and again, which is what SQLite does.
async fn sqlite(file: &Path) -> Result<Pools, StoreError> {
    let options = AnyConnectOptions::from_str(&sqlite_address(file, "rwc")?)?;
    // A pool would try a file that is no database again until its patience ends. What this sets stays with the file.
    let mut first = AnyConnection::connect_with(&options).await?;
    run(&mut first, "PRAGMA journal_mode = WAL").await?;
    first.close().await?;
    let writers = pool_options()
        .max_connections(1)
        .after_connect(|connection, _| Box::pin(run(connection, FOR_WRITERS)))
        .connect_with(options.clone())
        .await?;
    let readers = pool_options()
        .max_connections(SQLITE_READERS)
        .after_connect(|connection, _| Box::pin(run(connection, FOR_READERS)))
        .connect_with(options)
        .await?;
    Ok(Pools { readers, writers })
}

/// In WAL mode NORMAL survives the death of the process; only a power cut can lose the last commits.
const FOR_WRITERS: &str =
    "PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON";

const FOR_READERS: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON";

async fn run(connection: &mut AnyConnection, statements: &'static str) -> Result<(), StoreError> {
    sqlx::raw_sql(statements).execute(connection).await?;
    Ok(())
}

async fn postgres(address: &str) -> Result<Pools, StoreError> {
    let both = pool_options()
        .max_connections(POSTGRES_CONNECTIONS)
        // Whoever wants the database for themselves sees that it is in use.
        .min_connections(1)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                match meta.idle_for > MAY_BE_DEAD {
                    true => Ok(connection.ping().await.is_ok()),
                    false => Ok(true),
                }
            })
        })
        .connect_with(AnyConnectOptions::from_str(address)?)
        .await?;
    Ok(Pools {
        readers: both.clone(),
        writers: both,
    })
}

fn pool_options() -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
}

/// The file as an address, in which every character but the plainest is escaped.
fn sqlite_address(file: &Path, mode: &str) -> Result<String, StoreError> {
    let path = file.to_str().ok_or_else(|| {
        let problem = "the name of the data directory is not text that other programs can read";
        StoreError::Configuration(problem.into())
    })?;
    let mut address = "sqlite:".to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                address.push(char::from(byte));
            }
            _ => {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    address.push_str("?mode=");
    address.push_str(mode);
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_can_lie_in_any_folder() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for name in ["plain", "two words", "50% ?#&", "é漢", "sqlite:", "C:\\x"] {
            let folder = directory.path().join(name);
            std::fs::create_dir(&folder).expect("made");
            let file = folder.join("vireo.sqlite");
            let pools = Database::Sqlite(file.clone()).connect().await;
            assert!(pools.is_ok() && file.exists(), "{name}");
        }
    }

    #[test]
    fn an_address_is_told_from_anything_else_and_printed_by_nothing() {
        let good = "postgres://ann:secret@db.example.org/vireo";
        let database: Database = good.parse().expect("an address");
        assert!(!format!("{database:?}").contains("secret"));
        for bad in [
            "",
            "mysql://a/b",
            "postgres:",
            "postgres://a:b:c:d",
            "/tmp/x",
        ] {
            assert!(bad.parse::<Database>().is_err(), "{bad}");
        }
    }
}
