//! A backup back into a database that no server uses.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::migrate::MigrateError;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use tempfile::{NamedTempFile, TempDir};
use tokio::time::sleep;

use super::backup::{sync_folder, take_files};
use super::{Database, FOR_POSTGRES, FOR_SQLITE, StoreError, copy, now_ms};

/// Why nothing was restored, and nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file cannot be read at all.
    #[error("{file} cannot be read: {error}.")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// It is something else, or not whole any more.
    #[error(
        "{file} is not a backup of a Vireo server, or it is damaged ({problem}). Nothing has been changed."
    )]
    NotABackup {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It has tables that this program does not know.
    #[error(
        "{0} was made by a newer version of vireo-server. Update this one first. Nothing has been changed."
    )]
    Newer(String),
    /// There are people in the database.
    #[error(
        "The database is not empty. With --replace the backup takes its place, and what is there now is kept aside."
    )]
    NotEmpty,
    /// A server, or somebody else, is connected to PostgreSQL's database.
    #[error(
        "Somebody is connected to the database. Stop every vireo-server that uses it, and try again."
    )]
    InUse,
    /// The database's file cannot be put in its place.
    #[error("The database cannot be put in its place: {0}.")]
    Place(#[from] io::Error),
    /// The database failed.
    #[error("The database cannot be restored: {0}. Nothing has been changed.")]
    Database(#[from] StoreError),
}

/// PostgreSQL may take so long to notice that a server which was killed has gone.
const LEAVE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Puts what is in the file into the database, and the server's own certificate into the data directory. What was there
/// before, where anything was and may be replaced, is kept; returns where.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    database: &Database,
    file: &Path,
    data: &Path,
    replace: bool,
) -> Result<Option<String>, RestoreError> {
    // The backup stays as it is; what is restored is a copy that has been looked at and brought up to date.
    let passing = TempDir::new_in(data)?;
    let copy = passing.path().join("backup.sqlite");
    std::fs::copy(file, &copy).map_err(|error| RestoreError::File {
        file: file.display().to_string(),
        error,
    })?;
    let mut backup = checked(&copy, &file.display().to_string()).await?;
    let files = take_files(&mut backup).await?;
    let aside = match database {
        Database::Sqlite(place) => {
            backup.close().await?;
            into_sqlite(&copy, place, replace).await?
        }
        Database::Postgres(_) => into_postgres(&mut backup, database, replace).await?,
    };
    for (name, content) in files {
        put_file(data, name, &content)?;
    }
    sync_folder(data)?;
    Ok(aside)
}

/// Puts a file in its place at once, readable by its owner alone; one with something else in it gets another name.
fn put_file(data: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let place = data.join(name);
    match std::fs::read(&place) {
        Ok(there) if there == content => return Ok(()),
        Ok(_) => drop(set_aside(&place)?),
        Err(_) => {}
    }
    let mut part = NamedTempFile::new_in(data)?;
    part.write_all(content)?;
    part.as_file().sync_all()?;
    part.persist(&place).map_err(|error| error.error)?;
    Ok(())
}

/// The copy of a backup, once it is known to be one, whole, and of this version.
async fn checked(copy: &Path, file: &str) -> Result<AnyConnection, RestoreError> {
    let bad = |problem: String| RestoreError::NotABackup {
        file: file.to_owned(),
        problem,
    };
    let database_says = |error: StoreError| match error {
        StoreError::Database(error) => bad(error.message().to_owned()),
        other => bad(other.to_string()),
    };
    let mut backup = Database::Sqlite(copy.to_owned())
        .connect_to_existing()
        .await
        .map_err(database_says)?;
    let whole: Result<Vec<(String,)>, _> = sqlx::query_as("PRAGMA integrity_check")
        .fetch_all(&mut backup)
        .await;
    match whole.map_err(database_says)?.as_slice() {
        [(word,)] if word == "ok" => {}
        problems => return Err(bad(format!("{} pages are wrong", problems.len()))),
    }
    let known = "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('users', '_sqlx_migrations')";
    let known: i64 = sqlx::query(known)
        .fetch_one(&mut backup)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(database_says)?;
    if known != 2 {
        return Err(bad("it holds something else".to_owned()));
    }
    FOR_SQLITE
        .run(&mut backup)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(_) => RestoreError::Newer(file.to_owned()),
            MigrateError::Execute(error) => database_says(error),
            other => bad(other.to_string()),
        })?;
    let astray = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&mut backup)
        .await
        .map_err(database_says)?;
    match astray.len() {
        0 => Ok(backup),
        rows => Err(bad(format!("{rows} rows refer to nothing"))),
    }
}

async fn has_people(database: &mut AnyConnection) -> Result<bool, StoreError> {
    let people = "SELECT CAST(COUNT(*) AS BIGINT) FROM users WHERE service = 0";
    let people: i64 = sqlx::query(people).fetch_one(database).await?.try_get(0)?;
    Ok(people > 0)
}

async fn into_sqlite(
    copy: &Path,
    place: &Path,
    replace: bool,
) -> Result<Option<String>, RestoreError> {
    if place.exists() && !replace {
        // One that cannot be read is not known to be empty.
        let empty = match Database::Sqlite(place.to_owned())
            .connect_to_existing()
            .await
        {
            Ok(mut old) => matches!(has_people(&mut old).await, Ok(false)),
            Err(_) => false,
        };
        if !empty {
            return Err(RestoreError::NotEmpty);
        }
    }
    std::fs::File::open(copy)?.sync_all()?;
    if place.exists() {
        make_one_file(place).await;
    }
    let aside = set_aside(place)?;
    std::fs::rename(copy, place)?;
    if let Some(folder) = place.parent() {
        sync_folder(folder)?;
    }
    Ok(aside.map(|path| path.display().to_string()))
}

/// A server that was killed leaves a log beside the database; what is in it goes into the file, where that can be done.
async fn make_one_file(place: &Path) {
    let database = Database::Sqlite(place.to_owned());
    if let Ok(mut old) = database.connect_to_existing().await {
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut old)
            .await;
        let _ = old.close().await;
    }
}

/// Gives the old file another name, with what SQLite keeps beside it: a log of another database would ruin the new one.
fn set_aside(place: &Path) -> io::Result<Option<PathBuf>> {
    let with = |end: &str| {
        let mut name = place.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    if !place.exists() {
        return Ok(None);
    }
    let aside = format!(".before-restore-{}", now_ms());
    for end in ["-wal", "-shm", ""] {
        let file = with(end);
        if file.exists() {
            std::fs::rename(file, with(&format!("{aside}{end}")))?;
        }
    }
    Ok(Some(with(&aside)))
}

/// How many others are connected to PostgreSQL's database.
async fn others_in(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let others = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    sqlx::query(others).fetch_one(connection).await?.try_get(0)
}

async fn into_postgres(
    backup: &mut AnyConnection,
    database: &Database,
    replace: bool,
) -> Result<Option<String>, RestoreError> {
    let mut to = database.connect_to_existing().await?;
    let late = Instant::now() + LEAVE;
    while others_in(&mut to).await? > 0 && Instant::now() < late {
        sleep(LOOK_AGAIN).await;
    }
    // All or nothing, tables included.
    let mut all = to.begin().await?;
    if others_in(&mut all).await? > 0 {
        return Err(RestoreError::InUse);
    }
    migrate(&mut all).await?;
    let tables = copy::tables(backup).await?;
    let mut aside = None;
    if has_people(&mut all).await? {
        if !replace {
            return Err(RestoreError::NotEmpty);
        }
        let schema = format!("before_restore_{}", now_ms());
        run(&mut all, format!("CREATE SCHEMA {schema}")).await?;
        let names = tables.iter().map(|table| table.name.as_str());
        for name in names.chain(["_sqlx_migrations"]) {
            run(
                &mut all,
                format!("ALTER TABLE \"{name}\" SET SCHEMA {schema}"),
            )
            .await?;
        }
        migrate(&mut all).await?;
        aside = Some(format!("the schema {schema}"));
    }
    // What a server makes for itself when it starts comes from the backup, too.
    for table in tables.iter().rev() {
        table.clear(&mut all).await?;
    }
    for table in &tables {
        table.copy(backup, &mut all).await?;
    }
    all.commit().await?;
    to.close().await?;
    Ok(aside)
}

async fn migrate(database: &mut AnyConnection) -> Result<(), StoreError> {
    FOR_POSTGRES
        .run(database)
        .await
        .map_err(|error| StoreError::Migrate(Box::new(error)))
}

async fn run(database: &mut AnyConnection, statement: String) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(statement))
        .execute(database)
        .await?;
    Ok(())
}
