//! Notifications on macOS, which shows those of bundled applications only, and asks the person first.

use std::{collections::HashMap, time::Duration};

use mac_usernotifications::{
    Action, InterruptionLevel, Notification, check_bundle, close_delivered, request_auth,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::{Act, Change, Message, Subject};

/// After so long nobody waits for an answer any more.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Carries the changes out until there will be no more.
pub async fn run(mut changes: UnboundedReceiver<Change>, pressed: UnboundedSender<Act>) {
    if let Err(error) = check_bundle() {
        tracing::info!(%error, "notifications are for the installed application only");
        return;
    }
    let mut shown: HashMap<Subject, String> = HashMap::new();
    while let Some(change) = changes.recv().await {
        let subject = match &change {
            Change::Show(message) => message.subject.clone(),
            Change::Withdraw(subject) => subject.clone(),
        };
        if let Some(before) = shown.remove(&subject) {
            close_delivered(&before).await;
        }
        if let Change::Show(message) = change
            && let Some(id) = show(message, pressed.clone()).await
        {
            shown.insert(subject, id);
        }
    }
}

/// Shows it, and says by what name it can be withdrawn.
async fn show(message: Message, pressed: UnboundedSender<Act>) -> Option<String> {
    let words = message.words();
    let mut notification = Notification::new()
        .title(&message.title)
        .message(words.get(message.text))
        .timeout(LONGEST);
    if message.urgent {
        notification = notification.interruption_level(InterruptionLevel::TimeSensitive);
    }
    for act in &message.acts {
        notification = notification.action(Action::button(act.key(), act.label(words)));
    }
    let sent = match request_auth().await {
        Ok(true) => notification.send().await,
        Ok(false) => return None,
        Err(error) => Err(error),
    };
    let handle = sent
        .inspect_err(|error| tracing::info!(%error, "a notification was not shown"))
        .ok()?;
    let id = handle.notification_id().to_owned();
    tokio::spawn(async move {
        let Ok(response) = handle.response().await else {
            return;
        };
        let chosen = |act: &&Act| act.key() == response.action_identifier;
        let act = message.acts.iter().find(chosen).cloned();
        let act = act.or_else(|| response.is_default_action().then_some(Act::Open));
        // Nobody listens any more when the application ends.
        let _ = act.map(|act| pressed.send(act));
    });
    Some(id)
}
