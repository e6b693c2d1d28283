//! `vireo-server admin …`: people, invitations and sessions, from a terminal or a script, while servers use the same
//! database or none runs.

mod invites;
mod people;
mod sessions;
mod table;

use clap::{Args, Subcommand};
use serde::Serialize;
use vireo_protocol::User;

use super::{Common, say};
use crate::store::{Store, StoreError};

/// What to look at or change.
#[derive(Debug, Args)]
pub struct Options {
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// The people who have an account
    #[command(subcommand)]
    Users(people::Command),
    /// Invitations that can be used
    #[command(subcommand)]
    Invites(invites::Command),
    /// The devices that people are signed in on
    #[command(subcommand)]
    Sessions(sessions::Command),
}

/// Does what was asked.
///
/// # Errors
/// A sentence that says why it was not done, and what to do about it.
pub async fn run(common: &Common, options: Options) -> Result<(), String> {
    let database = common.database_in_use()?;
    let opened = Store::open_existing(&database).await;
    let store = opened.map_err(|error| error.to_string())?;
    let desk = Desk {
        store: store.clone(),
        json: options.json,
    };
    let done = match options.subject {
        Subject::Users(command) => people::run(&desk, command).await,
        Subject::Invites(command) => invites::run(&desk, command).await,
        Subject::Sessions(command) => sessions::run(&desk, command).await,
    };
    store.close().await;
    done
}

/// The database, and how to answer.
struct Desk {
    store: Store,
    json: bool,
}

impl Desk {
    /// Says what came of it: a sentence, or the same for scripts.
    fn answer(&self, sentence: &str, value: &impl Serialize) {
        match self.json {
            true => say(&json(value)),
            false => say(sentence),
        }
    }

    /// Prints a list: as a table, or for scripts.
    fn list<T: Serialize>(&self, rows: &[T], header: &[&str], row: impl Fn(&T) -> Vec<String>) {
        match self.json {
            true => say(&json(&rows)),
            false => say(&table::table(header, rows.iter().map(row))),
        }
    }

    /// The person of this name.
    async fn person(&self, name: &str) -> Result<User, String> {
        let found = self.store.person_named(name).await.map_err(failed)?;
        found.ok_or_else(|| {
            format!(
                "Nobody here is called “{name}”. `vireo-server admin users list` shows everybody."
            )
        })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is listed is plain data")
}

fn failed(error: StoreError) -> String {
    format!("The database failed: {error}. Please try again.")
}
