//! What people show of themselves, and the pictures of others.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use vireo_protocol::{ErrorCode, Profile, ProfileChange, UserId, display_name};

use super::sign_in::bad_request;
use super::{Caller, Input, not_found, take};
use crate::avatar::{AvatarError, rewrite};
use crate::rate::Limit;
use crate::refusal::Refusal;
use crate::state::AppState;

/// Changes of one's profile, each of which is told to all contacts.
pub const PROFILE_CHANGES: Limit = Limit {
    capacity: 10,
    period: Duration::from_secs(30),
};

/// Pictures are read one after the other: each takes some 40 MB at most, and a moment of a core. Nobody waits longer.
const TURN: Duration = Duration::from_secs(5);

/// `GET /api/profile`
pub async fn show(State(state): State<AppState>, caller: Caller) -> Result<Json<Profile>, Refusal> {
    let profile = state.store.profile(caller.id()).await?;
    profile.map(Json).ok_or_else(Refusal::unauthorized)
}

/// `PUT /api/profile`
pub async fn change(
    State(state): State<AppState>,
    caller: Caller,
    Input(change): Input<ProfileChange>,
) -> Result<Json<Profile>, Refusal> {
    let name = display_name(change.display_name.as_deref().unwrap_or_default())
        .map_err(|problem| bad_request(ErrorCode::InvalidName, problem))?;
    take(&state.profile_changes, caller.id().clone())?;
    let store = &state.store;
    let seen_by = store.set_display_name(caller.id(), name.as_deref()).await?;
    changed(state, caller, seen_by).await
}

/// `PUT /api/profile/avatar`: the body is the file of a picture.
pub async fn set_avatar(
    State(state): State<AppState>,
    caller: Caller,
    file: Result<Bytes, BytesRejection>,
) -> Result<Json<Profile>, Refusal> {
    let file = file.map_err(|rejection| {
        let message = "A picture can be at most 256 KB large. Please choose a smaller one.";
        Refusal::new(rejection.status(), ErrorCode::InvalidPicture, message)
    })?;
    take(&state.profile_changes, caller.id().clone())?;
    let image = read(&state, file).await?;
    let etag = URL_SAFE_NO_PAD.encode(&Sha256::digest(&image)[..16]);
    let seen_by = state.store.set_avatar(caller.id(), &image, &etag).await?;
    changed(state, caller, seen_by).await
}

/// `DELETE /api/profile/avatar`
pub async fn remove_avatar(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<Profile>, Refusal> {
    take(&state.profile_changes, caller.id().clone())?;
    let seen_by = state.store.remove_avatar(caller.id()).await?;
    changed(state, caller, seen_by).await
}

/// `GET /api/users/{id}/avatar`: for the person's contacts, and those whom they have asked to become one. Everybody else
/// hears what they would hear of somebody who does not exist.
pub async fn avatar(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let found = state.store.avatar(&UserId(id), caller.id()).await?;
    let (image, etag) = found.ok_or_else(|| not_found("There is no such picture."))?;
    let etag = format!("\"{etag}\"");
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.trim_start_matches("W/") == etag
    });
    // Nobody between the server and this person may keep it, and this person asks whether it is still the same.
    let about = [(ETAG, etag.as_str()), (CACHE_CONTROL, "private, no-cache")];
    let what = [
        (CONTENT_TYPE, "image/jpeg"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok(match is_known {
        true => (StatusCode::NOT_MODIFIED, about).into_response(),
        false => (about, what, image).into_response(),
    })
}

/// Tells those who see it, and answers.
async fn changed(
    state: AppState,
    caller: Caller,
    seen_by: Vec<UserId>,
) -> Result<Json<Profile>, Refusal> {
    for viewer in seen_by {
        state.tell_of(&viewer, caller.id()).await?;
    }
    show(State(state), caller).await
}

/// Decodes the picture and writes it anew, away from where requests are answered.
async fn read(state: &AppState, file: Bytes) -> Result<Vec<u8>, Refusal> {
    let turn = tokio::time::timeout(TURN, state.pictures.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        let message =
            "Too many pictures are being read at this moment. Please try again in a few seconds.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        return Err(Refusal::new(status, ErrorCode::RateLimited, message).retry_after(TURN));
    };
    let work = move || {
        let image = rewrite(&file);
        // Not before the work is done, even where nobody waits for it any more.
        drop(turn);
        image
    };
    // A decoder that panics has read something broken.
    let image = tokio::task::spawn_blocking(work).await;
    let image = image.unwrap_or(Err(AvatarError::Unreadable));
    image.map_err(|error| bad_request(ErrorCode::InvalidPicture, &error.to_string()))
}
