//! Registering, signing in, and health.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use vireo_protocol::{
    AuthResponse, Credentials, ErrorCode, Health, User, VERSION, name_problem, password_problem,
};

use crate::rate::Limit;
use crate::refusal::Refusal;
use crate::secrets::{hash_password, new_token, token_hash, verify_password};
use crate::state::{AppState, SharedBuckets, lock};
use crate::store::AddUserError;

/// A person signs in again with their password before this has passed.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Wrong passwords for one name from one address: ten at once, then one every five seconds, however many come together.
/// Right ones cost nothing, and another address is not held up, so that nobody can lock somebody else out for long.
pub const SIGN_IN_FAILURES: Limit = Limit {
    capacity: 10,
    period: Duration::from_secs(5),
};

/// New accounts from one address.
pub const REGISTRATIONS: Limit = Limit {
    capacity: 1000,
    period: Duration::from_millis(100),
};

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
    take(&state.registrations, address.ip())?;
    let hashed = state
        .hashing
        .run(address.ip(), move || hash_password(&password));
    let hash = hashed.await?.ok_or_else(|| {
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
    let Json(credentials) = body?;
    let key = (address.ip(), credentials.name.to_lowercase());
    // Before the password is looked at, or as many guesses as come together would all be let in.
    take(&state.sign_in_failures, key.clone())?;
    let whose = whose(&state, address.ip(), credentials).await;
    if !matches!(whose, Ok(None)) {
        lock(&state.sign_in_failures).give_back(&key);
    }
    match whose? {
        Some(user) => sign_in_as(&state, user).await,
        None => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::WrongPassword,
            "Wrong name or password.",
        )),
    }
}

/// Whose name and password these are; nobody's where they are wrong.
async fn whose(
    state: &AppState,
    address: IpAddr,
    Credentials { name, password }: Credentials,
) -> Result<Option<User>, Refusal> {
    // What no account can have need not be looked up, but is answered like any other wrong guess.
    let possible = name_problem(&name).is_none() && password_problem(&password).is_none();
    let found = match possible {
        true => state.store.user_by_name(&name).await?,
        false => None,
    };
    let (user, hash) = found.unzip();
    let verify = move || verify_password(&password, hash.flatten().as_deref());
    let right = state.hashing.run(address, verify).await?;
    Ok(user.filter(|_| right))
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

fn take<K: Eq + std::hash::Hash>(buckets: &SharedBuckets<K>, key: K) -> Result<(), Refusal> {
    lock(buckets)
        .take(key, Instant::now())
        .map_err(Refusal::too_many_attempts)
}

/// Who is throttled for wrong passwords.
pub type SignInKey = (IpAddr, String);
