//! A copy of the whole database in one file, made while servers go on using it. The file is a SQLite database, whichever
//! kind it was made from, so that a backup of either can be restored into either.

use std::io;
use std::path::Path;

use sqlx::{AnyConnection, Connection};
use tempfile::NamedTempFile;

use super::existing::{self, ExistingError};
use super::{Database, FOR_SQLITE, StoreError, copy};

/// Why there is no backup. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing to save.
    #[error(transparent)]
    Existing(#[from] ExistingError),
    /// A backup replaces nothing.
    #[error("{0} is there already. Choose another name for the backup.")]
    Exists(String),
    /// The file cannot be written.
    #[error("The backup cannot be written to {file}: {error}.")]
    File {
        /// The file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// The database failed.
    #[error("The database cannot be read: {0}.")]
    Database(#[from] StoreError),
}

/// What the data directory holds besides the database and cannot be made again: people's clients know the server by it.
const FILES: [&str; 1] = ["certificate.pem"];

/// Those files lie among the keys of a backup, under this and their names.
const FILE_KEY: &str = "file:";

/// Writes everything into a new file that only its owner can read: the database, and the server's own certificate from
/// the data directory. What was acknowledged before is in it.
///
/// # Errors
/// See [`BackupError`].
pub async fn back_up(database: &Database, data: &Path, file: &Path) -> Result<(), BackupError> {
    let failed = |error| BackupError::File {
        file: file.display().to_string(),
        error,
    };
    if file.exists() {
        return Err(BackupError::Exists(file.display().to_string()));
    }
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Under another name until it is complete. Such a file is its owner's alone.
    let part = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut from = existing::connect(database).await?;
    match database {
        Database::Sqlite(_) => from_sqlite(&mut from, part.path()).await?,
        Database::Postgres(_) => from_postgres(&mut from, part.path()).await?,
    }
    from.close().await?;
    add_files(data, part.path()).await?;
    part.as_file().sync_all().map_err(failed)?;
    part.persist_noclobber(file)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(file.display().to_string()),
            _ => failed(error.error),
        })?;
    sync_folder(folder).map_err(failed)
}

async fn add_files(data: &Path, part: &Path) -> Result<(), BackupError> {
    let mut backup = Database::Sqlite(part.to_owned())
        .connect_to_existing()
        .await?;
    for name in FILES {
        // A server with a certificate from elsewhere has none of its own.
        if let Ok(content) = std::fs::read(data.join(name)) {
            sqlx::query("INSERT INTO keys (name, value) VALUES ($1, $2)")
                .bind(format!("{FILE_KEY}{name}"))
                .bind(content)
                .execute(&mut backup)
                .await?;
        }
    }
    Ok(backup.close().await?)
}

/// Takes the files out of a backup.
pub(super) async fn take_files(
    backup: &mut AnyConnection,
) -> Result<Vec<(&'static str, Vec<u8>)>, StoreError> {
    let mut files = Vec::new();
    for name in FILES {
        let row: Option<(Vec<u8>,)> =
            sqlx::query_as("DELETE FROM keys WHERE name = $1 RETURNING value")
                .bind(format!("{FILE_KEY}{name}"))
                .fetch_optional(&mut *backup)
                .await?;
        files.extend(row.map(|(content,)| (name, content)));
    }
    Ok(files)
}

async fn from_sqlite(from: &mut AnyConnection, part: &Path) -> Result<(), BackupError> {
    // A snapshot: writers go on meanwhile.
    sqlx::query("VACUUM INTO $1")
        .bind(part.to_string_lossy().into_owned())
        .execute(from)
        .await?;
    Ok(())
}

async fn from_postgres(from: &mut AnyConnection, part: &Path) -> Result<(), BackupError> {
    // Everything that is read is of one moment, however long it takes.
    let mut snapshot = from
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    existing::check_version(&mut snapshot).await?;
    let file = Database::Sqlite(part.to_owned());
    let mut to = file.connect_to_existing().await?;
    FOR_SQLITE
        .run(&mut to)
        .await
        .map_err(|error| StoreError::Migrate(Box::new(error)))?;
    let mut all = to.begin().await?;
    for table in copy::tables(&mut all).await? {
        table.copy(&mut snapshot, &mut all).await?;
    }
    all.commit().await?;
    to.close().await?;
    Ok(())
}

/// A new name in a folder outlives a power cut once the folder is written, too.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => std::fs::File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
