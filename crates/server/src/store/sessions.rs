//! Sessions: one for each device that somebody has signed in on, and the tokens by which it stays signed in.

use std::time::Duration;

use sqlx::{Any, Transaction};
use vireo_protocol::{Role, SessionId, User, UserId};

use super::accounts::role;
use super::{Account, Store, StoreError, now_ms};

/// A device that has not asked for tokens for so long is signed out.
const SESSION_LIFETIME: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// A refresh token that has been used may come again for so long: the answer to its first use was lost on the way.
const GRACE: Duration = Duration::from_secs(10);

/// A person may have so many sessions; with one more the one that was used least recently ends.
const MAX_SESSIONS: i64 = 100;

/// Sessions that have ended are remembered for so long, for other processes to learn of it.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// Who speaks by a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub account: Account,
    /// What they may do.
    pub role: Role,
    /// Whether they do not wish to be called.
    pub do_not_disturb: bool,
    /// The name they show, where it is another one.
    pub display_name: Option<String>,
    /// The ETag of their picture.
    pub avatar: Option<String>,
}

/// What came of a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// The next token has taken its place.
    Done(Holder),
    /// It had been used long before: somebody has a copy. The session has ended for all who held it.
    Reused(SessionId),
    /// Nothing is known of it any more.
    Unknown,
}

/// A session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Which.
    pub id: SessionId,
    /// What the device called itself.
    pub device: String,
    /// When it signed in.
    pub created_at: i64,
    /// When it last asked for tokens.
    pub last_used_at: i64,
}

/// A row of [`HOLDER`].
#[rustfmt::skip]
type HolderRow = (String, String, String, i64, String, i64, Option<String>, Option<String>);

fn holder(row: HolderRow) -> Holder {
    let (session, id, name, service, role_name, do_not_disturb, display_name, avatar) = row;
    Holder {
        session: SessionId(session),
        account: Account {
            user: User {
                id: UserId(id),
                name,
            },
            service: service != 0,
        },
        role: role(&role_name),
        do_not_disturb: do_not_disturb != 0,
        display_name,
        avatar,
    }
}

impl Store {
    /// Signs a device in, and remembers its first refresh token by its hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_session(
        &self,
        user: &UserId,
        device: &str,
        refresh_hash: &[u8],
    ) -> Result<SessionId, StoreError> {
        let mut transaction = self.begin_write().await?;
        let id = open_session(&mut transaction, user, device, refresh_hash).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Puts the next refresh token in the place of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh(&self, hash: &[u8], next_hash: &[u8]) -> Result<Refreshed, StoreError> {
        let now = now_ms();
        let mut transaction = self.begin_write().await?;
        // Of two that come at once one is the first.
        let used = sqlx::query(
            "UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2 AND used_at IS NULL",
        )
        .bind(now)
        .bind(hash)
        .execute(&mut *transaction)
        .await?;
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT session_id, used_at FROM refresh_tokens WHERE hash = $1 AND expires_at > $2",
        )
        .bind(hash)
        .bind(now)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((session, used_at)) = row else {
            return Ok(Refreshed::Unknown);
        };
        let session = SessionId(session);
        if used.rows_affected() == 0 && now - used_at > millis(GRACE) {
            end(&mut transaction, &session, now).await?;
            transaction.commit().await?;
            return Ok(Refreshed::Reused(session));
        }
        let Some(holder) = holder_of(&mut transaction, &session, now).await? else {
            return Ok(Refreshed::Unknown);
        };
        add_refresh_token(&mut transaction, &session, next_hash, now).await?;
        sqlx::query("UPDATE sessions SET last_used_at = $1, expires_at = $2 WHERE id = $3")
            .bind(now)
            .bind(now + millis(SESSION_LIFETIME))
            .bind(&session.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Refreshed::Done(holder))
    }

    /// Whose session this is, while it stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_holder(&self, session: &SessionId) -> Result<Option<Holder>, StoreError> {
        let row: Option<HolderRow> = sqlx::query_as(HOLDER)
            .bind(&session.0)
            .bind(now_ms())
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(holder))
    }

    /// The person's sessions that stand, the one that was used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(&self, user: &UserId) -> Result<Vec<SessionRow>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT id, device, created_at, last_used_at FROM sessions
             WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2
             ORDER BY last_used_at DESC, created_at DESC, id",
        )
        .bind(&user.0)
        .bind(now_ms())
        .fetch_all(&self.readers)
        .await?;
        let row = |(id, device, created_at, last_used_at)| SessionRow {
            id: SessionId(id),
            device,
            created_at,
            last_used_at,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The sessions of this person, or of everybody who is no service, with the names of those whose they are; as
    /// [`Store::sessions`] otherwise.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of_people(
        &self,
        user: Option<&UserId>,
    ) -> Result<Vec<(String, SessionRow)>, StoreError> {
        let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
            "SELECT users.name, sessions.id, device, sessions.created_at, last_used_at
             FROM sessions JOIN users ON users.id = sessions.user_id
             WHERE users.service = 0 AND revoked_at IS NULL AND expires_at > $1 AND ($2 IS NULL OR user_id = $2)
             ORDER BY last_used_at DESC, sessions.created_at DESC, sessions.id",
        )
        .bind(now_ms())
        .bind(user.map(|id| &id.0))
        .fetch_all(&self.readers)
        .await?;
        let row = |(name, id, device, created_at, last_used_at)| {
            let session = SessionRow {
                id: SessionId(id),
                device,
                created_at,
                last_used_at,
            };
            (name, session)
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Ends one of the person's sessions, or anybody's. False when there is no such session (any more).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(
        &self,
        user: Option<&UserId>,
        session: &SessionId,
    ) -> Result<bool, StoreError> {
        let ended = sqlx::query(
            "UPDATE sessions SET revoked_at = $1
             WHERE id = $2 AND ($3 IS NULL OR user_id = $3) AND revoked_at IS NULL AND expires_at > $4",
        )
        .bind(now_ms())
        .bind(&session.0)
        .bind(user.map(|id| &id.0))
        .bind(now_ms())
        .execute(&self.writers)
        .await?;
        Ok(ended.rows_affected() > 0)
    }

    /// Ends the session that this refresh token belongs to. Returns which, where there is one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session_of(&self, hash: &[u8]) -> Result<Option<SessionId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let row: Option<(String,)> =
            sqlx::query_as("SELECT session_id FROM refresh_tokens WHERE hash = $1")
                .bind(hash)
                .fetch_optional(&mut *transaction)
                .await?;
        let session = row.map(|(id,)| SessionId(id));
        if let Some(session) = &session {
            end(&mut transaction, session, now_ms()).await?;
        }
        transaction.commit().await?;
        Ok(session)
    }

    /// Ends all of the person's sessions but this one. Returns those that have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions(
        &self,
        user: &UserId,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let ended = end_sessions(&mut transaction, user, except).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// The sessions that were ended at this time or later, in milliseconds since the epoch, whichever process did it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_ended_since(&self, since: i64) -> Result<Vec<SessionId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM sessions WHERE revoked_at >= $1")
            .bind(since)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(|(id,)| SessionId(id)).collect())
    }

    /// Forgets sessions, tokens, invites and departures that are of no more use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = now_ms();
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1 OR revoked_at <= $2")
            .bind(now)
            .bind(now - millis(REMEMBERED))
            .execute(&self.writers)
            .await?;
        sqlx::query("DELETE FROM refresh_tokens WHERE expires_at <= $1")
            .bind(now)
            .execute(&self.writers)
            .await?;
        sqlx::query(
            "DELETE FROM invites WHERE expires_at <= $1 OR uses_left = 0 OR revoked_at IS NOT NULL",
        )
        .bind(now)
        .execute(&self.writers)
        .await?;
        sqlx::query("DELETE FROM departures WHERE departed_at <= $1")
            .bind(now - millis(REMEMBERED))
            .execute(&self.writers)
            .await?;
        Ok(())
    }
}

/// Whose session `$1` is, while it stands at the time `$2`.
const HOLDER: &str = "
    SELECT sessions.id, users.id, users.name, users.service, users.role, users.do_not_disturb, users.display_name,
           avatars.etag
    FROM sessions JOIN users ON users.id = sessions.user_id LEFT JOIN avatars ON avatars.user_id = users.id
    WHERE sessions.id = $1 AND sessions.revoked_at IS NULL AND sessions.expires_at > $2";

async fn holder_of(
    transaction: &mut Transaction<'_, Any>,
    session: &SessionId,
    now: i64,
) -> Result<Option<Holder>, StoreError> {
    let row: Option<HolderRow> = sqlx::query_as(HOLDER)
        .bind(&session.0)
        .bind(now)
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(row.map(holder))
}

/// See [`Store::open_session`].
pub(super) async fn open_session(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
    device: &str,
    refresh_hash: &[u8],
) -> Result<SessionId, StoreError> {
    let (id, now) = (SessionId::random(), now_ms());
    sqlx::query(
        "INSERT INTO sessions (id, user_id, device, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&id.0)
    .bind(&user.0)
    .bind(device)
    .bind(now)
    .bind(now)
    .bind(now + millis(SESSION_LIFETIME))
    .execute(&mut **transaction)
    .await?;
    add_refresh_token(transaction, &id, refresh_hash, now).await?;
    let too_many: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL
         ORDER BY last_used_at DESC, created_at DESC, id LIMIT 1000 OFFSET $2",
    )
    .bind(&user.0)
    .bind(MAX_SESSIONS)
    .fetch_all(&mut **transaction)
    .await?;
    for (old,) in too_many {
        end(transaction, &SessionId(old), now).await?;
    }
    Ok(id)
}

/// See [`Store::end_sessions`].
pub(super) async fn end_sessions(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
    except: Option<&SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL")
            .bind(&user.0)
            .fetch_all(&mut **transaction)
            .await?;
    let mut ended: Vec<SessionId> = rows.into_iter().map(|(id,)| SessionId(id)).collect();
    ended.retain(|id| Some(id) != except);
    for session in &ended {
        end(transaction, session, now_ms()).await?;
    }
    Ok(ended)
}

async fn add_refresh_token(
    transaction: &mut Transaction<'_, Any>,
    session: &SessionId,
    hash: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(hash)
    .bind(&session.0)
    .bind(now)
    .bind(now + millis(SESSION_LIFETIME))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn end(
    transaction: &mut Transaction<'_, Any>,
    session: &SessionId,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
        .bind(now)
        .bind(&session.0)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
