//! `vireo-server backup FILE`: saves everything while the server runs.

use std::path::PathBuf;

use clap::Args;

use super::{Common, say};
use crate::store::back_up;

/// What to save, and where.
#[derive(Debug, Args)]
pub struct Options {
    /// The file to make; it can be restored into SQLite and into PostgreSQL
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Saves everything.
///
/// # Errors
/// A sentence that says why there is no backup.
pub async fn run(common: &Common, options: &Options) -> Result<(), String> {
    let database = common.database_in_use()?;
    back_up(&database, &common.data()?, &options.file)
        .await
        .map_err(|error| error.to_string())?;
    say(&format!(
        "Everything is saved in {}. Keep it where nobody else can read it: it holds the server's keys.",
        options.file.display()
    ));
    Ok(())
}
