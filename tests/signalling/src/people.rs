//! People made in the database itself, since signing in thousands with their passwords would take minutes: accounts,
//! sessions, and contacts in pairs. Written into the tables as the migrations make them, in SQL that both databases know.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use uuid::Uuid;

/// So many rows go into one statement.
const ROWS: usize = 500;

/// Somebody who is signed in and has one contact: number 2n and number 2n + 1 have each other.
#[derive(Clone)]
pub struct Person {
    /// The account.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The chat with the contact.
    pub chat: String,
    session: String,
    key: Arc<Ed25519KeyPair>,
}

impl Person {
    /// What the person connects with: an access token, as the server itself would give it out now.
    #[must_use]
    pub fn token(&self) -> String {
        let now = now_ms() / 1000;
        let claims = serde_json::json!({
            "sub": self.id, "sid": self.session, "role": "member", "iat": now, "exp": now + 600,
        });
        let header = r#"{"typ":"JWT","alg":"EdDSA"}"#;
        let [header, claims] = [header.to_owned(), claims.to_string()];
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Makes so many people in the database of a server that has run before.
///
/// # Errors
/// When the database cannot be written.
pub async fn make(database: &str, count: usize) -> Result<Vec<Person>> {
    let mut connection = connect(database).await?;
    let key = signing_key(&mut connection).await?;
    let people = invent(count, &key);
    let now = now_ms();
    let mut transaction = connection.begin().await?;
    for (table, rows) in tables(&people, now) {
        for rows in rows.chunks(ROWS) {
            let statement = format!("INSERT INTO {table} VALUES {}", rows.join(","));
            // Every value is made here.
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut *transaction)
                .await
                .with_context(|| format!("rows for {table}"))?;
        }
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(people)
}

/// How many calls the history holds that were answered and ended well.
///
/// # Errors
/// When the database cannot be read.
pub async fn completed_calls(database: &str) -> Result<u64> {
    let mut connection = connect(database).await?;
    let count =
        "SELECT COUNT(*) FROM calls WHERE outcome = 'completed' AND answered_at IS NOT NULL";
    let row = sqlx::query(count).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?)?)
}

/// Everybody's name, and who has added whom.
///
/// # Errors
/// When the database cannot be read.
pub async fn known(database: &str) -> Result<(HashSet<String>, HashSet<(String, String)>)> {
    let mut connection = connect(database).await?;
    let names: Vec<(String,)> = sqlx::query_as("SELECT name FROM users")
        .fetch_all(&mut connection)
        .await?;
    let added = "SELECT a.name, b.name FROM contacts
        JOIN users AS a ON a.id = user_id JOIN users AS b ON b.id = other_id";
    let added: Vec<(String, String)> = sqlx::query_as(added).fetch_all(&mut connection).await?;
    connection.close().await?;
    let names = names.into_iter().map(|(name,)| name);
    Ok((names.collect(), added.into_iter().collect()))
}

/// What the history holds of a call.
#[derive(Debug)]
pub struct KeptCall {
    /// Somebody has accepted it.
    pub answered: bool,
    /// It is over.
    pub ended: bool,
}

/// Every call of the history, by the id that its caller has made.
///
/// # Errors
/// When the database cannot be read.
pub async fn calls(database: &str) -> Result<HashMap<String, KeptCall>> {
    let mut connection = connect(database).await?;
    let calls: Vec<(String, Option<i64>, Option<i64>)> =
        sqlx::query_as("SELECT call_id, answered_at, ended_at FROM calls")
            .fetch_all(&mut connection)
            .await?;
    connection.close().await?;
    let kept = |(id, answered, ended): (String, Option<i64>, Option<i64>)| {
        let call = KeptCall {
            answered: answered.is_some(),
            ended: ended.is_some(),
        };
        (id, call)
    };
    Ok(calls.into_iter().map(kept).collect())
}

/// The ids of all invites.
///
/// # Errors
/// When the database cannot be read.
pub async fn invites(database: &str) -> Result<HashSet<String>> {
    let mut connection = connect(database).await?;
    let ids: Vec<(String,)> = sqlx::query_as("SELECT id FROM invites")
        .fetch_all(&mut connection)
        .await?;
    connection.close().await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}

async fn connect(database: &str) -> Result<AnyConnection> {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(database)
        .await
        .context("the database cannot be opened")
}

/// The key that the server has made for itself.
async fn signing_key(connection: &mut AnyConnection) -> Result<Arc<Ed25519KeyPair>> {
    let row = sqlx::query("SELECT value FROM keys WHERE name = 'access-tokens'");
    let row = row
        .fetch_one(connection)
        .await
        .context("the server's key")?;
    let key = Ed25519KeyPair::from_pkcs8(row.try_get::<&[u8], _>(0)?);
    Ok(Arc::new(key.ok().context("the server's key is none")?))
}

fn invent(count: usize, key: &Arc<Ed25519KeyPair>) -> Vec<Person> {
    let mut chat = String::new();
    let person = |number: usize| {
        if number.is_multiple_of(2) {
            chat = Uuid::new_v4().to_string();
        }
        Person {
            id: Uuid::new_v4().to_string(),
            name: format!("person {number}"),
            chat: chat.clone(),
            session: Uuid::new_v4().to_string(),
            key: Arc::clone(key),
        }
    };
    (0..count).map(person).collect()
}

/// The tables with their columns, and the rows for each.
fn tables(people: &[Person], now: i64) -> [(&'static str, Vec<String>); 5] {
    let far = now + 24 * 60 * 60 * 1000;
    let of_each = |row: &dyn Fn(&Person) -> String| people.iter().map(row).collect::<Vec<_>>();
    let pairs = || people.as_chunks::<2>().0.iter();
    let contacts = pairs().flat_map(|[one, other]| [(one, other), (other, one)]);
    [
        (
            "users (id, name, name_key, created_at)",
            of_each(&|p| format!("('{}','{}','{}',{now})", p.id, p.name, p.name)),
        ),
        (
            "sessions (id, user_id, device, created_at, last_used_at, expires_at)",
            of_each(&|p| format!("('{}','{}','load',{now},{now},{far})", p.session, p.id)),
        ),
        (
            "contacts (user_id, other_id, created_at)",
            contacts
                .map(|(one, other)| format!("('{}','{}',{now})", one.id, other.id))
                .collect(),
        ),
        (
            "chats (id, pair_key, created_at)",
            pairs()
                .map(|[one, other]| {
                    let (low, high) = (
                        one.id.clone().min(other.id.clone()),
                        one.id.clone().max(other.id.clone()),
                    );
                    format!("('{}','{low} {high}',{now})", one.chat)
                })
                .collect(),
        ),
        (
            "chat_members (chat_id, user_id)",
            of_each(&|p| format!("('{}','{}')", p.chat, p.id)),
        ),
    ]
}

fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
