//! Who may see whom: the database knows it, the board has to.

use vireo_protocol::UserId;

use crate::state::AppState;
use crate::store::StoreError;
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
}
