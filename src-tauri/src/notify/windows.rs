//! Notifications on Windows: toasts.

use tauri_winrt_notification::{Duration, Sound, Toast};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::{Act, Change, Message};

/// What the installer registers the application under.
const APPLICATION: &str = "app.vireo.desktop";

/// Carries the changes out until there will be no more.
pub async fn run(mut changes: UnboundedReceiver<Change>, pressed: UnboundedSender<Act>) {
    while let Some(change) = changes.recv().await {
        // A toast cannot be taken back; its buttons do nothing any more, and it goes by itself.
        let Change::Show(message) = change else {
            continue;
        };
        if let Err(error) = show(message, pressed.clone()) {
            tracing::info!(%error, "a notification was not shown");
        }
    }
}

fn show(message: Message, pressed: UnboundedSender<Act>) -> tauri_winrt_notification::Result<()> {
    let words = message.words();
    let mut toast = Toast::new(APPLICATION)
        .title(&message.title)
        .text1(words.get(message.text));
    if message.urgent {
        // About as long as it rings; one that stayed for good could not be taken back. It rings by itself.
        toast = toast.duration(Duration::Long).sound(None::<Sound>);
    }
    for act in &message.acts {
        toast = toast.add_button(act.label(words), act.key());
    }
    let acts = message.acts;
    toast
        .on_activated(move |key| {
            let key = key.as_deref().unwrap_or(Act::Open.key());
            let act = acts.iter().find(|act| act.key() == key);
            // Nobody listens any more when the application ends.
            let _ = pressed.send(act.cloned().unwrap_or(Act::Open));
            Ok(())
        })
        .show()
}
