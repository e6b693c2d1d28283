//! Accounts that are gone: their connections end, and those in whose lists they were hear of it.

use vireo_protocol::ServerMessage;

use crate::state::AppState;
use crate::store::{Departure, StoreError};
use crate::switchboard::Command;

impl AppState {
    /// Tells everybody who has to hear of it. Told twice it does no harm.
    ///
    /// # Errors
    /// When the database does not say who may see the person's contacts now.
    pub async fn depart(&self, departure: Departure) -> Result<(), StoreError> {
        for session in &departure.sessions {
            self.end_session(session).await;
        }
        if let Some(relay) = self.ice.relay.get() {
            relay.end_person(&departure.user);
        }
        for user in departure.contacts {
            self.watchers(&user).await?;
            let message = ServerMessage::ContactRemoved {
                user_id: departure.user.clone(),
            };
            let news = Command::News { user, message };
            self.switchboard.send(news).await;
        }
        Ok(())
    }
}
