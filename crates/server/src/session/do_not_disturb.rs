//! Whether the person wishes to be called: one answer for all their devices, kept until they give another one.

use vireo_protocol::ServerMessage;

use super::{Asked, Session, take};
use crate::store::StoreError;

impl Session {
    /// Writes it down, tells the board, and every device of the person's.
    pub(super) async fn set_do_not_disturb(
        &self,
        asked: Asked,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let me = &self.account.user.id;
        if let Err(wait) = take(&self.state.contact_changes, me) {
            self.refuse_too_many(asked.id, None, wait);
            return Ok(());
        }
        if self.state.store.set_do_not_disturb(me, enabled).await? {
            self.state.watchers(me).await?;
            self.tell_do_not_disturb().await?;
        }
        let message = ServerMessage::Ok { id: asked.id };
        self.reply(asked.device, message).await;
        Ok(())
    }

    /// Tells every device of the person's. Whoever changes it meanwhile tells it as well, perhaps sooner: then it is told
    /// once more, so that what is heard last is how it is.
    pub(super) async fn tell_do_not_disturb(&self) -> Result<(), StoreError> {
        let me = &self.account.user.id;
        let store = &self.state.store;
        loop {
            let now = store.watchers(me).await?;
            let message = ServerMessage::DoNotDisturb {
                enabled: now.do_not_disturb,
            };
            self.news(me.clone(), message).await;
            if store.contacts_version(me).await? == now.version {
                return Ok(());
            }
        }
    }
}
