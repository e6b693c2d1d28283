//! Invites, and what comes of them.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use vireo_protocol::{
    ErrorCode, InviteId, InviteInfo, InviteLink, InviteList, InviteLook, InviteRequest,
    InviteToken, MAX_INVITE_SECONDS, MAX_INVITE_USES, MIN_INVITE_SECONDS, NewInvite, Role, UserId,
};

use super::sign_in::bad_request;
use super::{Caller, Input, not_found, take};
use crate::host::authority;
use crate::places::network;
use crate::refusal::Refusal;
use crate::secrets::{new_token, token_hash};
use crate::state::AppState;
use crate::store::{InviteError, StoreError};

/// `POST /api/invites`
pub async fn create(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Input(request): Input<InviteRequest>,
) -> Result<(StatusCode, Json<NewInvite>), Refusal> {
    let InviteRequest {
        uses,
        expires_in_seconds: seconds,
    } = request;
    let bounded = (1..=MAX_INVITE_USES).contains(&uses)
        && (MIN_INVITE_SECONDS..=MAX_INVITE_SECONDS).contains(&seconds);
    if !bounded {
        let message = "An invite is for 1 to 100 people and lasts from a minute to 30 days.";
        return Err(bad_request(ErrorCode::InvalidMessage, message));
    }
    let token = new_token();
    let lasts = Duration::from_secs(seconds.into());
    let hash = token_hash(&token);
    let store = &state.store;
    let invite = store.create_invite(caller.id(), &hash, uses, lasts).await?;
    let server = state.found_from(authority(&headers).as_ref()).await;
    let link = InviteLink { server, token };
    let made = NewInvite {
        link: link.to_string(),
        token: link.token,
        invite,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// `GET /api/invites`: one's own; everybody's for an administrator.
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<InviteList>, Refusal> {
    let invites = state.store.invites(whose(&caller)).await?;
    Ok(Json(InviteList { invites }))
}

/// `DELETE /api/invites/{id}`
pub async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    match state
        .store
        .revoke_invite(whose(&caller), &InviteId(id))
        .await?
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(not_found(
            "There is no such invite, or it is of no more use.",
        )),
    }
}

/// `POST /api/invites/look`: for whoever has the token, signed in or not.
pub async fn look(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Input(InviteToken { token }): Input<InviteToken>,
) -> Result<Json<InviteLook>, Refusal> {
    take(&state.refreshes, network(address.ip()))?;
    let InviteInfo {
        inviter,
        expires_at,
        ..
    } = valid(&state, &token).await?;
    Ok(Json(InviteLook {
        server: state.name.clone(),
        inviter,
        expires_at,
    }))
}

/// `POST /api/invites/redeem`
pub async fn redeem(
    State(state): State<AppState>,
    caller: Caller,
    Input(InviteToken { token }): Input<InviteToken>,
) -> Result<StatusCode, Refusal> {
    let hash = token_hash(&token);
    let inviter = state.store.redeem_invite(caller.id(), &hash).await?;
    introduce(&state, caller.id(), &inviter).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The invite with this token.
///
/// # Errors
/// Status 404 where it cannot be used (any more).
pub async fn valid(state: &AppState, token: &str) -> Result<InviteInfo, Refusal> {
    let invite = state.store.look_invite(&token_hash(token)).await?;
    invite.ok_or_else(|| InviteError::Invalid.into())
}

/// Tells two people who have become contacts of each other, and the board that each may see the other.
pub async fn introduce(state: &AppState, one: &UserId, other: &UserId) -> Result<(), StoreError> {
    for user in [one, other] {
        state.watchers(user).await?;
    }
    for (user, about) in [(one, other), (other, one)] {
        state.tell_of(user, about).await?;
    }
    Ok(())
}

fn whose(caller: &Caller) -> Option<&UserId> {
    match caller.0.role {
        Role::Admin => None,
        Role::Member => Some(caller.id()),
    }
}

impl From<InviteError> for Refusal {
    fn from(error: InviteError) -> Self {
        let (status, code, message) = match error {
            InviteError::Store(error) => return error.into(),
            InviteError::Invalid => (
                StatusCode::NOT_FOUND,
                ErrorCode::InvalidInvite,
                "This invite is not valid any more. Please ask for a new one.",
            ),
            InviteError::Own => (
                StatusCode::CONFLICT,
                ErrorCode::OwnName,
                "This is your own invite. Give it to somebody else.",
            ),
            InviteError::TooMany => (
                StatusCode::CONFLICT,
                ErrorCode::TooManyInvites,
                "You have too many invites. Please revoke some first.",
            ),
            InviteError::NameTaken => (
                StatusCode::CONFLICT,
                ErrorCode::NameTaken,
                "This name is already taken. Please choose another one.",
            ),
        };
        Self::new(status, code, message)
    }
}
