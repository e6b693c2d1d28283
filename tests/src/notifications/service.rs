//! What stands on the session bus.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;
use zbus::{interface, object_server::SignalEmitter, zvariant::OwnedValue};

use super::Notification;

/// Its methods are the specification's.
pub struct Service {
    pub shown: watch::Sender<Vec<Notification>>,
    pub last: Arc<Mutex<u32>>,
    pub told: Arc<Mutex<Vec<String>>>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[allow(clippy::too_many_arguments, reason = "the specification's")]
    fn notify(
        &self,
        _app_name: &str,
        replaces_id: u32,
        _app_icon: &str,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last += u32::from(replaces_id == 0);
        let id = if replaces_id == 0 { *last } else { replaces_id };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(body.clone());
        let pairs = actions.chunks_exact(2);
        let urgency = hints
            .get("urgency")
            .and_then(|value| value.downcast_ref::<u8>().ok());
        let notification = Notification {
            id,
            summary,
            body,
            actions: pairs
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect(),
            urgency: urgency.unwrap_or(1),
        };
        self.shown.send_modify(|shown| {
            shown.retain(|before| before.id != id);
            shown.push(notification);
        });
        id
    }

    async fn close_notification(
        &self,
        id: u32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        const BY_A_CALL: u32 = 3;
        self.shown
            .send_modify(|shown| shown.retain(|before| before.id != id));
        Ok(Self::notification_closed(&emitter, id, BY_A_CALL).await?)
    }

    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body", "body-markup"]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("tests", "Vireo", "1", "1.2")
    }

    #[zbus(signal)]
    pub async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        id: u32,
        action: &str,
    ) -> zbus::Result<()>;

    #[zbus(signal)]
    pub async fn notification_closed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        reason: u32,
    ) -> zbus::Result<()>;
}
