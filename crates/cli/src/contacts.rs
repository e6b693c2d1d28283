//! Contacts, and what they see of oneself.

use std::sync::Arc;

use serde_json::json;
use vireo_call::NoMedia;
use vireo_client::{Client, OwnStatus};
use vireo_protocol::Contact;

use crate::account::Identity;
use crate::args::{ContactsCommand, StatusArguments, StatusChoice};
use crate::commands::connect;
use crate::failure::{Failure, Status};
use crate::output::{self, Event};
use crate::signals::Signals;

/// Does what is to be done with contacts, and writes down how the person stands in the list afterwards.
///
/// # Errors
/// The exit status and the sentence.
pub async fn run(identity: &Identity, command: &ContactsCommand) -> Result<(), Failure> {
    let client = connect(identity, Arc::new(NoMedia)).await?;
    let outcome = carry_out(&client, command).await;
    client.close().await;
    outcome
}

async fn carry_out(client: &Client, command: &ContactsCommand) -> Result<(), Failure> {
    let name = match command {
        ContactsCommand::List => {
            let contacts = client.view().borrow().contacts.clone();
            contacts.iter().for_each(output::line);
            return Ok(());
        }
        ContactsCommand::Add { name } => {
            output::line(&client.add_contact(name).await?);
            return Ok(());
        }
        ContactsCommand::Accept { name }
        | ContactsCommand::Decline { name }
        | ContactsCommand::Remove { name }
        | ContactsCommand::Block { name }
        | ContactsCommand::Unblock { name } => name,
    };
    let person = find(client, name)?;
    let user_id = person.user_id.clone();
    match command {
        ContactsCommand::Accept { .. } => client.accept_contact(user_id).await?,
        ContactsCommand::Decline { .. } => client.decline_contact(user_id).await?,
        ContactsCommand::Remove { .. } => client.remove_contact(user_id).await?,
        ContactsCommand::Block { .. } => client.block_contact(user_id).await?,
        ContactsCommand::Unblock { .. } => client.unblock_contact(user_id).await?,
        ContactsCommand::List | ContactsCommand::Add { .. } => {}
    }
    match find(client, name) {
        Ok(contact) => output::line(&contact),
        Err(_) => output::line(&json!({"event": "removed", "name": person.name})),
    }
    Ok(())
}

/// The person of this name in the list, upper and lower case aside.
fn find(client: &Client, name: &str) -> Result<Contact, Failure> {
    let view = client.view();
    let view = view.borrow();
    let wanted = name.to_lowercase();
    let mut contacts = view.contacts.iter();
    let found = contacts.find(|contact| contact.name.to_lowercase() == wanted);
    found.cloned().ok_or_else(|| {
        let problem = format!("“{name}” is not in your list; `vireo-cli contacts list` shows it.");
        Failure::new(Status::AccessDenied, problem)
    })
}

/// Shows the person so until stopped.
///
/// # Errors
/// The exit status and the sentence.
pub async fn show_status(identity: &Identity, wanted: &StatusArguments) -> Result<(), Failure> {
    let mut signals = Signals::listen();
    let client = connect(identity, Arc::new(NoMedia)).await?;
    let status = match wanted.status {
        StatusChoice::Online => OwnStatus::Online,
        StatusChoice::Away => OwnStatus::Away,
        StatusChoice::DoNotDisturb => OwnStatus::DoNotDisturb,
    };
    client.set_status(status);
    output::line(&Event::Status { status });
    let over = async {
        match wanted.duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = signals.next() => {}
        () = over => {}
    }
    // The server keeps this one, on every device, until something else is said.
    client.set_status(OwnStatus::Online);
    client.close().await;
    Ok(())
}
