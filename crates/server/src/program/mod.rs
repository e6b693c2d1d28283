//! `vireo-server` as a program: its command line, what it prints, how it ends. Each command has a file of its own.
//!
//! ```text
//! vireo-server [options]     serves
//! vireo-server doctor        says how the server is
//! vireo-server backup FILE   saves everything, while it serves
//! vireo-server restore FILE  puts it back
//! vireo-server admin …       people, invitations and sessions
//! ```

mod admin;
mod backup;
mod doctor;
mod log;
mod options;
mod qr;
mod relay;
mod restore;
mod serve;
mod signals;
mod welcome;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::store::Database;
use log::LogForm;

/// Vireo's server. It needs no configuration.
// Not printable: the database's address may hold a password.
#[derive(Parser)]
#[command(name = "vireo-server", version)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    serve: options::Options,
    /// What to do instead of serving.
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command; they may stand before or after its name.
#[derive(Args)]
pub struct Common {
    /// Directory to keep everything in [default: the platform's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// PostgreSQL database to keep accounts, contacts and calls in [default: SQLite, in the directory]
    #[arg(
        long,
        global = true,
        value_name = "postgres://…",
        env = "VIREO_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// How to write the log on standard error: for people or for programs
    #[arg(long, global = true, value_name = "FORM", default_value = "text")]
    log: LogForm,
}

impl Common {
    /// The data directory.
    ///
    /// # Errors
    /// A sentence, where this system names none and none was given.
    pub fn data(&self) -> Result<PathBuf, String> {
        let data = self.data.clone().or_else(Config::default_data);
        data.ok_or_else(|| {
            "There is no data directory on this system. Choose one with --data.".to_owned()
        })
    }

    /// The database that was asked for; nothing: the one in the data directory.
    ///
    /// # Errors
    /// A sentence, where the address is none. It does not repeat it, as clap would, for what it may contain.
    pub fn database(&self) -> Result<Option<Database>, String> {
        let address = self.database.as_deref();
        address.map(str::parse).transpose()
    }

    /// The database that a server with these options uses.
    ///
    /// # Errors
    /// A sentence, where no directory is known or the address is none.
    pub fn database_in_use(&self) -> Result<Database, String> {
        match self.database()? {
            Some(database) => Ok(database),
            None => Ok(Database::in_directory(&self.data()?)),
        }
    }
}

/// What the program can do besides serving, one line each.
#[derive(Debug, Subcommand)]
enum Command {
    /// See and change people, invitations and sessions, also while the server goes on
    Admin(admin::Options),
    /// Save everything in a file, while the server goes on
    Backup(backup::Options),
    /// Say in plain words how the server is: the one that runs, or else one with these options that is started for a moment
    Doctor(doctor::Options),
    /// Put back what `backup` has saved, while no server runs
    Restore(restore::Options),
}

/// A sentence on standard output.
fn say(sentence: &str) {
    let _ = writeln!(std::io::stdout(), "{sentence}");
}

/// Does what the command line says. What goes wrong is a sentence on standard error.
pub async fn run() -> ExitCode {
    let Arguments {
        common,
        serve,
        command,
    } = Arguments::parse();
    let usual = match command {
        Some(Command::Doctor(_)) => log::QUIET,
        _ => log::USUAL,
    };
    log::start(common.log, usual);
    let done = match command {
        None => serve::run(&common, serve).await,
        Some(Command::Admin(options)) => admin::run(&common, options).await,
        Some(Command::Backup(options)) => backup::run(&common, &options).await,
        Some(Command::Doctor(options)) => doctor::run(&common, serve, &options).await,
        Some(Command::Restore(options)) => restore::run(&common, &options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            let _ = writeln!(std::io::stderr(), "{sentence}");
            ExitCode::FAILURE
        }
    }
}
