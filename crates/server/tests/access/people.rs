//! Those who ask.

use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection};

use crate::support::{Client, PASSWORD, Person, TestServer, befriend, text};

/// The kinds of people, in the order of the tables' columns.
pub const KINDS: [Kind; 8] = [
    Kind::Stranger,
    Kind::Expired,
    Kind::Forged,
    Kind::Revoked,
    Kind::NonMember,
    Kind::Blocked,
    Kind::Member,
    Kind::Admin,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Has no token.
    Stranger,
    /// Has tokens that were good once.
    Expired,
    /// Has a token that somebody else has signed, of a session that stands.
    Forged,
    /// Has tokens of a session that has ended.
    Revoked,
    /// Is signed in, and has nothing to do with what is asked about.
    NonMember,
    /// Is signed in, a contact of whom it is about, and blocked by her.
    Blocked,
    /// Is signed in, and whom it is about herself, or a contact of hers.
    Member,
    /// Runs the server, and has nothing to do with what is asked about.
    Admin,
}

/// One person of each kind, and Mia, whom it is all about.
pub struct Town {
    pub mia: Person,
    pub cem: Person,
    pub bob: Person,
    eve: Person,
    ann: Person,
    expired: Person,
    forged: Person,
    revoked: Person,
    /// The chats that Mia has with Cem and with Bob.
    pub chats: [String; 2],
}

impl Town {
    /// Who asks, where Mia is asked about.
    pub fn person(&self, kind: Kind) -> Option<&Person> {
        Some(match kind {
            Kind::Stranger => return None,
            Kind::Expired => &self.expired,
            Kind::Forged => &self.forged,
            Kind::Revoked => &self.revoked,
            Kind::NonMember => &self.eve,
            Kind::Blocked => &self.bob,
            Kind::Member => &self.cem,
            Kind::Admin => &self.ann,
        })
    }

    /// New people on this server; the number makes their names.
    pub async fn build(server: &TestServer, number: usize) -> Self {
        let register = async |name: &str| server.register(&format!("{name} {number}")).await;
        let (mia, cem) = (register("Mia").await, register("Cem").await);
        let (bob, eve) = (register("Bob").await, register("Eve").await);
        let ann = register("Ann").await;
        let revoked = register("Rob").await;
        let mut expired = register("Exa").await;
        let mut forged = register("Fay").await;
        let [mut m, mut c] = [server.connect(&mia).await, server.connect(&cem).await];
        let mut b = server.connect(&bob).await;
        let chats = [
            befriend(&mut m, &mia, &mut c, &cem).await,
            befriend(&mut m, &mia, &mut b, &bob).await,
        ];
        m.ask(json!({"type": "contacts:block", "userId": bob.id}))
            .await;
        let leave = json!({"refreshToken": revoked.refresh_token});
        server.ask("POST", "/api/sign-out", "", Some(&leave)).await;
        let mut database = database(server).await;
        for (query, id) in [
            ("UPDATE users SET role = 'admin' WHERE id = $1", &ann.id),
            (
                "UPDATE refresh_tokens SET expires_at = 1 WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)",
                &expired.id,
            ),
        ] {
            let changed = sqlx::query(query).bind(id).execute(&mut database).await;
            changed.expect("changed");
        }
        let avatar =
            "INSERT INTO avatars (user_id, image, etag, changed_at) VALUES ($1, $2, 'etag', 1)";
        let avatar = sqlx::query(avatar)
            .bind(&mia.id)
            .bind(b"picture".as_slice());
        avatar.execute(&mut database).await.expect("written");
        let key: Vec<u8> =
            sqlx::query_scalar("SELECT value FROM keys WHERE name = 'access-tokens'")
                .fetch_one(&mut database)
                .await
                .expect("there");
        expired.token = signed(&key, &expired.token, 1_000_000_000);
        let other_key =
            ring::signature::Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new());
        forged.token = signed(
            other_key.expect("made").as_ref(),
            &forged.token,
            4_000_000_000,
        );
        forged.refresh_token.replace_range(..4, "AAAA");
        Self {
            mia,
            cem,
            bob,
            eve,
            ann,
            expired,
            forged,
            revoked,
            chats,
        }
    }
}

/// The claims of this token, with another end, signed with this key.
fn signed(key: &[u8], token: &str, exp: u64) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = token.split('.').nth(1).expect("a token has three parts");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["exp"] = json!(exp);
    // The server in this process has told the library by what cryptography to work.
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    let key = jsonwebtoken::EncodingKey::from_ed_der(key);
    jsonwebtoken::encode(&header, &claims, &key).expect("signed")
}

async fn database(server: &TestServer) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let connection = AnyConnection::connect(&server.database).await;
    connection.expect("opened")
}

/// One more session of this person's.
pub async fn sign_in(server: &TestServer, person: &Person) -> Person {
    let body = json!({"name": person.name, "password": PASSWORD});
    let (status, answer) = server.post("/api/sign-in", &body).await;
    assert_eq!(status, 200, "{answer}");
    Person {
        token: text(&answer["accessToken"]),
        refresh_token: text(&answer["refreshToken"]),
        ..person.clone()
    }
}

/// What the server answers to an attempt to connect: 101 where it lets the person in.
pub async fn handshake(server: &TestServer, person: Option<&Person>) -> (u16, Option<Client>) {
    use tokio_tungstenite::tungstenite::Error;
    let token = person.map_or("", |person| &person.token);
    match server.open(token).await {
        Ok(client) => (101, Some(client)),
        Err(Error::Http(response)) => (response.status().as_u16(), None),
        Err(error) => panic!("{error}"),
    }
}
