//! The commands, each from its first step to its last.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vireo_call::{MediaFactory, NoMedia, Phase};
use vireo_client::{Client, ClientError, ClientOptions, ConnectionState};
use vireo_media::DeviceInfo;
use vireo_media::audio::{microphones, speakers};
use vireo_media::video::cameras;
use vireo_protocol::{ChatId, HistoryId};

use crate::account::Identity;
use crate::args::{AnswerArguments, Arguments, CallArguments, Command, MediaArguments};
use crate::call::{Caller, Incoming};
use crate::contacts;
use crate::control;
use crate::ctl;
use crate::failure::{Failure, Status};
use crate::invites;
use crate::join;
use crate::media::CliMedia;
use crate::output::{self, Event};
use crate::person;
use crate::signals::Signals;
use crate::statistics::StatisticsFile;

/// Does what the command line says.
///
/// # Errors
/// The exit status and the sentence.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Command::Devices = &arguments.command {
        list_devices();
        return Ok(());
    }
    if let Command::Ctl(ctl) = &arguments.command {
        return ctl::run(ctl).await;
    }
    let identity = Identity::of(arguments)?;
    let done = run_as(&identity, &arguments.command).await;
    identity.sign_out().await;
    done
}

async fn run_as(identity: &Identity, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Register => register(identity).await,
        Command::Join(join) => join::run(identity, join).await,
        Command::Invites(command) => invites::run(identity, command).await,
        Command::Contacts(contacts) => contacts::run(identity, contacts).await,
        Command::Status(status) => contacts::show_status(identity, status).await,
        Command::History { before, limit } => history(identity, before.clone(), *limit).await,
        Command::Profile(command) => person::profile(identity, command).await,
        Command::Sessions { command } => person::sessions(identity, command.as_ref()).await,
        Command::Password(password) => person::password(identity, password).await,
        Command::DeleteAccount(delete) => person::delete(identity, delete).await,
        Command::Call(call) => place_call(identity, call).await,
        Command::Answer(answer) => answer_calls(identity, answer).await,
        // These need nobody to be signed in here.
        Command::Devices | Command::Ctl(_) => Ok(()),
    }
}

async fn register(identity: &Identity) -> Result<(), Failure> {
    let session = identity.register(None).await?;
    let name = &session.user.name;
    output::line(&json!({"event": "registered", "user": name, "server": session.server}));
    Ok(())
}

async fn history(identity: &Identity, before: Option<String>, limit: u32) -> Result<(), Failure> {
    let client = connect(identity, Arc::new(NoMedia)).await?;
    let calls = client.history(before.map(HistoryId), limit).await;
    client.close().await;
    calls?.iter().for_each(output::line);
    Ok(())
}

fn list_devices() {
    for (kind, devices) in [
        ("camera", cameras()),
        ("microphone", microphones()),
        ("speaker", speakers()),
    ] {
        for DeviceInfo { id, name } in devices {
            output::line(&json!({"kind": kind, "id": id, "name": name}));
        }
    }
}

async fn place_call(identity: &Identity, call: &CallArguments) -> Result<(), Failure> {
    let mut caller = prepare(identity, &call.media).await?;
    let chat_id = chat_with(&caller.client, &call.name)?;
    let call_media = caller.media.next_call();
    let camera = caller.media.has_camera();
    let incoming = match caller.client.place_call(chat_id.clone(), camera).await {
        Ok(_) => None,
        // Whoever calls those who are calling already wants to talk to them.
        Err(ClientError::AlreadyInCall) if rings_in(&caller.client, &chat_id) => Some(Incoming {
            decline: false,
            after: Duration::ZERO,
        }),
        Err(error) => return Err(error.into()),
    };
    let outcome = caller.see_through(call_media, incoming).await;
    caller.client.close().await;
    outcome?.result(false)
}

async fn answer_calls(identity: &Identity, answer: &AnswerArguments) -> Result<(), Failure> {
    let mut caller = prepare(identity, &answer.media).await?;
    let how = Incoming {
        decline: answer.decline,
        after: Duration::from_millis(answer.after),
    };
    let result = loop {
        let call_media = caller.media.next_call();
        match caller.wait_for_call().await {
            Ok(true) => {}
            Ok(false) => break stopped_without_a_call(answer.once),
            Err(failure) => break Err(failure),
        }
        let outcome = match caller.see_through(call_media, Some(how)).await {
            Ok(outcome) => outcome,
            Err(failure) => break Err(failure),
        };
        match outcome.result(answer.decline) {
            result if answer.once => break result,
            Ok(()) => {}
            Err(failure) => output::say(failure),
        }
    };
    caller.client.close().await;
    result
}

/// To be stopped is how `answer` ends, unless it was to take one call.
fn stopped_without_a_call(once: bool) -> Result<(), Failure> {
    if once {
        let sentence = "Stopped before anybody called.";
        return Err(Failure::new(Status::NoAnswer, sentence));
    }
    Ok(())
}

impl Caller {
    /// Waits until a call rings here. False when asked to stop instead.
    async fn wait_for_call(&mut self) -> Result<bool, Failure> {
        let mut view = self.client.view();
        let mut rings = std::pin::pin!(view.wait_for(|view| {
            let call = view.call.as_ref();
            call.is_some_and(|call| call.phase == Phase::Incoming)
                || matches!(
                    view.connection,
                    ConnectionState::SignedOut | ConnectionState::UpdateNeeded
                )
        }));
        tokio::select! {
            () = self.signals.next() => return Ok(false),
            rings = &mut rings => match rings.map(|view| view.connection) {
                Ok(ConnectionState::SignedOut) => return Err(ClientError::SignedOut.into()),
                Ok(ConnectionState::UpdateNeeded) => return Err(ClientError::VersionMismatch.into()),
                Ok(_) => {}
                Err(_) => return Err(ClientError::Closed.into()),
            },
        }
        Ok(true)
    }
}

/// Everything that can go wrong before anybody's device rings; then says that it is ready.
async fn prepare(identity: &Identity, media: &MediaArguments) -> Result<Caller, Failure> {
    let devices = Arc::new(CliMedia::new(media)?);
    let statistics = media
        .stats
        .as_deref()
        .map(StatisticsFile::create)
        .transpose()?;
    let mut signals = Signals::listen();
    let client = tokio::select! {
        client = connect(identity, Arc::clone(&devices) as Arc<dyn MediaFactory>) => client?,
        () = signals.next() => {
            let sentence = "Stopped before the server was reached.";
            return Err(Failure::new(Status::ServerUnreachable, sentence));
        }
    };
    client.set_voice(media.voice());
    client.set_relay_only(media.relay_only);
    if media.control {
        control::follow_standard_input(Arc::clone(&devices));
    }
    output::line(&Event::Ready {
        user: &client.view().borrow().me.name,
    });
    Ok(Caller {
        client,
        media: devices,
        duration: media.duration,
        statistics,
        signals,
    })
}

pub async fn connect(identity: &Identity, media: Arc<dyn MediaFactory>) -> Result<Client, Failure> {
    let session = identity.sign_in().await?;
    let client = Client::connect(session, media, ClientOptions::default());
    client.ready().await?;
    Ok(client)
}

/// Whether the other member of this chat is calling.
fn rings_in(client: &Client, chat_id: &ChatId) -> bool {
    let view = client.view();
    let view = view.borrow();
    view.call
        .as_ref()
        .is_some_and(|call| call.phase == Phase::Incoming && call.chat_id == *chat_id)
}

/// The chat with the contact of this name.
fn chat_with(client: &Client, name: &str) -> Result<ChatId, Failure> {
    let view = client.view();
    let view = view.borrow();
    let contact = view
        .contacts
        .iter()
        .find(|contact| contact.name.to_lowercase() == name.to_lowercase());
    let problem = match contact {
        Some(contact) => match &contact.chat_id {
            Some(chat_id) => return Ok(chat_id.clone()),
            None => format!(
                "{} is not a contact yet: each of you has to add the other with `vireo-cli contacts add`.",
                contact.name
            ),
        },
        None => format!(
            "“{name}” is not among your contacts. Add them first with `vireo-cli contacts add`."
        ),
    };
    Err(Failure::new(Status::AccessDenied, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_take_one_call_and_takes_none_has_failed() {
        assert_eq!(stopped_without_a_call(false), Ok(()));
        let failure = stopped_without_a_call(true).expect_err("no call took place");
        assert_eq!(failure.status, Status::NoAnswer);
    }
}
