//! The chat of two people, and what one may do in it.

use sqlx::{Any, Transaction};
use vireo_protocol::{ChatId, User, UserId};

use crate::store::{Account, Store, StoreError, now_ms};

/// The other member of a chat of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Who that is.
    pub account: Account,
    /// Whether they can be called.
    pub standing: Standing,
}

/// How somebody stands to the person they would like to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The two are contacts, or the other one is a service.
    Contact,
    /// The other one has blocked this person, for whom they are offline.
    Blocked,
    /// The two are not contacts any more, or this person has blocked the other.
    Stranger,
}

const PARTNER: &str = "
    SELECT users.id, users.name, users.service,
           CASE WHEN EXISTS (SELECT 1 FROM contacts WHERE user_id = $2 AND other_id = users.id)
                 AND EXISTS (SELECT 1 FROM contacts WHERE user_id = users.id AND other_id = $2)
                 AND NOT EXISTS (SELECT 1 FROM blocks WHERE user_id = $2 AND other_id = users.id) THEN 1 ELSE 0 END AS contact,
           CASE WHEN EXISTS (SELECT 1 FROM blocks WHERE user_id = users.id AND other_id = $2) THEN 1 ELSE 0 END AS blocked_by
    FROM chat_members AS me
    JOIN chat_members AS other ON other.chat_id = me.chat_id AND other.user_id <> me.user_id
    JOIN users ON users.id = other.user_id
    WHERE me.chat_id = $1 AND me.user_id = $2";

impl Store {
    /// The other member of a chat of two; nothing when the person is not a member of it, or there is no such chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn partner(
        &self,
        chat: &ChatId,
        user: &UserId,
    ) -> Result<Option<Partner>, StoreError> {
        let row: Option<(String, String, i64, i64, i64)> = sqlx::query_as(PARTNER)
            .bind(&chat.0)
            .bind(&user.0)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|(id, name, service, contact, blocked_by)| Partner {
            account: Account {
                user: User {
                    id: UserId(id),
                    name,
                },
                service: service != 0,
            },
            standing: match (service != 0, contact != 0, blocked_by != 0) {
                (true, ..) | (_, true, false) => Standing::Contact,
                (_, true, true) => Standing::Blocked,
                (_, false, _) => Standing::Stranger,
            },
        }))
    }
}

/// Makes the chat of two people where it is missing.
pub(super) async fn make(
    transaction: &mut Transaction<'_, Any>,
    one: &UserId,
    other: &UserId,
) -> Result<(), StoreError> {
    let (low, high) = (one.min(other), one.max(other));
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
