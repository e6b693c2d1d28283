//! Who may see whom, and what of them: the database knows it, the board and those who see it have to.

use vireo_protocol::{ServerMessage, UserId};

use crate::state::AppState;
use crate::store::{ContactRow, StoreError};
use crate::switchboard::Command;

impl AppState {
    /// Tells the board who may see the person's presence, and whether the person wishes to be called.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watchers(&self, user: &UserId) -> Result<(), StoreError> {
        let read = self.store.watchers(user).await?;
        let command = Command::watchers(user.clone(), read);
        self.switchboard.send(command).await;
        Ok(())
    }

    /// Tells every device of the person's how the other one stands in their list. Whoever changes that meanwhile tells it
    /// as well, perhaps sooner: then it is told once more, so that what is heard last is how it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_of(&self, user: &UserId, other: &UserId) -> Result<(), StoreError> {
        loop {
            let list = self.store.contact(user, other).await?;
            let message = match list.rows.into_iter().next() {
                Some(row) => changed(row),
                None => removed(other),
            };
            let user = user.clone();
            let news = Command::News {
                user: user.clone(),
                message,
            };
            self.switchboard.send(news).await;
            if self.store.contacts_version(&user).await? == list.version {
                return Ok(());
            }
        }
    }
}

/// The person stands so in the list from now on.
pub fn changed(row: ContactRow) -> ServerMessage {
    ServerMessage::Contact {
        id: None,
        contact: row.into(),
    }
}

/// The person is not in the list any more.
pub fn removed(user: &UserId) -> ServerMessage {
    ServerMessage::ContactRemoved {
        user_id: user.clone(),
    }
}
