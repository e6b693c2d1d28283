//! Notifications on Linux: whoever has the name `org.freedesktop.Notifications` on the session bus shows them.
//! <https://specifications.freedesktop.org/notification-spec/latest/>

use std::collections::HashMap;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use zbus::zvariant::Value;

use super::{Act, Change, Message, Subject};

/// It goes when the desktop thinks so, and stays in its list.
const AS_USUAL: i32 = -1;
/// It stays until it is withdrawn.
const NEVER: i32 = 0;

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications",
    gen_blocking = false
)]
trait Notifications {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Value<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, action_key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// Carries the changes out until there will be no more. Where there is no bus, or nobody there who shows notifications, the
/// next one is another attempt.
pub async fn run(mut changes: UnboundedReceiver<Change>, pressed: UnboundedSender<Act>) {
    while let Some(first) = changes.recv().await {
        if let Err(error) = carry(first, &mut changes, &pressed).await {
            tracing::info!(%error, "a notification was not shown");
        }
    }
}

async fn carry(
    first: Change,
    changes: &mut UnboundedReceiver<Change>,
    pressed: &UnboundedSender<Act>,
) -> zbus::Result<()> {
    let bus = zbus::Connection::session().await?;
    let desktop = NotificationsProxy::new(&bus).await?;
    let has_buttons = desktop
        .get_capabilities()
        .await?
        .iter()
        .any(|capability| capability == "actions");
    let mut presses = desktop.receive_action_invoked().await?;
    let mut closings = desktop.receive_notification_closed().await?;
    let mut shown = Shown::default();
    shown.carry(&desktop, first, has_buttons).await?;
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Some(change) => shown.carry(&desktop, change, has_buttons).await?,
                None => return Ok(()),
            },
            signal = next(&mut presses) => {
                let signal = signal?;
                let signal = signal.args()?;
                if let Some(act) = shown.act(signal.id, signal.action_key) {
                    // Nobody listens any more when the application ends.
                    let _ = pressed.send(act);
                }
            }
            signal = next(&mut closings) => shown.forget(signal?.args()?.id),
        }
    }
}

async fn next<T>(signals: &mut (impl Stream<Item = T> + Unpin)) -> zbus::Result<T> {
    let gone = || zbus::Error::Failure("the session bus has gone".to_owned());
    signals.next().await.ok_or_else(gone)
}

/// What is shown, by the desktop's numbers.
#[derive(Default)]
struct Shown(HashMap<u32, (Subject, Vec<Act>)>);

impl Shown {
    async fn carry(
        &mut self,
        desktop: &NotificationsProxy<'_>,
        change: Change,
        has_buttons: bool,
    ) -> zbus::Result<()> {
        match change {
            Change::Show(message) => {
                let before = self.number_of(&message.subject);
                let id = show(desktop, &message, before, has_buttons).await?;
                before.map(|id| self.0.remove(&id));
                self.0.insert(id, (message.subject, message.acts));
            }
            Change::Withdraw(subject) => {
                if let Some(id) = self.number_of(&subject) {
                    self.forget(id);
                    desktop.close_notification(id).await?;
                }
            }
        }
        Ok(())
    }

    fn number_of(&self, subject: &Subject) -> Option<u32> {
        let mut all = self.0.iter();
        all.find(|(_, (about, _))| about == subject)
            .map(|(id, _)| *id)
    }

    /// What this button of this notification stands for. Those of others are announced here too.
    fn act(&self, id: u32, key: &str) -> Option<Act> {
        let (_, acts) = self.0.get(&id)?;
        let mut acts = acts.iter().chain([&Act::Open]);
        acts.find(|act| act.key() == key).cloned()
    }

    fn forget(&mut self, id: u32) {
        self.0.remove(&id);
    }
}

async fn show(
    desktop: &NotificationsProxy<'_>,
    message: &Message,
    before: Option<u32>,
    has_buttons: bool,
) -> zbus::Result<u32> {
    let words = message.words();
    let acts = message.acts.iter().filter(|_| has_buttons);
    let buttons: Vec<_> = acts
        .chain([&Act::Open])
        .flat_map(|act| [act.key(), act.label(words)])
        .collect();
    let (urgency, category) = match message.subject {
        Subject::Call(_) if message.urgent => (2_u8, "call.incoming"),
        Subject::Call(_) => (1, "call.unanswered"),
        Subject::Server => (1, "network.disconnected"),
    };
    let hints = HashMap::from([
        ("urgency", urgency.into()),
        ("category", category.into()),
        ("desktop-entry", "Vireo".into()),
        // It rings by itself.
        ("suppress-sound", message.urgent.into()),
    ]);
    let lasts = if message.urgent { NEVER } else { AS_USUAL };
    // Only the body may be taken for markup; it is a sentence of the catalogue, and names stand in the summary.
    let body = words.get(message.text);
    let before = before.unwrap_or_default();
    desktop
        .notify(
            "Vireo",
            before,
            "vireo",
            &message.title,
            body,
            &buttons,
            hints,
            lasts,
        )
        .await
}
