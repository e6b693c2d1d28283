//! Who may see where a person is, and when they went; and whether the person wishes to be called.

use vireo_protocol::{SessionId, UserId};

use crate::store::{Store, StoreError, now_ms};

/// Those who may see a person's presence: contacts, without those of whom one has blocked the other. Whoever blocks gives up
/// seeing as well as being seen, so that nobody can watch somebody who cannot watch back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watchers {
    /// Everyone who may.
    pub users: Vec<UserId>,
    /// Whether the person does not wish to be called.
    pub do_not_disturb: bool,
    /// `users.contacts_version` of the person when this was so.
    pub version: i64,
}

/// One row for each watcher, or a single one without: the version has to be of the same moment as they are. With each goes
/// whether the session `$2` stands at the time `$3`.
const WATCHERS: &str = "
    SELECT users.contacts_version, users.do_not_disturb,
           CASE WHEN EXISTS (SELECT 1 FROM sessions
               WHERE id = $2 AND user_id = users.id AND revoked_at IS NULL AND expires_at > $3) THEN 1 ELSE 0 END,
           mine.other_id
    FROM users LEFT JOIN contacts AS mine ON mine.user_id = users.id
        AND EXISTS (SELECT 1 FROM contacts WHERE user_id = mine.other_id AND other_id = mine.user_id)
        AND NOT EXISTS (SELECT 1 FROM blocks WHERE user_id = mine.user_id AND other_id = mine.other_id)
        AND NOT EXISTS (SELECT 1 FROM blocks WHERE user_id = mine.other_id AND other_id = mine.user_id)
    WHERE users.id = $1";

impl Store {
    /// Those who may see whether this person is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watchers(&self, user: &UserId) -> Result<Watchers, StoreError> {
        Ok(self.read_watchers(user, None).await?.0)
    }

    /// The same for somebody who has just arrived, and whether the session that they have come by still stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watchers_and_session(
        &self,
        user: &UserId,
        session: &SessionId,
    ) -> Result<(Watchers, bool), StoreError> {
        self.read_watchers(user, Some(session)).await
    }

    async fn read_watchers(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
    ) -> Result<(Watchers, bool), StoreError> {
        let rows: Vec<(i64, i64, i64, Option<String>)> = sqlx::query_as(WATCHERS)
            .bind(&user.0)
            .bind(session.map(|id| &id.0))
            .bind(now_ms())
            .fetch_all(&self.readers)
            .await?;
        let (version, do_not_disturb, stands) = rows
            .first()
            .map_or((0, 0, 0), |(version, enabled, stands, _)| {
                (*version, *enabled, *stands)
            });
        let watchers = Watchers {
            users: rows
                .into_iter()
                .filter_map(|(.., id)| id.map(UserId))
                .collect(),
            do_not_disturb: do_not_disturb != 0,
            version,
        };
        Ok((watchers, stands != 0))
    }

    /// Writes down whether the person wishes to be called. False when it was so before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_do_not_disturb(
        &self,
        user: &UserId,
        enabled: bool,
    ) -> Result<bool, StoreError> {
        let set = sqlx::query(
            "UPDATE users SET do_not_disturb = $1, contacts_version = contacts_version + 1
             WHERE id = $2 AND do_not_disturb <> $1",
        )
        .bind(i64::from(enabled))
        .bind(&user.0)
        .execute(&self.writers)
        .await?;
        Ok(set.rows_affected() > 0)
    }

    /// How often the person's contacts have changed, or whether they wish to be called.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contacts_version(&self, user: &UserId) -> Result<i64, StoreError> {
        let version: Option<i64> =
            sqlx::query_scalar("SELECT contacts_version FROM users WHERE id = $1")
                .bind(&user.0)
                .fetch_optional(&self.readers)
                .await?;
        Ok(version.unwrap_or_default())
    }

    /// Writes down when the last device of each of these people went, in milliseconds since the epoch. What is older than
    /// what is known is passed over.
    ///
    /// # Errors
    /// When the database fails; nothing is written then.
    pub async fn set_last_seen(&self, people: &[(UserId, i64)]) -> Result<(), StoreError> {
        // In the same order everywhere: two servers that lock each other's first person would wait for ever.
        let mut people: Vec<&(UserId, i64)> = people.iter().collect();
        people.sort_unstable();
        let mut transaction = self.begin_write().await?;
        for (user, at) in people {
            sqlx::query(
                "UPDATE users SET last_seen_at = $2 WHERE id = $1 AND (last_seen_at IS NULL OR last_seen_at < $2)",
            )
            .bind(&user.0)
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}
