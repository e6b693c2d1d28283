//! The people of the server, and what each may do.

use sqlx::{Any, Transaction};
use vireo_protocol::{Role, User, UserId, UserInfo};

use super::accounts::{name_key, role};
use super::{Store, StoreError, now_ms};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such person.
    #[error("there is no such person")]
    UnknownUser,
    /// Nobody would be left who runs the server.
    #[error("the last administrator")]
    LastAdmin,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Row = (
    String,
    String,
    Option<String>,
    String,
    i64,
    Option<i64>,
    Option<i64>,
);

fn info((id, name, display_name, role_name, created_at, went_at, used_at): Row) -> UserInfo {
    UserInfo {
        id: UserId(id),
        name,
        display_name,
        role: role(&role_name),
        created_at,
        last_seen_at: went_at.max(used_at),
    }
}

/// People after the name `$1`, at most `$2` of them, or the one with the id `$3`.
const PEOPLE: &str = "
    SELECT id, name, display_name, role, created_at, last_seen_at,
           (SELECT MAX(last_used_at) FROM sessions WHERE sessions.user_id = users.id)
    FROM users WHERE service = 0 AND name_key > $1 AND ($3 IS NULL OR id = $3)
    ORDER BY name_key LIMIT $2";

impl Store {
    /// The people whose names come after this one, in the order of their names, at most so many. They were last seen when
    /// their last device went, or one of their devices last asked for tokens.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people(&self, after: &str, limit: u32) -> Result<Vec<UserInfo>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(PEOPLE)
            .bind(name_key(after))
            .bind(i64::from(limit))
            .bind(None::<&str>)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(info).collect())
    }

    /// This person; nothing where there is none, or it is a service.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person(&self, user: &UserId) -> Result<Option<UserInfo>, StoreError> {
        let row: Option<Row> = sqlx::query_as(PEOPLE)
            .bind("")
            .bind(1_i64)
            .bind(Some(&user.0))
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(info))
    }

    /// The person of this name, upper and lower case aside.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person_named(&self, name: &str) -> Result<Option<User>, StoreError> {
        let row: Option<(String, String)> =
            sqlx::query_as("SELECT id, name FROM users WHERE name_key = $1 AND service = 0")
                .bind(name_key(name))
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(|(id, name)| User {
            id: UserId(id),
            name,
        }))
    }

    /// Whoever has been an administrator's account the longest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_admin(&self) -> Result<Option<User>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as(
            "SELECT id, name FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(|(id, name)| User {
            id: UserId(id),
            name,
        }))
    }

    /// Says what the person may do from now on.
    ///
    /// # Errors
    /// When there is no such person, or they are the last administrator and would not be one any more.
    pub async fn set_role(&self, user: &UserId, role: Role) -> Result<(), AccountError> {
        let mut transaction = self.begin_write().await?;
        let others = other_admins(&mut transaction, user).await?;
        if role == Role::Member && is_admin(&mut transaction, user).await? && others == 0 {
            return Err(AccountError::LastAdmin);
        }
        let set = sqlx::query("UPDATE users SET role = $1 WHERE id = $2 AND service = 0")
            .bind(match role {
                Role::Admin => "admin",
                Role::Member => "member",
            })
            .bind(&user.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        match set.rows_affected() {
            0 => Err(AccountError::UnknownUser),
            _ => Ok(()),
        }
    }
}

/// Fails where the person is the last administrator and leaves others behind.
pub(super) async fn may_leave(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
) -> Result<(), AccountError> {
    if other_admins(transaction, user).await? > 0 || !is_admin(transaction, user).await? {
        return Ok(());
    }
    let others: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE service = 0 AND id <> $1")
            .bind(&user.0)
            .fetch_one(&mut **transaction)
            .await?;
    match others {
        0 => Ok(()),
        _ => Err(AccountError::LastAdmin),
    }
}

/// How many administrators there are besides this person. That stays so until the transaction ends: whoever else asks
/// waits.
async fn other_admins(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
) -> Result<i64, StoreError> {
    // A row of its own: those of the people are locked in an order that this must not disturb.
    sqlx::query(
        "INSERT INTO state (name, value) VALUES ('admins_counted_at', $1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(now_ms().to_string())
    .execute(&mut **transaction)
    .await?;
    sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE role = 'admin' AND id <> $1")
        .bind(&user.0)
        .fetch_one(&mut **transaction)
        .await
}

async fn is_admin(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
) -> Result<bool, StoreError> {
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE role = 'admin' AND id = $1")
            .bind(&user.0)
            .fetch_one(&mut **transaction)
            .await?;
    Ok(count > 0)
}
