//! What administrators see of everybody, and change.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use vireo_protocol::{RoleChange, UserId, UserList};

use super::{Admin, Input};
use crate::refusal::Refusal;
use crate::state::AppState;
use crate::store::AccountError;

/// So many people are listed at a time.
const PAGE: u32 = 200;

/// Where the list goes on.
#[derive(Debug, Deserialize)]
pub struct After {
    /// After this name.
    #[serde(default)]
    after: String,
}

/// `GET /api/users?after=NAME`
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Query(After { after }): Query<After>,
) -> Result<Json<UserList>, Refusal> {
    let users = state.store.people(&after, PAGE).await?;
    Ok(Json(UserList { users }))
}

/// `PUT /api/users/{id}/role`
pub async fn set_role(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<String>,
    Input(RoleChange { role }): Input<RoleChange>,
) -> Result<StatusCode, Refusal> {
    state.store.set_role(&UserId(id), role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/users/{id}/sessions`: the person is signed out everywhere.
pub async fn sign_out(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let user = UserId(id);
    if state.store.person(&user).await?.is_none() {
        return Err(AccountError::UnknownUser.into());
    }
    for session in state.store.end_sessions(&user, None).await? {
        state.end_session(&session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
