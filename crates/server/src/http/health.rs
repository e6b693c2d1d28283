//! Whether the server can serve.

use axum::Json;
use axum::extract::State;
use vireo_protocol::{Health, VERSION};

use crate::refusal::Refusal;
use crate::state::AppState;

/// `GET /api/health`
pub async fn health(State(state): State<AppState>) -> Result<Json<Health>, Refusal> {
    state.store.check().await?;
    Ok(Json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: VERSION,
    }))
}
