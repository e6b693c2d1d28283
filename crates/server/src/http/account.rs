//! The account itself: its password, and its end.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use vireo_protocol::{AccountDeletion, ErrorCode, PasswordChange, password_problem};

use super::sign_in::{bad_request, check_password, new_password_hash};
use super::{Caller, Input};
use crate::refusal::Refusal;
use crate::state::AppState;

/// `POST /api/account/password`: the person's other sessions end.
pub async fn change_password(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    caller: Caller,
    Input(change): Input<PasswordChange>,
) -> Result<StatusCode, Refusal> {
    if let Some(problem) = password_problem(&change.new_password) {
        return Err(bad_request(ErrorCode::InvalidPassword, problem));
    }
    let name = &caller.0.account.user.name;
    check_password(&state, address.ip(), name, change.old_password).await?;
    let hash = new_password_hash(&state, address.ip(), change.new_password).await?;
    let ended = state
        .store
        .set_password(caller.id(), &hash, Some(&caller.0.session))
        .await?;
    for session in &ended {
        state.end_session(session).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/account/delete`: contacts hear of it, and all sessions end.
pub async fn delete(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    caller: Caller,
    Input(AccountDeletion { password }): Input<AccountDeletion>,
) -> Result<StatusCode, Refusal> {
    let name = &caller.0.account.user.name;
    check_password(&state, address.ip(), name, password).await?;
    let departure = state.store.delete_user(caller.id()).await?;
    state.depart(departure).await?;
    Ok(StatusCode::NO_CONTENT)
}
