//! Single facts about the server.

use super::{Store, StoreError};

impl Store {
    /// Writes down that the server was alive at this time, so that what went on when it died can be given an end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_alive(&self, now: i64) -> Result<(), StoreError> {
        self.set_fact("alive_at", &now.to_string()).await
    }

    /// When the server was last alive, as far as it has written that down.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alive_at(&self) -> Result<Option<i64>, StoreError> {
        let value = self.fact("alive_at").await?;
        Ok(value.and_then(|value| value.parse().ok()))
    }

    /// Writes down where people elsewhere find the server, so that other programs can make invitations to it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_address(&self, address: &str) -> Result<(), StoreError> {
        self.set_fact("address", address).await
    }

    /// Where people elsewhere find the server that was started last; nothing where none has ever been.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn address(&self) -> Result<Option<String>, StoreError> {
        self.fact("address").await
    }

    async fn set_fact(&self, name: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO state (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&self.writers)
        .await?;
        Ok(())
    }

    async fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT value FROM state WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|(value,)| value))
    }
}
