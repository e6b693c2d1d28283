//! One's own account: what others see of it, the devices it is used on, its password and its end.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use serde_json::json;
use vireo_protocol::{MAX_AVATAR_BYTES, SessionId};

use crate::account::{Identity, first_line};
use crate::args::{DeleteArguments, PasswordArguments, ProfileCommand, SessionsCommand};
use crate::failure::{Failure, Status};
use crate::output;

/// Shows or changes what contacts see, and writes it down.
///
/// # Errors
/// The exit status and the sentence.
pub async fn profile(identity: &Identity, command: &ProfileCommand) -> Result<(), Failure> {
    let picture = match command {
        ProfileCommand::SetAvatar { file } => Some(picture(file)?),
        _ => None,
    };
    let session = identity.sign_in().await?;
    let profile = match (command, picture) {
        (ProfileCommand::SetName { name }, _) => session.set_display_name(Some(name)).await?,
        (ProfileCommand::RemoveAvatar, _) => session.remove_avatar().await?,
        (_, Some(picture)) => session.set_avatar(picture).await?,
        (_, None) => session.profile().await?,
    };
    output::line(&profile);
    Ok(())
}

/// The file, unless it is larger than a server takes.
fn picture(file: &Path) -> Result<Vec<u8>, Failure> {
    let content = std::fs::read(file).map_err(|problem| Failure::file(file, problem))?;
    match content.len() > MAX_AVATAR_BYTES {
        true => Err(Failure::file(
            file,
            "a picture can be at most 256 KB large; make it smaller first",
        )),
        false => Ok(content),
    }
}

/// Lists one's devices, or signs one out.
///
/// # Errors
/// The exit status and the sentence.
pub async fn sessions(
    identity: &Identity,
    command: Option<&SessionsCommand>,
) -> Result<(), Failure> {
    let session = identity.sign_in().await?;
    match command {
        None => session.sessions().await?.iter().for_each(output::line),
        Some(SessionsCommand::Revoke { id }) => {
            session.end_session(&SessionId(id.clone())).await?;
            output::line(&json!({"event": "revoked", "id": id}));
        }
    }
    Ok(())
}

/// Changes the password.
///
/// # Errors
/// The exit status and the sentence.
pub async fn password(identity: &Identity, arguments: &PasswordArguments) -> Result<(), Failure> {
    let new = match &arguments.new_password_file {
        Some(file) => first_line(file)?,
        None => answer("Your new password (it shows while you type): ")?,
    };
    let session = identity.sign_in().await?;
    session.change_password(identity.password(), &new).await?;
    output::line(&json!({"event": "changed", "user": session.user.name}));
    identity.keep_password(&new)
}

/// Deletes the account, once its user has said so.
///
/// # Errors
/// The exit status and the sentence.
pub async fn delete(identity: &Identity, arguments: &DeleteArguments) -> Result<(), Failure> {
    let session = identity.sign_in().await?;
    let name = &session.user.name;
    if !arguments.yes && !confirmed(name)? {
        return Err(Failure::new(Status::Other, "Nothing was deleted."));
    }
    session.delete_account(identity.password()).await?;
    output::line(&json!({"event": "deleted", "user": name}));
    identity.forget()
}

fn confirmed(name: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let problem = "Nothing was deleted. Say that you mean it with --yes.";
        return Err(Failure::new(Status::Usage, problem));
    }
    output::say("Your account and everything that belongs to it will be gone for good.");
    Ok(answer(&format!("Type your name, {name}, to go on: "))? == name)
}

/// The next line of standard input. Whoever sits there is told what it is for.
fn answer(question: &str) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::say(question);
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|problem| {
        Failure::new(
            Status::Other,
            format!("Standard input cannot be read: {problem}."),
        )
    })?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
