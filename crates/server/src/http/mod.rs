//! What is asked over plain HTTP, by subject. Every request but signing in and what leads to it names its session by an
//! access token; the database is asked each time whether that session still stands.

pub mod account;
pub mod health;
pub mod invites;
pub mod profile;
pub mod sessions;
pub mod sign_in;
pub mod users;

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use vireo_protocol::{ErrorCode, Role, TOKEN_SUBPROTOCOL_PREFIX, UserId};

use crate::rate::Limit;
use crate::refusal::Refusal;
use crate::state::{AppState, SharedBuckets, lock};
use crate::store::Holder;

/// Requests of one person: far more than anybody's hands can make.
pub const REQUESTS: Limit = Limit {
    capacity: 120,
    period: Duration::from_millis(100),
};

/// Whoever asks, by an access token whose session stands.
#[derive(Debug)]
pub struct Caller(pub Holder);

impl Caller {
    /// Who.
    pub fn id(&self) -> &UserId {
        &self.0.account.user.id
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        let caller = Self(holder(state, &parts.headers).await?);
        take(&state.requests, caller.id().clone())?;
        Ok(caller)
    }
}

/// Whoever asks is an administrator.
#[derive(Debug)]
pub struct Admin;

impl FromRequestParts<AppState> for Admin {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Refusal> {
        match Caller::from_request_parts(parts, state).await?.0.role {
            Role::Admin => Ok(Self),
            Role::Member => {
                let message = "Only an administrator of this server may do this.";
                Err(Refusal::new(
                    StatusCode::FORBIDDEN,
                    ErrorCode::Forbidden,
                    message,
                ))
            }
        }
    }
}

/// Whose session the access token among these headers names.
///
/// # Errors
/// Status 401 where there is none, or it is worth nothing (any more).
pub async fn holder(state: &AppState, headers: &HeaderMap) -> Result<Holder, Refusal> {
    let claims = token(headers).and_then(|token| state.tokens.read(token));
    let claims = claims.ok_or_else(Refusal::unauthorized)?;
    let holder = state.store.session_holder(&claims.sid).await?;
    holder.ok_or_else(Refusal::unauthorized)
}

/// The token, from `Authorization: Bearer` or, where a browser cannot set that, from the subprotocols.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(authorization) = headers.get(AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim());
    }
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TOKEN_SUBPROTOCOL_PREFIX))
}

/// A body of JSON.
#[derive(Debug)]
pub struct Input<T>(pub T);

impl<T, S> FromRequest<S> for Input<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// Takes a token out of this key's bucket.
///
/// # Errors
/// Status 429, with the time to wait.
pub fn take<K: Eq + std::hash::Hash>(buckets: &SharedBuckets<K>, key: K) -> Result<(), Refusal> {
    lock(buckets)
        .take(key, Instant::now())
        .map_err(Refusal::too_many_attempts)
}

/// Nothing of the kind, or none of the asking person's business.
pub fn not_found(message: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
}
