//! What people show of themselves: a name, and a picture.

use sqlx::{Any, Transaction};
use vireo_protocol::{Profile, User, UserId};

use super::accounts::role;
use super::{Store, StoreError, now_ms};

const PROFILE: &str = "
    SELECT users.id, users.name, users.display_name, users.role, avatars.etag
    FROM users LEFT JOIN avatars ON avatars.user_id = users.id WHERE users.id = $1";

impl Store {
    /// What this person shows; nothing when there is no such person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn profile(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        type Row = (String, String, Option<String>, String, Option<String>);
        let row: Option<Row> = sqlx::query_as(PROFILE)
            .bind(&user.0)
            .fetch_optional(&self.readers)
            .await?;
        let profile = |(id, name, display_name, role_name, avatar): Row| Profile {
            user: User {
                id: UserId(id),
                name,
            },
            display_name,
            avatar,
            role: role(&role_name),
        };
        Ok(row.map(profile))
    }

    /// Shows another name, or the one to sign in with. Returns those who see it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_display_name(
        &self,
        user: &UserId,
        name: Option<&str>,
    ) -> Result<Vec<UserId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let seen_by = count(&mut transaction, user).await?;
        sqlx::query("UPDATE users SET display_name = $1 WHERE id = $2")
            .bind(name)
            .bind(&user.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(seen_by)
    }

    /// Shows another picture. Returns those who see it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_avatar(
        &self,
        user: &UserId,
        image: &[u8],
        etag: &str,
    ) -> Result<Vec<UserId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let seen_by = count(&mut transaction, user).await?;
        sqlx::query(
            "INSERT INTO avatars (user_id, image, etag, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE
             SET image = excluded.image, etag = excluded.etag, changed_at = excluded.changed_at",
        )
        .bind(&user.0)
        .bind(image)
        .bind(etag)
        .bind(now_ms())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(seen_by)
    }

    /// Shows no picture any more. Returns those who saw it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_avatar(&self, user: &UserId) -> Result<Vec<UserId>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let seen_by = count(&mut transaction, user).await?;
        sqlx::query("DELETE FROM avatars WHERE user_id = $1")
            .bind(&user.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(seen_by)
    }

    /// The picture of this person and its ETag, where the viewer may see it: it is their own, or the person has added them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn avatar(
        &self,
        user: &UserId,
        viewer: &UserId,
    ) -> Result<Option<(Vec<u8>, String)>, StoreError> {
        sqlx::query_as(
            "SELECT image, etag FROM avatars WHERE user_id = $1 AND ($1 = $2 OR EXISTS (
                SELECT 1 FROM contacts WHERE contacts.user_id = $1 AND other_id = $2))",
        )
        .bind(&user.0)
        .bind(&viewer.0)
        .fetch_optional(&self.readers)
        .await
    }
}

/// Counts a change of the lists of all those whom the person has added, and of nobody's who is added meanwhile: that waits
/// until the transaction ends. Returns them.
async fn count(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
) -> Result<Vec<UserId>, StoreError> {
    let mut people = added_by(transaction, user).await?;
    people.push(user.clone());
    // In the same order everywhere: two that lock each other's first person would wait for ever.
    people.sort_unstable();
    for person in people {
        sqlx::query("UPDATE users SET contacts_version = contacts_version + 1 WHERE id = $1")
            .bind(&person.0)
            .execute(&mut **transaction)
            .await?;
    }
    // Somebody may have been added before the person's own row was locked.
    added_by(transaction, user).await
}

async fn added_by(
    transaction: &mut Transaction<'_, Any>,
    user: &UserId,
) -> Result<Vec<UserId>, StoreError> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT other_id FROM contacts WHERE user_id = $1")
        .bind(&user.0)
        .fetch_all(&mut **transaction)
        .await?;
    Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
}
