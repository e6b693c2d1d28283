//! Invites: whoever has one may make an account, and becomes a contact of the person who gave it to them.

use std::time::Duration;

use sqlx::{Any, Transaction};
use vireo_protocol::{InviteId, InviteInfo, User, UserId};

use super::accounts::{AddUserError, insert_user};
use super::contacts::befriend;
use super::{Store, StoreError, now_ms};

/// A person may have so many that can still be used.
const MAX_INVITES: i64 = 50;

/// How long the server's own first invite lasts.
const FIRST_INVITE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why an invite was not made or not used.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// Unknown, used up, expired or revoked.
    #[error("the invite is not valid")]
    Invalid,
    /// It is the asking person's own.
    #[error("the invite is your own")]
    Own,
    /// The person has too many.
    #[error("too many invites")]
    TooMany,
    /// The name that the new account was to have is taken.
    #[error("the name is taken")]
    NameTaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Row = (String, Option<String>, i64, i64, i64, i64);

fn info((id, inviter, created_at, expires_at, uses, left): Row) -> InviteInfo {
    InviteInfo {
        id: InviteId(id),
        inviter,
        created_at,
        expires_at,
        uses: u32::try_from(uses).unwrap_or_default(),
        uses_left: u32::try_from(left).unwrap_or_default(),
    }
}

/// Those that can be used at the time `$1`; `$2` and `$3` narrow it down to one token or one inviter.
const INVITES: &str = "
    SELECT invites.id, users.name, invites.created_at, invites.expires_at, invites.uses_total, invites.uses_left
    FROM invites LEFT JOIN users ON users.id = invites.inviter_id
    WHERE invites.uses_left > 0 AND invites.revoked_at IS NULL AND invites.expires_at > $1
      AND ($2 IS NULL OR invites.token_hash = $2) AND ($3 IS NULL OR invites.inviter_id = $3)
    ORDER BY invites.created_at DESC, invites.id";

impl Store {
    /// Makes an invite of this person's.
    ///
    /// # Errors
    /// When the person has too many.
    pub async fn create_invite(
        &self,
        inviter: &UserId,
        token_hash: &[u8],
        uses: u32,
        lasts: Duration,
    ) -> Result<InviteInfo, InviteError> {
        if self.invites(Some(inviter)).await?.len() as i64 >= MAX_INVITES {
            return Err(InviteError::TooMany);
        }
        let mut transaction = self.begin_write().await?;
        insert(&mut transaction, Some(inviter), token_hash, uses, lasts).await?;
        transaction.commit().await?;
        self.look_invite(token_hash)
            .await?
            .ok_or(InviteError::Invalid)
    }

    /// The server's own invite, whose redeemer becomes its administrator, in the place of one that was made before. False
    /// when there are people already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_first_invite(&self, token_hash: &[u8]) -> Result<bool, StoreError> {
        let mut transaction = self.begin_write().await?;
        let people: (i64,) = sqlx::query_as("SELECT COUNT(*) FROM users WHERE service = 0")
            .fetch_one(&mut *transaction)
            .await?;
        if people.0 > 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM invites WHERE inviter_id IS NULL")
            .execute(&mut *transaction)
            .await?;
        insert(&mut transaction, None, token_hash, 1, FIRST_INVITE).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The invite with this token, while it can be used. Looking uses nothing up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_invite(&self, token_hash: &[u8]) -> Result<Option<InviteInfo>, StoreError> {
        let row: Option<Row> = sqlx::query_as(INVITES)
            .bind(now_ms())
            .bind(Some(token_hash))
            .bind(None::<&str>)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(info))
    }

    /// The invites of this person, or of everybody, that can still be used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn invites(&self, inviter: Option<&UserId>) -> Result<Vec<InviteInfo>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(INVITES)
            .bind(now_ms())
            .bind(None::<&[u8]>)
            .bind(inviter.map(|id| &id.0))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(info).collect())
    }

    /// Revokes an invite of this person's, or of anybody's. False when there is none (any more).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_invite(
        &self,
        inviter: Option<&UserId>,
        id: &InviteId,
    ) -> Result<bool, StoreError> {
        let now = now_ms();
        let revoked = sqlx::query(
            "UPDATE invites SET revoked_at = $1 WHERE id = $2 AND ($3 IS NULL OR inviter_id = $3)
               AND revoked_at IS NULL AND uses_left > 0 AND expires_at > $4",
        )
        .bind(now)
        .bind(&id.0)
        .bind(inviter.map(|id| &id.0))
        .bind(now)
        .execute(&self.writers)
        .await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Makes an account by an invite: all of it or nothing. Returns the person and who invited them; nobody has for the
    /// server's own invite, and the person is its administrator.
    ///
    /// # Errors
    /// When the invite is not valid, or the name is taken; the invite is not used up then.
    pub async fn add_invited_user(
        &self,
        name: &str,
        password_hash: &str,
        token_hash: &[u8],
    ) -> Result<(User, Option<UserId>), InviteError> {
        let mut transaction = self.begin_write().await?;
        let inviter = use_up(&mut transaction, token_hash).await?;
        let added = insert_user(&mut transaction, name, password_hash, inviter.is_none()).await;
        let user = added.map_err(|error| match error {
            AddUserError::NameTaken => InviteError::NameTaken,
            AddUserError::Store(error) => InviteError::Store(error),
        })?;
        if let Some(inviter) = &inviter {
            befriend(&mut transaction, inviter, &user.id).await?;
        }
        transaction.commit().await?;
        Ok((user, inviter))
    }

    /// Makes the person a contact of whoever invited them, and returns who that is. Where the two are contacts already,
    /// the invite is not used up.
    ///
    /// # Errors
    /// When the invite is not valid, the person's own, or the server's.
    pub async fn redeem_invite(
        &self,
        user: &UserId,
        token_hash: &[u8],
    ) -> Result<UserId, InviteError> {
        let mut transaction = self.begin_write().await?;
        let inviter = use_up(&mut transaction, token_hash).await?;
        let inviter = inviter.ok_or(InviteError::Invalid)?;
        if inviter == *user {
            return Err(InviteError::Own);
        }
        if befriend(&mut transaction, &inviter, user).await? {
            transaction.commit().await?;
        }
        Ok(inviter)
    }
}

/// Takes one use of the invite away. Returns the inviter.
async fn use_up(
    transaction: &mut Transaction<'_, Any>,
    token_hash: &[u8],
) -> Result<Option<UserId>, InviteError> {
    let used = sqlx::query(
        "UPDATE invites SET uses_left = uses_left - 1
         WHERE token_hash = $1 AND uses_left > 0 AND revoked_at IS NULL AND expires_at > $2",
    )
    .bind(token_hash)
    .bind(now_ms())
    .execute(&mut **transaction)
    .await?;
    if used.rows_affected() == 0 {
        return Err(InviteError::Invalid);
    }
    let (inviter,): (Option<String>,) =
        sqlx::query_as("SELECT inviter_id FROM invites WHERE token_hash = $1")
            .bind(token_hash)
            .fetch_one(&mut **transaction)
            .await?;
    Ok(inviter.map(UserId))
}

async fn insert(
    transaction: &mut Transaction<'_, Any>,
    inviter: Option<&UserId>,
    token_hash: &[u8],
    uses: u32,
    lasts: Duration,
) -> Result<(), StoreError> {
    let now = now_ms();
    sqlx::query(
        "INSERT INTO invites (id, token_hash, inviter_id, created_at, expires_at, uses_left, uses_total)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(InviteId::random().0)
    .bind(token_hash)
    .bind(inviter.map(|id| &id.0))
    .bind(now)
    .bind(now + i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
    .bind(i64::from(uses))
    .bind(i64::from(uses))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
