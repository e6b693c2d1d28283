//! Accounts.

use serde::{Deserialize, Serialize};
use sqlx::{Any, Transaction};
use vireo_protocol::{Role, SessionId, User, UserId};

use super::departures::{Departure, depart};
use super::people::{AccountError, may_leave};
use super::sessions::end_sessions;
use super::{Store, StoreError, now_ms};

/// A person or a service as the server keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Identifier and name.
    pub user: User,
    /// True for a service of the server's own.
    pub service: bool,
}

/// Why an account could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AddUserError {
    /// Somebody has the name already.
    #[error("the name is taken")]
    NameTaken,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Row = (String, String, i64);

fn account((id, name, service): Row) -> Account {
    Account {
        user: User {
            id: UserId(id),
            name,
        },
        service: service != 0,
    }
}

/// A role as it is stored.
pub(super) fn role(name: &str) -> Role {
    match name {
        "admin" => Role::Admin,
        _ => Role::Member,
    }
}

/// Two names with the same key are the same name.
pub(super) fn name_key(name: &str) -> String {
    name.to_lowercase()
}

impl Store {
    /// Makes an account. `password_hash` is a PHC string.
    ///
    /// # Errors
    /// When the name is taken, upper and lower case aside.
    pub async fn add_user(&self, name: &str, password_hash: &str) -> Result<User, AddUserError> {
        let mut transaction = self.begin_write().await?;
        let user = insert_user(&mut transaction, name, password_hash, false).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Gives the account another password, and ends its sessions but this one. Returns those that have ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(
        &self,
        user: &UserId,
        password_hash: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        sqlx::query("UPDATE users SET password_hash = $1, password_changed_at = $2 WHERE id = $3")
            .bind(password_hash)
            .bind(now_ms())
            .bind(&user.0)
            .execute(&mut *transaction)
            .await?;
        let ended = end_sessions(&mut transaction, user, except).await?;
        transaction.commit().await?;
        Ok(ended)
    }

    /// Deletes the account with everything that belongs to it.
    ///
    /// # Errors
    /// When the person is the last administrator and leaves others behind; nothing is deleted then.
    pub async fn delete_user(&self, user: &UserId) -> Result<Departure, AccountError> {
        let mut transaction = self.begin_write().await?;
        may_leave(&mut transaction, user).await?;
        let sessions = end_sessions(&mut transaction, user, None).await?;
        let contacts: Vec<(String,)> = sqlx::query_as(
            "SELECT other_id FROM contacts WHERE user_id = $1
             UNION SELECT user_id FROM contacts WHERE other_id = $1
             UNION SELECT user_id FROM blocks WHERE other_id = $1",
        )
        .bind(&user.0)
        .fetch_all(&mut *transaction)
        .await?;
        let mut contacts: Vec<UserId> = contacts.into_iter().map(|(id,)| UserId(id)).collect();
        // In the same order everywhere: two that lock each other's first person would wait for ever.
        contacts.sort_unstable();
        for other in &contacts {
            sqlx::query("UPDATE users SET contacts_version = contacts_version + 1 WHERE id = $1")
                .bind(&other.0)
                .execute(&mut *transaction)
                .await?;
        }
        for statement in [
            "DELETE FROM chats WHERE id IN (SELECT chat_id FROM chat_members WHERE user_id = $1)",
            "DELETE FROM users WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(&user.0)
                .execute(&mut *transaction)
                .await?;
        }
        let departure = Departure {
            user: user.clone(),
            sessions,
            contacts,
        };
        depart(&mut transaction, &departure, now_ms()).await?;
        transaction.commit().await?;
        Ok(departure)
    }

    /// The account of the server's own service of this name, made where it is missing.
    ///
    /// # Errors
    /// When a person already has the name.
    pub async fn service(&self, name: &str) -> Result<User, AddUserError> {
        let mut transaction = self.begin_write().await?;
        sqlx::query(
            "INSERT INTO users (id, name, name_key, service, created_at) VALUES ($1, $2, $3, 1, $4)
             ON CONFLICT (name_key) DO NOTHING",
        )
        .bind(UserId::random().0)
        .bind(name)
        .bind(name_key(name))
        .bind(now_ms())
        .execute(&mut *transaction)
        .await?;
        let row: Row = sqlx::query_as("SELECT id, name, service FROM users WHERE name_key = $1")
            .bind(name_key(name))
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let account = account(row);
        match account.service {
            true => Ok(account.user),
            false => Err(AddUserError::NameTaken),
        }
    }

    /// The account of this name and its password hash (null: no password opens it).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_name(
        &self,
        name: &str,
    ) -> Result<Option<(User, Option<String>)>, StoreError> {
        let row: Option<(String, String, Option<String>)> =
            sqlx::query_as("SELECT id, name, password_hash FROM users WHERE name_key = $1")
                .bind(name_key(name))
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(|(id, name, hash)| {
            let id = UserId(id);
            (User { id, name }, hash)
        }))
    }
}

/// Makes an account.
pub(super) async fn insert_user(
    transaction: &mut Transaction<'_, Any>,
    name: &str,
    password_hash: &str,
    admin: bool,
) -> Result<User, AddUserError> {
    let id = UserId::random();
    let added = sqlx::query(
        "INSERT INTO users (id, name, name_key, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name_key) DO NOTHING",
    )
    .bind(&id.0)
    .bind(name)
    .bind(name_key(name))
    .bind(password_hash)
    .bind(if admin { "admin" } else { "member" })
    .bind(now_ms())
    .execute(&mut **transaction)
    .await?;
    match added.rows_affected() {
        0 => Err(AddUserError::NameTaken),
        _ => Ok(User {
            id,
            name: name.to_owned(),
        }),
    }
}
