//! A device that is signed in: the tokens it is known by, and how it gets the next ones.
//!
//! An access token is good for minutes and opens everything; a refresh token lasts for weeks and gets the next pair, once.
//! Whoever keeps the refresh token over a restart has to keep each new one: see [`Session::keep_with`].

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;
use vireo_protocol::{
    Credentials, RefreshToken, Registration, SignedIn, User, name_problem, password_problem,
};

use crate::ClientError;
use crate::transport::Transport;

/// An access token that ends sooner is not used any more.
const SPARE: Duration = Duration::from_secs(30);

/// How long the server may take to give the next tokens. Two attempts have to fit into the 10 s for which it gives another
/// answer to the same question.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(4);

/// A device that stays connected shows itself so often, or the server would take it for one that is not used any more.
pub(crate) const SHOWN_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// A signed-in account on a server. Clones share their tokens.
#[derive(Clone)]
pub struct Session {
    /// The server's address, such as `https://192.0.2.1:7450#sha256=FINGERPRINT` or `http://127.0.0.1:7450`.
    pub server: String,
    /// Who it is.
    pub user: User,
    tokens: Arc<Tokens>,
}

struct Tokens {
    /// Held while the server is asked for the next ones, since each refresh token is good for one question.
    pair: Mutex<Pair>,
    keep: OnceLock<Keeper>,
}

type Keeper = Box<dyn Fn(&str) + Send + Sync>;

struct Pair {
    access: Option<Access>,
    refresh: String,
}

struct Access {
    token: String,
    until: Instant,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session { .. }") // Neither the name nor the tokens belong into a log.
    }
}

impl Session {
    /// What the server has answered to signing in.
    #[must_use]
    pub fn new(server: impl Into<String>, answer: SignedIn) -> Self {
        let access = Access::new(&answer);
        Self::with(
            server.into(),
            answer.user,
            Some(access),
            answer.refresh_token,
        )
    }

    /// A session that was kept by its refresh token.
    #[must_use]
    pub fn resume(server: impl Into<String>, user: User, refresh_token: impl Into<String>) -> Self {
        Self::with(server.into(), user, None, refresh_token.into())
    }

    fn with(server: String, user: User, access: Option<Access>, refresh: String) -> Self {
        let tokens = Arc::new(Tokens {
            pair: Mutex::new(Pair { access, refresh }),
            keep: OnceLock::new(),
        });
        Self {
            server,
            user,
            tokens,
        }
    }

    /// Hands every new refresh token to whoever keeps it over a restart, the present one at once. The one before is worth
    /// nothing any more when this is called, so it should be kept before anything else is done. Only the first keeper
    /// counts.
    pub async fn keep_with(&self, keep: impl Fn(&str) + Send + Sync + 'static) {
        let pair = self.tokens.pair.lock().await;
        keep(&pair.refresh);
        let _ = self.tokens.keep.set(Box::new(keep));
    }

    /// Asks for new tokens, which shows whether the session still stands.
    ///
    /// # Errors
    /// [`ClientError::SignedOut`], [`ClientError::ServerUnreachable`].
    pub async fn renew(&self) -> Result<(), ClientError> {
        let mut pair = self.tokens.pair.lock().await;
        self.refresh(&mut pair).await.map(drop)
    }

    /// Ends the session on the server.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`].
    pub async fn sign_out(&self) -> Result<(), ClientError> {
        let mut pair = self.tokens.pair.lock().await;
        pair.access = None;
        let body = RefreshToken {
            refresh_token: pair.refresh.clone(),
        };
        let answer = Transport::to(&self.server)?
            .post("api/sign-out", None, &body)
            .await?;
        answer.succeeded("")
    }

    /// An access token that is good for a while.
    pub(crate) async fn access_token(&self) -> Result<String, ClientError> {
        let mut pair = self.tokens.pair.lock().await;
        match &pair.access {
            Some(access) if access.until > Instant::now() + SPARE => Ok(access.token.clone()),
            _ => self.refresh(&mut pair).await,
        }
    }

    /// An access token in the place of one that the server refused.
    pub(crate) async fn access_token_after(&self, refused: &str) -> Result<String, ClientError> {
        let mut pair = self.tokens.pair.lock().await;
        match &pair.access {
            // Somebody else has asked meanwhile.
            Some(access) if access.token != refused => Ok(access.token.clone()),
            _ => self.refresh(&mut pair).await,
        }
    }

    async fn refresh(&self, pair: &mut Pair) -> Result<String, ClientError> {
        let body = RefreshToken {
            refresh_token: pair.refresh.clone(),
        };
        let answer = match self.next_tokens(&body).await {
            // Where only the answer was lost, the server gives another one for a few seconds.
            Err(ClientError::ServerUnreachable) => self.next_tokens(&body).await?,
            answer => answer?,
        };
        if let Some(keep) = self.tokens.keep.get() {
            keep(&answer.refresh_token);
        }
        let access = Access::new(&answer);
        let token = access.token.clone();
        pair.access = Some(access);
        pair.refresh = answer.refresh_token;
        Ok(token)
    }
}

impl Session {
    async fn next_tokens(&self, body: &RefreshToken) -> Result<SignedIn, ClientError> {
        let transport = Transport::to(&self.server)?;
        let asked = timeout(REFRESH_TIMEOUT, transport.post("api/refresh", None, body)).await;
        let answer = asked.unwrap_or(Err(ClientError::ServerUnreachable))?;
        answer.read("")
    }
}

impl Access {
    fn new(answer: &SignedIn) -> Self {
        Self {
            token: answer.access_token.clone(),
            until: Instant::now() + Duration::from_secs(answer.expires_in_seconds.into()),
        }
    }
}

pub(crate) async fn register(
    server: &str,
    registration: Registration,
) -> Result<Session, ClientError> {
    // The server checks the same rules; asking here saves the way.
    let problem =
        name_problem(&registration.name).or_else(|| password_problem(&registration.password));
    if let Some(problem) = problem {
        return Err(ClientError::InvalidCredentials(problem.to_owned()));
    }
    let answer = Transport::to(server)?
        .post("api/register", None, &registration)
        .await?;
    Ok(Session::new(server, answer.read(&registration.name)?))
}

pub(crate) async fn sign_in(
    server: &str,
    credentials: Credentials,
) -> Result<Session, ClientError> {
    let answer = Transport::to(server)?
        .post("api/sign-in", None, &credentials)
        .await?;
    Ok(Session::new(server, answer.read(&credentials.name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let user = User {
            id: vireo_protocol::UserId("id".to_owned()),
            name: "Ann".to_owned(),
        };
        let session = Session::resume("http://host", user, "token");
        assert_eq!(format!("{session:?}"), "Session { .. }");
    }
}
