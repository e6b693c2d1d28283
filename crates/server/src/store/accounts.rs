//! Accounts.

use serde::{Deserialize, Serialize};
use vireo_protocol::{Role, User, UserId};

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
        let id = UserId::random();
        let added = sqlx::query(
            "INSERT INTO users (id, name, name_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name_key) DO NOTHING",
        )
        .bind(&id.0)
        .bind(name)
        .bind(name_key(name))
        .bind(password_hash)
        .bind(now_ms())
        .execute(&self.writers)
        .await?;
        match added.rows_affected() {
            0 => Err(AddUserError::NameTaken),
            _ => Ok(User {
                id,
                name: name.to_owned(),
            }),
        }
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
