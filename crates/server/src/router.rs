//! Every address the server answers.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post, put};

use vireo_protocol::MAX_AVATAR_BYTES;

use crate::http::{account, health, invites, profile, sessions, sign_in, users};
use crate::state::AppState;
use crate::{drain, invite_page, metrics, origin, refusal, socket};

/// Far more than a name and a password need.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The server as a service. It has to be served with the peers' addresses (`into_make_service_with_connect_info`).
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/api/register", post(sign_in::register))
        .route("/api/sign-in", post(sign_in::sign_in))
        .route("/api/refresh", post(sign_in::refresh))
        .route("/api/sign-out", post(sessions::sign_out))
        .route("/api/sessions", get(sessions::list))
        .route("/api/sessions/{id}", delete(sessions::end))
        .route("/api/account/password", post(account::change_password))
        .route("/api/account/delete", post(account::delete))
        .route("/api/invites", post(invites::create).get(invites::list))
        .route("/api/invites/look", post(invites::look))
        .route("/api/invites/redeem", post(invites::redeem))
        .route("/api/invites/{id}", delete(invites::revoke))
        .route("/i", get(invite_page::page))
        .route("/api/profile", get(profile::show).put(profile::change))
        .route(
            "/api/profile/avatar",
            put(profile::set_avatar)
                .layer(DefaultBodyLimit::max(MAX_AVATAR_BYTES))
                .delete(profile::remove_avatar),
        )
        .route("/api/users", get(users::list))
        .route("/api/users/{id}/avatar", get(profile::avatar))
        .route("/api/users/{id}/role", put(users::set_role))
        .route("/api/users/{id}/sessions", delete(users::sign_out))
        .route("/api/health", get(health::health))
        .route("/api/ready", get(drain::ready))
        .route("/api/ws", get(socket::upgrade))
        .route("/metrics", get(metrics::page))
        .fallback(refusal::nothing_here)
        .method_not_allowed_fallback(refusal::wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(origin::check_origin))
        .layer(from_fn(metrics::count_request))
        .with_state(state)
}
