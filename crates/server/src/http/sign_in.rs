//! Registering, signing in, and staying signed in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use vireo_protocol::{
    Credentials, ErrorCode, RefreshToken, Registration, SignedIn, User, device_name, name_problem,
    password_problem,
};

use super::invites::{introduce, valid};
use super::{Input, take};
use crate::places::network;
use crate::rate::Limit;
use crate::refusal::Refusal;
use crate::secrets::{hash_password, new_token, token_hash, verify_password};
use crate::state::{AppState, lock};
use crate::store::{Holder, Refreshed};
use crate::tokens::ACCESS_TOKEN_LIFETIME;

/// Wrong passwords for one name from one address: ten at once, then one every five seconds, however many come together.
/// Right ones cost nothing, and another address is not held up, so that nobody can lock somebody else out for long.
pub const SIGN_IN_FAILURES: Limit = Limit {
    capacity: 10,
    period: Duration::from_secs(5),
};

/// New accounts from one address. Behind one there may be a whole company on its first day; who has no invite gets in only
/// where registration is open, and what it costs to hash the passwords is bounded elsewhere (`hashing`).
pub const REGISTRATIONS: Limit = Limit {
    capacity: 1000,
    period: Duration::from_millis(100),
};

/// Refresh tokens that are looked at for one address. Behind one there may be a whole company whose server was restarted.
pub const REFRESHES: Limit = Limit {
    capacity: 2000,
    period: Duration::from_millis(5),
};

/// Who is throttled for wrong passwords.
pub type SignInKey = (IpAddr, String);

/// `POST /api/register`
pub async fn register(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Input(registration): Input<Registration>,
) -> Result<(StatusCode, Json<SignedIn>), Refusal> {
    let Registration {
        name,
        password,
        device,
        invite,
    } = registration;
    if invite.is_none() && state.needs_invite(address.ip()) {
        let message = "This server does not accept new accounts without an invite.";
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            ErrorCode::RegistrationClosed,
            message,
        ));
    }
    if let Some(problem) = name_problem(&name) {
        return Err(bad_request(ErrorCode::InvalidName, problem));
    }
    if let Some(problem) = password_problem(&password) {
        return Err(bad_request(ErrorCode::InvalidPassword, problem));
    }
    take(&state.registrations, network(address.ip()))?;
    // Before the password is hashed, which is work.
    if let Some(token) = &invite {
        valid(&state, token).await?;
    }
    let hash = new_password_hash(&state, address.ip(), password).await?;
    let user = match invite {
        Some(token) => join(&state, &name, &hash, &token).await?,
        None => state.store.add_user(&name, &hash).await?,
    };
    let signed_in = open_session(&state, user, &device).await?;
    Ok((StatusCode::CREATED, signed_in))
}

/// Makes an account by an invite, and introduces the two to each other.
async fn join(state: &AppState, name: &str, hash: &str, invite: &str) -> Result<User, Refusal> {
    let token_hash = token_hash(invite);
    let store = &state.store;
    let (user, inviter) = store.add_invited_user(name, hash, &token_hash).await?;
    if let Some(inviter) = inviter {
        introduce(state, &user.id, &inviter).await?;
    }
    Ok(user)
}

/// `POST /api/sign-in`
pub async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Input(credentials): Input<Credentials>,
) -> Result<Json<SignedIn>, Refusal> {
    let Credentials {
        name,
        password,
        device,
    } = credentials;
    let user = check_password(&state, address.ip(), &name, password).await?;
    open_session(&state, user, &device).await
}

/// `POST /api/refresh`
pub async fn refresh(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Input(RefreshToken { refresh_token }): Input<RefreshToken>,
) -> Result<Json<SignedIn>, Refusal> {
    take(&state.refreshes, network(address.ip()))?;
    let next = new_token();
    let (old_hash, next_hash) = (token_hash(&refresh_token), token_hash(&next));
    match state.store.refresh(&old_hash, &next_hash).await? {
        Refreshed::Done(holder) => Ok(signed_in(&state, holder, next)),
        Refreshed::Reused(session) => {
            tracing::warn!("a refresh token was used twice; its session has ended");
            state.end_session(&session).await;
            Err(Refusal::unauthorized())
        }
        Refreshed::Unknown => Err(Refusal::unauthorized()),
    }
}

/// Whose name and password these are. Somebody who guesses is slowed down.
///
/// # Errors
/// Status 401 where they are wrong, 429 after too many guesses.
pub async fn check_password(
    state: &AppState,
    address: IpAddr,
    name: &str,
    password: String,
) -> Result<User, Refusal> {
    let key = (network(address), name.to_lowercase());
    // Before the password is looked at, or as many guesses as come together would all be let in.
    take(&state.sign_in_failures, key.clone())?;
    let whose = whose(state, address, name, password).await;
    if !matches!(whose, Ok(None)) {
        lock(&state.sign_in_failures).give_back(&key);
    }
    whose?.ok_or_else(|| {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::WrongPassword,
            "Wrong name or password.",
        )
    })
}

/// Whose name and password these are; nobody's where they are wrong.
async fn whose(
    state: &AppState,
    address: IpAddr,
    name: &str,
    password: String,
) -> Result<Option<User>, Refusal> {
    // What no account can have need not be looked up, but is answered like any other wrong guess.
    let possible = name_problem(name).is_none() && password_problem(&password).is_none();
    let found = match possible {
        true => state.store.user_by_name(name).await?,
        false => None,
    };
    let (user, hash) = found.unzip();
    let verify = move || verify_password(&password, hash.flatten().as_deref());
    let right = state.hashing.run(network(address), verify).await?;
    Ok(user.filter(|_| right))
}

/// What to keep of a new password.
///
/// # Errors
/// Status 503 where too many are being made.
pub async fn new_password_hash(
    state: &AppState,
    address: IpAddr,
    password: String,
) -> Result<String, Refusal> {
    let hash = move || hash_password(&password);
    let hashed = state.hashing.run(network(address), hash).await?;
    hashed.ok_or_else(Refusal::internal)
}

/// A request that breaks a rule.
pub fn bad_request(code: ErrorCode, message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}

async fn open_session(
    state: &AppState,
    user: User,
    device: &str,
) -> Result<Json<SignedIn>, Refusal> {
    let refresh_token = new_token();
    let hash = token_hash(&refresh_token);
    let session = state
        .store
        .open_session(&user.id, &device_name(device), &hash)
        .await?;
    let holder = state.store.session_holder(&session).await?;
    let holder = holder.ok_or_else(Refusal::unauthorized)?;
    Ok(signed_in(state, holder, refresh_token))
}

fn signed_in(state: &AppState, holder: Holder, refresh_token: String) -> Json<SignedIn> {
    let Holder {
        session,
        account,
        role,
        ..
    } = holder;
    let lifetime = ACCESS_TOKEN_LIFETIME.as_secs();
    Json(SignedIn {
        access_token: state.tokens.issue(&account.user.id, &session, role),
        refresh_token,
        expires_in_seconds: u32::try_from(lifetime).unwrap_or(u32::MAX),
        user: account.user,
    })
}
