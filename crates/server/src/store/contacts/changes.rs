//! Adding, accepting, declining, removing, blocking. Every change happens under a lock on both people, and counts up the
//! version of both people's contacts.

use sqlx::{Any, Transaction};
use vireo_protocol::UserId;

use super::chats;
use crate::store::accounts::name_key;
use crate::store::{Store, StoreError, now_ms};

/// So many people can be in somebody's list by that person's own wish.
const MAX_CONTACTS: i64 = 2_000;

/// So many of them may not have answered yet.
const MAX_UNANSWERED: i64 = 100;

/// So many people may wait for an answer of one person.
const MAX_INCOMING: i64 = 200;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// There is nobody of this name or id, or it is a service, which nobody can block.
    #[error("no such person")]
    UnknownUser,
    /// It is the person themselves.
    #[error("that is you")]
    Yourself,
    /// The other one has not asked.
    #[error("there is no such request")]
    NoSuchRequest,
    /// The list is full, or too many people have not answered.
    #[error("too many contacts")]
    TooMany,
    /// Too many people wait for an answer of the other one.
    #[error("the other one is asked too much")]
    NotNow,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whom it was about.
    pub other: UserId,
    /// Whether the other one stands differently in the person's list.
    pub mine: bool,
    /// Whether the person stands differently in the other one's list.
    pub theirs: bool,
}

impl Store {
    /// Writes down that the person added the one of exactly that name; the second of two to do so makes them contacts, with
    /// a chat. Somebody whom the person has blocked is not added.
    ///
    /// # Errors
    /// When nobody has the name, the person has it themselves, has added too many, or too many have added the other one.
    pub async fn add_contact(&self, user: &UserId, name: &str) -> Result<Change, ContactError> {
        let mut pair = Pair::begin(self, user, Whom::Name(name)).await?;
        let known = pair.service || pair.has_added().await? || pair.has_blocked().await?;
        if !known {
            pair.add().await?;
        }
        pair.finish(!known).await
    }

    /// Makes the two contacts, with a chat, where the other one has added the person.
    ///
    /// # Errors
    /// When the other one has not, the person has blocked them, or has too many contacts.
    pub async fn accept_contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Change, ContactError> {
        let mut pair = match Pair::begin(self, user, Whom::Id(other)).await {
            Err(ContactError::UnknownUser) => return Err(ContactError::NoSuchRequest),
            pair => pair?,
        };
        if !pair.was_added().await? || pair.has_blocked().await? {
            return Err(ContactError::NoSuchRequest);
        }
        let known = pair.has_added().await?;
        if !known {
            pair.add().await?;
        }
        pair.finish(!known).await
    }

    /// Turns the other one's request down. Two who are contacts stay so.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn decline_contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Change, ContactError> {
        let mut pair = Pair::begin(self, user, Whom::Id(other)).await?;
        let declined = !pair.has_added().await? && pair.delete_back(REMOVE).await?;
        pair.finish(declined).await
    }

    /// Takes back whatever request or contact there is between the two. A block stays.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn remove_contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Change, ContactError> {
        let mut pair = Pair::begin(self, user, Whom::Id(other)).await?;
        let forth = pair.delete(REMOVE).await?;
        let back = pair.delete_back(REMOVE).await?;
        pair.finish(forth || back).await
    }

    /// Hides the person from the other one, and the other way round.
    ///
    /// # Errors
    /// When there is no such person, or the person has blocked too many.
    pub async fn block_contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Change, ContactError> {
        let mut pair = Pair::begin(self, user, Whom::Id(other)).await?;
        let known = pair.has_blocked().await?;
        if !known {
            pair.block().await?;
        }
        pair.end(!known, !known, false).await
    }

    /// Ends the block; what there was between the two is there again.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn unblock_contact(
        &self,
        user: &UserId,
        other: &UserId,
    ) -> Result<Change, ContactError> {
        let mut pair = Pair::begin(self, user, Whom::Id(other)).await?;
        let unblocked = pair.delete(UNBLOCK).await?;
        pair.end(unblocked, unblocked, false).await
    }
}

/// Whom a change is about.
enum Whom<'a> {
    Name(&'a str),
    Id(&'a UserId),
}

/// Two people, in a transaction that keeps everybody else out of what they are to each other.
struct Pair<'a> {
    transaction: Transaction<'static, Any>,
    user: &'a UserId,
    other: UserId,
    service: bool,
}

const BY_NAME: &str = "SELECT id, service FROM users WHERE name_key = $1";
const BY_ID: &str = "SELECT id, service FROM users WHERE id = $1 AND service = 0";
const HAS_ADDED: &str = "SELECT COUNT(*) FROM contacts WHERE user_id = $1 AND other_id = $2";
const HAS_BLOCKED: &str = "SELECT COUNT(*) FROM blocks WHERE user_id = $1 AND other_id = $2";
const ALL_ADDED: &str = "SELECT COUNT(*) FROM contacts WHERE user_id = $1";
const ALL_BLOCKED: &str = "SELECT COUNT(*) FROM blocks WHERE user_id = $1";
const UNANSWERED: &str = "
    SELECT COUNT(*) FROM contacts AS mine WHERE user_id = $1 AND NOT EXISTS (
        SELECT 1 FROM contacts AS theirs WHERE theirs.user_id = mine.other_id AND theirs.other_id = mine.user_id)";
/// Those whom the person has blocked are not heard, and do not count.
const INCOMING: &str = "
    SELECT COUNT(*) FROM contacts AS theirs WHERE other_id = $1 AND NOT EXISTS (
        SELECT 1 FROM contacts AS mine WHERE mine.user_id = theirs.other_id AND mine.other_id = theirs.user_id)
    AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocks.user_id = theirs.other_id AND blocks.other_id = theirs.user_id)";
const ADD: &str = "INSERT INTO contacts (user_id, other_id, created_at) VALUES ($1, $2, $3)";
const BLOCK: &str = "INSERT INTO blocks (user_id, other_id, created_at) VALUES ($1, $2, $3)";
const REMOVE: &str = "DELETE FROM contacts WHERE user_id = $1 AND other_id = $2";
const UNBLOCK: &str = "DELETE FROM blocks WHERE user_id = $1 AND other_id = $2";

impl<'a> Pair<'a> {
    async fn begin(store: &Store, user: &'a UserId, whom: Whom<'_>) -> Result<Self, ContactError> {
        let mut transaction = store.begin_write().await?;
        let (sql, key) = match whom {
            Whom::Name(name) => (BY_NAME, name_key(name)),
            Whom::Id(id) => (BY_ID, id.0.clone()),
        };
        let found: Option<(String, i64)> = sqlx::query_as(sql)
            .bind(key)
            .fetch_optional(&mut *transaction)
            .await?;
        let (other, service) = found.ok_or(ContactError::UnknownUser)?;
        let other = UserId(other);
        if other == *user {
            return Err(ContactError::Yourself);
        }
        lock(&mut transaction, user, &other).await?;
        Ok(Self {
            transaction,
            user,
            other,
            service: service != 0,
        })
    }

    /// Ends a change of what the two have asked of each other, of which somebody who has blocked the other sees nothing.
    async fn finish(mut self, changed: bool) -> Result<Change, ContactError> {
        let mine = changed && !self.has_blocked().await?;
        let theirs = changed && !self.is_blocked().await?;
        self.end(changed, mine, theirs).await
    }

    /// Ends the transaction; what has changed nothing leaves the versions as they were.
    async fn end(self, changed: bool, mine: bool, theirs: bool) -> Result<Change, ContactError> {
        match changed {
            true => self.transaction.commit().await?,
            false => self.transaction.rollback().await?,
        }
        Ok(Change {
            other: self.other,
            mine,
            theirs,
        })
    }

    /// The person has added the other one.
    async fn has_added(&mut self) -> Result<bool, StoreError> {
        Ok(count(&mut self.transaction, HAS_ADDED, self.user, &self.other).await? > 0)
    }

    /// The other one has added the person.
    async fn was_added(&mut self) -> Result<bool, StoreError> {
        Ok(count(&mut self.transaction, HAS_ADDED, &self.other, self.user).await? > 0)
    }

    /// The person has blocked the other one.
    async fn has_blocked(&mut self) -> Result<bool, StoreError> {
        Ok(count(&mut self.transaction, HAS_BLOCKED, self.user, &self.other).await? > 0)
    }

    /// The other one has blocked the person.
    async fn is_blocked(&mut self) -> Result<bool, StoreError> {
        Ok(count(&mut self.transaction, HAS_BLOCKED, &self.other, self.user).await? > 0)
    }

    /// The person adds the other one, who is not added yet.
    async fn add(&mut self) -> Result<(), ContactError> {
        let back = self.was_added().await?;
        self.limit(ALL_ADDED, MAX_CONTACTS).await?;
        if !back {
            self.limit(UNANSWERED, MAX_UNANSWERED).await?;
            self.may_be_asked().await?;
        }
        self.write(ADD).await?;
        if back {
            chats::make(&mut self.transaction, self.user, &self.other).await?;
        }
        Ok(())
    }

    async fn block(&mut self) -> Result<(), ContactError> {
        self.limit(ALL_BLOCKED, MAX_CONTACTS).await?;
        Ok(self.write(BLOCK).await?)
    }

    /// Fails where the person has so many already.
    async fn limit(&mut self, sql: &'static str, most: i64) -> Result<(), ContactError> {
        let there: i64 = sqlx::query_scalar(sql)
            .bind(&self.user.0)
            .fetch_one(&mut *self.transaction)
            .await?;
        match there < most {
            true => Ok(()),
            false => Err(ContactError::TooMany),
        }
    }

    /// Fails where as many people as may be wait for the other one's answer.
    async fn may_be_asked(&mut self) -> Result<(), ContactError> {
        let there: i64 = sqlx::query_scalar(INCOMING)
            .bind(&self.other.0)
            .fetch_one(&mut *self.transaction)
            .await?;
        match there < MAX_INCOMING {
            true => Ok(()),
            false => Err(ContactError::NotNow),
        }
    }

    async fn write(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let query = sqlx::query(sql)
            .bind(&self.user.0)
            .bind(&self.other.0)
            .bind(now_ms());
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Takes a row of the person's about the other one away. False when there is none.
    async fn delete(&mut self, sql: &'static str) -> Result<bool, StoreError> {
        delete(&mut self.transaction, sql, self.user, &self.other).await
    }

    /// Takes a row of the other one's about the person away. False when there is none.
    async fn delete_back(&mut self, sql: &'static str) -> Result<bool, StoreError> {
        delete(&mut self.transaction, sql, &self.other, self.user).await
    }
}

/// Makes two people contacts, with a chat, whatever they were before; a block stays. False when they were contacts already.
pub(in crate::store) async fn befriend(
    transaction: &mut Transaction<'_, Any>,
    one: &UserId,
    other: &UserId,
) -> Result<bool, StoreError> {
    lock(transaction, one, other).await?;
    let mut changed = false;
    for (from, to) in [(one, other), (other, one)] {
        if count(transaction, HAS_ADDED, from, to).await? == 0 {
            let query = sqlx::query(ADD).bind(&from.0).bind(&to.0).bind(now_ms());
            query.execute(&mut **transaction).await?;
            changed = true;
        }
    }
    chats::make(transaction, one, other).await?;
    Ok(changed)
}

/// Keeps everybody else out of what the two are to each other until the transaction ends, and counts the change.
async fn lock(
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

async fn count(
    transaction: &mut Transaction<'_, Any>,
    sql: &'static str,
    from: &UserId,
    to: &UserId,
) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar(sql).bind(&from.0).bind(&to.0);
    query.fetch_one(&mut **transaction).await
}

async fn delete(
    transaction: &mut Transaction<'_, Any>,
    sql: &'static str,
    from: &UserId,
    to: &UserId,
) -> Result<bool, StoreError> {
    let query = sqlx::query(sql).bind(&from.0).bind(&to.0);
    Ok(query.execute(&mut **transaction).await?.rows_affected() > 0)
}
