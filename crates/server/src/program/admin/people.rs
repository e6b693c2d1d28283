//! `vireo-server admin users …`

use std::io::{IsTerminal, Write};

use clap::{Subcommand, ValueEnum};
use rand::RngExt;
use serde_json::json;
use vireo_protocol::{Role, User, UserInfo, password_problem};

use super::table::utc;
use super::{Desk, failed};
use crate::secrets::hash_password;
use crate::store::AccountError;

/// So many people are read at a time.
const PAGE: u32 = 500;

/// Of what a new password consists: nothing that is mistaken for something else when it is read out.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists everybody, by name
    List,
    /// Makes somebody an administrator, or a member again
    SetRole {
        /// Whose role
        name: String,
        /// The role
        role: RoleName,
    },
    /// Gives somebody a new password, prints it, and signs all their devices out
    ResetPassword {
        /// Whose password
        name: String,
        /// Read the new password from the first line of standard input instead of making one
        #[arg(long)]
        stdin: bool,
    },
    /// Deletes somebody's account and everything that belongs to it
    Delete {
        /// Whose account
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    Admin,
    Member,
}

pub async fn run(desk: &Desk, command: Command) -> Result<(), String> {
    match command {
        Command::List => list(desk).await,
        Command::SetRole { name, role } => set_role(desk, &name, role).await,
        Command::ResetPassword { name, stdin } => reset_password(desk, &name, stdin).await,
        Command::Delete { name, yes } => delete(desk, &name, yes).await,
    }
}

async fn list(desk: &Desk) -> Result<(), String> {
    let mut people: Vec<UserInfo> = Vec::new();
    loop {
        let after = people.last().map_or("", |last| &last.name).to_owned();
        let page = desk.store.people(&after, PAGE).await.map_err(failed)?;
        if page.is_empty() {
            break;
        }
        people.extend(page);
    }
    let header = ["NAME", "ROLE", "CREATED (UTC)", "LAST SEEN (UTC)", "ID"];
    desk.list(&people, &header, |person| {
        vec![
            person.name.clone(),
            role_name(person.role).to_owned(),
            utc(person.created_at),
            person.last_seen_at.map_or("never".to_owned(), utc),
            person.id.0.clone(),
        ]
    });
    Ok(())
}

async fn set_role(desk: &Desk, name: &str, role: RoleName) -> Result<(), String> {
    let person = desk.person(name).await?;
    let role = match role {
        RoleName::Admin => Role::Admin,
        RoleName::Member => Role::Member,
    };
    let set = desk.store.set_role(&person.id, role).await;
    set.map_err(|error| explain(&person, error))?;
    let sentence = match role {
        Role::Admin => format!("{} is an administrator now.", person.name),
        Role::Member => format!("{} is a member now.", person.name),
    };
    desk.answer(&sentence, &json!({"user": person, "role": role}));
    Ok(())
}

async fn reset_password(desk: &Desk, name: &str, stdin: bool) -> Result<(), String> {
    let person = desk.person(name).await?;
    let given = stdin.then(first_line).transpose()?;
    let password = given.clone().unwrap_or_else(new_password);
    if let Some(problem) = password_problem(&password) {
        return Err(problem.to_owned());
    }
    let hash = hash_password(&password).ok_or("This computer has no randomness to give.")?;
    let set = desk.store.set_password(&person.id, &hash, None).await;
    set.map_err(failed)?;
    let made = given.is_none().then_some(&password);
    let sentence = match made {
        Some(password) => format!(
            "The new password of {} is {password}\nAll their devices are signed out. They should change it with `vireo-cli password`.",
            person.name
        ),
        None => format!(
            "{} has a new password. All their devices are signed out.",
            person.name
        ),
    };
    desk.answer(&sentence, &json!({"user": person, "password": made}));
    Ok(())
}

async fn delete(desk: &Desk, name: &str, yes: bool) -> Result<(), String> {
    let person = desk.person(name).await?;
    if !yes && !confirmed(&person)? {
        return Err("Nothing was deleted.".to_owned());
    }
    let gone = desk.store.delete_user(&person.id).await;
    gone.map_err(|error| explain(&person, error))?;
    let sentence = format!("The account of {} is gone.", person.name);
    desk.answer(&sentence, &json!({"user": person}));
    Ok(())
}

fn explain(person: &User, error: AccountError) -> String {
    let name = &person.name;
    match error {
        AccountError::Store(error) => failed(error),
        AccountError::UnknownUser => format!("{name} has just been deleted by somebody else."),
        AccountError::LastAdmin => format!(
            "{name} is the last administrator. Make somebody else one first: `vireo-server admin users set-role NAME admin`."
        ),
    }
}

/// Asks whoever sits at the terminal.
fn confirmed(person: &User) -> Result<bool, String> {
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "Nothing was deleted. To delete {} without being asked, say so with --yes.",
            person.name
        ));
    }
    let question = format!(
        "The account of {} and everything that belongs to it will be gone for good.\nType the name to go on: ",
        person.name
    );
    let _ = write!(std::io::stderr(), "{question}");
    Ok(first_line()? == person.name)
}

fn first_line() -> Result<String, String> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|error| format!("Standard input cannot be read: {error}."))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Four groups of five: 100 random bits.
fn new_password() -> String {
    let mut random = rand::rng();
    let mut group = || -> String {
        let letters = (0..5).map(|_| LETTERS[random.random_range(0..LETTERS.len())]);
        letters.map(char::from).collect()
    };
    [group(), group(), group(), group()].join("-")
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_password_is_a_good_one_and_another_each_time() {
        let (one, other) = (new_password(), new_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert_eq!(password_problem(&one), None);
        assert_eq!(LETTERS.len(), 32);
    }
}
