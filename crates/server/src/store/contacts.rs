//! Who has added whom, and the chat that two contacts share.

use sqlx::{Any, Transaction};
use vireo_protocol::{ChatId, Contact, ContactStatus, Presence, User, UserId};

use super::accounts::name_key;
use super::{Account, Store, StoreError, now_ms};

/// A person in somebody's list, without their presence, which the database does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// The person.
    pub account: Account,
    /// How the two stand to each other.
    pub status: ContactStatus,
    /// The chat they share, once they are contacts.
    pub chat_id: Option<ChatId>,
}

impl ContactRow {
    /// The entry as the wire has it, offline until somebody who knows says otherwise.
    #[must_use]
    pub fn into_contact(self) -> Contact {
        Contact {
            user_id: self.account.user.id,
            name: self.account.user.name,
            status: self.status,
            chat_id: self.chat_id,
            presence: Presence::Offline,
            last_seen_at: None,
            service: self.account.service,
        }
    }
}

/// Why a person could not be added.
#[derive(Debug, thiserror::Error)]
pub enum AddContactError {
    /// Nobody has this name.
    #[error("no such person")]
    UnknownUser,
    /// The name is the asking person's own.
    #[error("that is you")]
    Yourself,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Row = (String, String, i64, i64, i64, Option<String>);

fn contact_row((id, name, service, added, added_by, chat): Row) -> ContactRow {
    let service = service != 0;
    let status = match (service, added != 0, added_by != 0) {
        (true, _, _) | (_, true, true) => ContactStatus::Contact,
        (_, true, false) => ContactStatus::Requested,
        (_, false, _) => ContactStatus::Incoming,
    };
    let user = User {
        id: UserId(id),
        name,
    };
    ContactRow {
        account: Account { user, service },
        status,
        chat_id: match status {
            ContactStatus::Contact => chat.map(ChatId),
            ContactStatus::Requested | ContactStatus::Incoming | ContactStatus::Blocked => None,
        },
    }
}

/// One row a person whom `$1` has added, who has added `$1`, or who is a service; `$2` narrows it down to one person.
const CONTACTS: &str = "
    SELECT users.id, users.name, users.service,
           CASE WHEN EXISTS (SELECT 1 FROM contacts WHERE user_id = $1 AND other_id = users.id) THEN 1 ELSE 0 END AS added,
           CASE WHEN EXISTS (SELECT 1 FROM contacts WHERE user_id = users.id AND other_id = $1) THEN 1 ELSE 0 END AS added_by,
           (SELECT id FROM chats WHERE pair_key =
               CASE WHEN $1 < users.id THEN $1 || ' ' || users.id ELSE users.id || ' ' || $1 END) AS chat
    FROM users
    WHERE users.id <> $1 AND ($2 IS NULL OR users.id = $2) AND users.id IN (
        SELECT other_id FROM contacts WHERE user_id = $1
        UNION SELECT user_id FROM contacts WHERE other_id = $1
        UNION SELECT id FROM users WHERE service = 1)
    ORDER BY users.service, users.name_key";

impl Store {
    /// Everyone in the person's list. Services are in everyone's; the chat with one is made here, when it is first needed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contacts(&self, user: &UserId) -> Result<Vec<ContactRow>, StoreError> {
        let rows = self.contact_rows(user, None).await?;
        if !rows.iter().any(lacks_chat) {
            return Ok(rows);
        }
        let mut transaction = self.begin_write().await?;
        for row in rows.iter().filter(|row| lacks_chat(row)) {
            make_chat(&mut transaction, user, &row.account.user.id).await?;
        }
        transaction.commit().await?;
        self.contact_rows(user, None).await
    }

    /// How one person stands in another's list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Option<ContactRow>, StoreError> {
        Ok(self.contact_rows(user, Some(other)).await?.pop())
    }

    async fn contact_rows(
        &self,
        user: &UserId,
        only: Option<&UserId>,
    ) -> Result<Vec<ContactRow>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(CONTACTS)
            .bind(&user.0)
            .bind(only.map(|id| &id.0))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(contact_row).collect())
    }

    /// Those who may see whether this person is connected: everyone who is a contact.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watchers(&self, user: &UserId) -> Result<(Vec<UserId>, i64), StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT mine.other_id FROM contacts AS mine
             JOIN contacts AS theirs ON theirs.user_id = mine.other_id AND theirs.other_id = mine.user_id
             WHERE mine.user_id = $1",
        )
        .bind(&user.0)
        .fetch_all(&self.readers)
        .await?;
        let version: Option<(i64,)> =
            sqlx::query_as("SELECT contacts_version FROM users WHERE id = $1")
                .bind(&user.0)
                .fetch_optional(&self.readers)
                .await?;
        let users = rows.into_iter().map(|(id,)| UserId(id)).collect();
        Ok((users, version.map_or(0, |(version,)| version)))
    }

    /// Writes down that the person added the one of that name; the second of two to do so makes them contacts, with a
    /// chat. Doing it twice changes nothing. Returns who was added.
    ///
    /// # Errors
    /// When nobody has the name, or the person has it themselves.
    pub async fn add_contact(&self, user: &UserId, name: &str) -> Result<UserId, AddContactError> {
        let mut transaction = self.begin_write().await?;
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT id, service FROM users WHERE name_key = $1")
                .bind(name_key(name))
                .fetch_optional(&mut *transaction)
                .await?;
        let (other, service) = found.ok_or(AddContactError::UnknownUser)?;
        let other = UserId(other);
        if other == *user {
            return Err(AddContactError::Yourself);
        }
        lock_contacts(&mut transaction, user, &other).await?;
        sqlx::query(
            "INSERT INTO contacts (user_id, other_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(&user.0)
        .bind(&other.0)
        .bind(now_ms())
        .execute(&mut *transaction)
        .await?;
        let back: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM contacts WHERE user_id = $1 AND other_id = $2")
                .bind(&other.0)
                .bind(&user.0)
                .fetch_optional(&mut *transaction)
                .await?;
        if service != 0 || back.is_some() {
            make_chat(&mut transaction, user, &other).await?;
        }
        transaction.commit().await?;
        Ok(other)
    }

    /// The other member of a chat of two; nothing when the person is not a member of it, or there is no such chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn partner(
        &self,
        chat: &ChatId,
        user: &UserId,
    ) -> Result<Option<Account>, StoreError> {
        let row: Option<(String, String, i64)> = sqlx::query_as(
            "SELECT users.id, users.name, users.service FROM chat_members AS me
             JOIN chat_members AS other ON other.chat_id = me.chat_id AND other.user_id <> me.user_id
             JOIN users ON users.id = other.user_id
             WHERE me.chat_id = $1 AND me.user_id = $2",
        )
        .bind(&chat.0)
        .bind(&user.0)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(|(id, name, service)| Account {
            user: User {
                id: UserId(id),
                name,
            },
            service: service != 0,
        }))
    }
}

/// Keeps everybody else out of what the two are to each other until the transaction ends, and counts the change.
async fn lock_contacts(
    transaction: &mut Transaction<'_, Any>,
    one: &UserId,
    other: &UserId,
) -> Result<(), StoreError> {
    // Always in the same order: two that lock each other's first would wait for ever.
    for user in [one.min(other), one.max(other)] {
        sqlx::query("UPDATE users SET contacts_version = contacts_version + 1 WHERE id = $1")
            .bind(&user.0)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn lacks_chat(row: &ContactRow) -> bool {
    row.status == ContactStatus::Contact && row.chat_id.is_none()
}

/// Makes the chat of two people where it is missing.
async fn make_chat(
    transaction: &mut Transaction<'_, Any>,
    one: &UserId,
    other: &UserId,
) -> Result<(), StoreError> {
    let (low, high) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    let chat = ChatId::random();
    let made = sqlx::query(
        "INSERT INTO chats (id, pair_key, created_at) VALUES ($1, $2, $3) ON CONFLICT (pair_key) DO NOTHING",
    )
    .bind(&chat.0)
    .bind(format!("{low} {high}"))
    .bind(now_ms())
    .execute(&mut **transaction)
    .await?;
    if made.rows_affected() == 0 {
        return Ok(());
    }
    for member in [low, high] {
        sqlx::query("INSERT INTO chat_members (chat_id, user_id) VALUES ($1, $2)")
            .bind(&chat.0)
            .bind(&member.0)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
