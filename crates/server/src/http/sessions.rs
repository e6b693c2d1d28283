//! The devices that somebody is signed in on.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use vireo_protocol::{RefreshToken, SessionId, SessionInfo, SessionList};

use super::{Caller, Input, not_found};
use crate::refusal::Refusal;
use crate::secrets::token_hash;
use crate::state::AppState;

/// `GET /api/sessions`
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<SessionList>, Refusal> {
    let rows = state.store.sessions(caller.id()).await?;
    let info = |row: crate::store::SessionRow| SessionInfo {
        current: row.id == caller.0.session,
        id: row.id,
        device: row.device,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    };
    let sessions = rows.into_iter().map(info).collect();
    Ok(Json(SessionList { sessions }))
}

/// `DELETE /api/sessions/{id}`
pub async fn end(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let session = SessionId(id);
    if !state.store.end_session(Some(caller.id()), &session).await? {
        return Err(not_found(
            "There is no such session, or it has ended already.",
        ));
    }
    state.end_session(&session).await;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/sign-out`: the same whether the session stood or not, so that doing it twice is no error.
pub async fn sign_out(
    State(state): State<AppState>,
    Input(RefreshToken { refresh_token }): Input<RefreshToken>,
) -> Result<StatusCode, Refusal> {
    let ended = state
        .store
        .end_session_of(&token_hash(&refresh_token))
        .await?;
    if let Some(session) = ended {
        state.end_session(&session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
