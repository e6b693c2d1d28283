//! Registering, signing in, and health.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use vireo_protocol::{
    AuthResponse, Credentials, ErrorCode, Health, HttpError, User, VERSION, name_problem,
    password_problem,
};

use crate::rate::Limit;
use crate::secrets::{hash_password, new_token, token_hash, verify_password};
use crate::state::AppState;
use crate::store::{AddUserError, StoreError};

/// A person signs in again with their password before this has passed.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Wrong passwords for one name from one address: ten at once, then one every five seconds. Right ones cost nothing, and
/// another address is not held up, so that nobody can lock somebody else out for long.
pub const SIGN_IN_FAILURES: Limit = Limit {
    capacity: 10,
    period: Duration::from_secs(5),
};

/// New accounts from one address.
pub const REGISTRATIONS: Limit = Limit {
    capacity: 1000,
    period: Duration::from_millis(100),
};

/// An answer that says no.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    body: HttpError,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with this sentence.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            status,
            body: HttpError {
                code,
                message: message.into(),
            },
            retry_after: None,
        }
    }

    fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let message = format!("Too many attempts. Please try again in {seconds} seconds.");
        Self {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::RateLimited,
                message,
            )
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        let message = "Something went wrong on the server. Please try again.";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            message,
        )
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        // The rejection's own text may repeat what was sent, a password included.
        let message = "The request has to be a JSON object with a name and a password.";
        Self::new(rejection.status(), ErrorCode::InvalidMessage, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(wait.as_secs());
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

type Body = Result<Json<Credentials>, JsonRejection>;

/// `POST /api/register`
pub async fn register(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<(StatusCode, Json<AuthResponse>), Refusal> {
    let Json(Credentials { name, password }) = body?;
    if !state.open_registration {
        let message = "This server does not accept new accounts.";
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            ErrorCode::RegistrationClosed,
            message,
        ));
    }
    let bad = |code, message: &str| Refusal::new(StatusCode::BAD_REQUEST, code, message);
    if let Some(problem) = name_problem(&name) {
        return Err(bad(ErrorCode::InvalidName, problem));
    }
    if let Some(problem) = password_problem(&password) {
        return Err(bad(ErrorCode::InvalidPassword, problem));
    }
    throttle(&state.registrations, &address.ip())?;
    count(&state.registrations, address.ip());
    let hash = hash_password(password).await.ok_or_else(|| {
        let message = "Something went wrong on the server. Please try again.";
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            message,
        )
    })?;
    match state.store.add_user(&name, &hash).await {
        Ok(user) => Ok((StatusCode::CREATED, sign_in_as(&state, user).await?)),
        Err(AddUserError::Store(error)) => Err(error.into()),
        Err(AddUserError::NameTaken) => {
            let message = "This name is already taken. Please choose another one.";
            Err(Refusal::new(
                StatusCode::CONFLICT,
                ErrorCode::NameTaken,
                message,
            ))
        }
    }
}

/// `POST /api/sign-in`
pub async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Json<AuthResponse>, Refusal> {
    let Json(Credentials { name, password }) = body?;
    let key = (address.ip(), name.to_lowercase());
    throttle(&state.sign_in_failures, &key)?;
    // What no account can have need not be looked up, but is answered like any other wrong guess.
    let possible = name_problem(&name).is_none() && password_problem(&password).is_none();
    let found = match possible {
        true => state.store.user_by_name(&name).await?,
        false => None,
    };
    let (user, hash) = found.unzip();
    let right = verify_password(password, hash.flatten()).await;
    match user.filter(|_| right) {
        Some(user) => sign_in_as(&state, user).await,
        None => {
            count(&state.sign_in_failures, key);
            let message = "Wrong name or password.";
            Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                ErrorCode::WrongPassword,
                message,
            ))
        }
    }
}

/// `GET /api/health`
pub async fn health(State(state): State<AppState>) -> Result<Json<Health>, Refusal> {
    state.store.check().await?;
    Ok(Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: VERSION,
    }))
}

async fn sign_in_as(state: &AppState, user: User) -> Result<Json<AuthResponse>, Refusal> {
    let token = new_token();
    let hash = token_hash(&token);
    state
        .store
        .add_token(&hash, &user.id, TOKEN_LIFETIME)
        .await?;
    Ok(Json(AuthResponse { token, user }))
}

fn throttle<K: Eq + std::hash::Hash>(
    buckets: &crate::state::SharedBuckets<K>,
    key: &K,
) -> Result<(), Refusal> {
    match crate::state::lock(buckets).wait(key, Instant::now()) {
        Some(wait) => Err(Refusal::too_many(wait)),
        None => Ok(()),
    }
}

fn count<K: Eq + std::hash::Hash>(buckets: &crate::state::SharedBuckets<K>, key: K) {
    crate::state::lock(buckets).take(key, Instant::now());
}

/// Who is throttled for wrong passwords.
pub type SignInKey = (IpAddr, String);
