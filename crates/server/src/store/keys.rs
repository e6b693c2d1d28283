//! Secrets that the server makes for itself once, shared by all its instances.

use super::{Store, StoreError};

impl Store {
    /// The secret of this name. The first to ask makes it; whoever asks at the same time gets the same one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key(
        &self,
        name: &str,
        make: impl FnOnce() -> Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        if let Some(value) = self.stored_key(name).await? {
            return Ok(value);
        }
        sqlx::query("INSERT INTO keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(make())
            .execute(&self.writers)
            .await?;
        // Another instance may have been quicker.
        let value = self.stored_key(name).await?;
        value.ok_or(StoreError::RowNotFound)
    }

    async fn stored_key(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT value FROM keys WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|(value,)| value))
    }
}
