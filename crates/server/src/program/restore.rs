//! `vireo-server restore FILE`: puts a backup back while no server runs.

use std::path::PathBuf;

use clap::Args;

use super::{Common, say};
use crate::serve::lock_data;
use crate::store::restore;

/// What to restore, and over what.
#[derive(Debug, Args)]
pub struct Options {
    /// A file made by `vireo-server backup`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Take the place of what is in the database now, and keep that aside
    #[arg(long)]
    replace: bool,
}

/// Puts a backup back.
///
/// # Errors
/// A sentence that says why nothing was restored.
pub async fn run(common: &Common, options: &Options) -> Result<(), String> {
    let data = common.data()?;
    let database = common.database_in_use()?;
    let _lock = lock_data(&data).map_err(|error| error.to_string())?;
    let aside = restore(&database, &options.file, &data, options.replace)
        .await
        .map_err(|error| error.to_string())?;
    say(&format!(
        "Everything in {} is restored.",
        options.file.display()
    ));
    if let Some(aside) = aside {
        say(&format!("What was there before is kept in {aside}."));
    }
    Ok(())
}
