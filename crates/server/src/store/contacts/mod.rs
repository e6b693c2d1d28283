//! Who has added whom, who has blocked whom, and the chat that two contacts share.

mod changes;
mod chats;
mod row;
mod watchers;

use vireo_protocol::{ContactStatus, UserId};

use super::{Store, StoreError};

pub(super) use changes::befriend;
pub use changes::{Change, ContactError};
pub use chats::{Partner, Standing};
use row::Row;
pub use row::{ContactList, ContactRow};
pub use watchers::Watchers;

/// One row a person whom `$1` has added or blocked, who has added `$1`, or who is a service; `$2` narrows it down to one
/// person. The first row is the reader's own, for the version: it has to be of the same moment as all the others.
const CONTACTS: &str = "
    SELECT users.id, users.name, users.service, users.contacts_version, users.last_seen_at,
           CASE WHEN EXISTS (SELECT 1 FROM contacts WHERE user_id = $1 AND other_id = users.id) THEN 1 ELSE 0 END AS added,
           CASE WHEN EXISTS (SELECT 1 FROM contacts WHERE user_id = users.id AND other_id = $1) THEN 1 ELSE 0 END AS added_by,
           CASE WHEN EXISTS (SELECT 1 FROM blocks WHERE user_id = $1 AND other_id = users.id) THEN 1 ELSE 0 END AS blocked,
           CASE WHEN EXISTS (SELECT 1 FROM blocks WHERE user_id = users.id AND other_id = $1) THEN 1 ELSE 0 END AS blocked_by,
           (SELECT id FROM chats WHERE pair_key =
               CASE WHEN $1 < users.id THEN $1 || ' ' || users.id ELSE users.id || ' ' || $1 END) AS chat,
           users.display_name, avatars.etag
    FROM users LEFT JOIN avatars ON avatars.user_id = users.id
    WHERE users.id = $1 OR (($2 IS NULL OR users.id = $2) AND users.id IN (
        SELECT other_id FROM contacts WHERE user_id = $1
        UNION SELECT user_id FROM contacts WHERE other_id = $1
        UNION SELECT other_id FROM blocks WHERE user_id = $1
        UNION SELECT id FROM users WHERE service = 1))
    ORDER BY CASE WHEN users.id = $1 THEN 0 ELSE 1 END, users.service, users.name_key";

impl Store {
    /// Everyone in the person's list. Services are in everyone's; the chat with one is made here, when it is first needed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contacts(&self, user: &UserId) -> Result<ContactList, StoreError> {
        let list = self.contact_rows(user, None).await?;
        if !list.rows.iter().any(lacks_chat) {
            return Ok(list);
        }
        let mut transaction = self.begin_write().await?;
        for row in list.rows.iter().filter(|row| lacks_chat(row)) {
            chats::make(&mut transaction, user, &row.account.user.id).await?;
        }
        transaction.commit().await?;
        self.contact_rows(user, None).await
    }

    /// How one person stands in another's list: a list of this one, or of nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact(&self, user: &UserId, other: &UserId) -> Result<ContactList, StoreError> {
        self.contact_rows(user, Some(other)).await
    }

    async fn contact_rows(
        &self,
        user: &UserId,
        only: Option<&UserId>,
    ) -> Result<ContactList, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(CONTACTS)
            .bind(&user.0)
            .bind(only.map(|id| &id.0))
            .fetch_all(&self.readers)
            .await?;
        Ok(ContactList::read(rows))
    }
}

fn lacks_chat(row: &ContactRow) -> bool {
    row.status == ContactStatus::Contact && row.chat_id.is_none()
}
