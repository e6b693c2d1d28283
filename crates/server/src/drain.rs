//! Leaving without anybody noticing much: before the server stops, it takes nobody new and sends those who are there to where
//! the service goes on, one after another.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use vireo_protocol::ErrorCode;

use crate::refusal::Refusal;
use crate::state::AppState;

/// Over how long the connections are closed when nothing else is said.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(3);

/// When to come back: another instance, or the next process, is there as good as at once.
const COME_BACK_IN: Duration = Duration::from_secs(1);

/// `GET /api/ready`: whether new connections are welcome here. Whoever spreads them over instances asks this.
pub async fn ready(State(state): State<AppState>) -> Result<Json<Value>, Refusal> {
    check(&state)?;
    state.store.check().await?;
    Ok(Json(json!({ "status": "ready" })))
}

/// Nothing while new connections are welcome.
///
/// # Errors
/// When the server is about to stop.
pub fn check(state: &AppState) -> Result<(), Refusal> {
    match state.draining.is_cancelled() {
        false => Ok(()),
        true => Err(stopping()),
    }
}

fn stopping() -> Refusal {
    let sentence = "The server is stopping. Please try again in a moment.";
    let refusal = Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Stopping,
        sentence,
    );
    refusal.retry_after(COME_BACK_IN)
}

/// Returns when it is this connection's turn to be closed: at a random time of the drain, or at once when the server stops.
pub async fn turn_to_leave(state: &AppState) {
    state.draining.cancelled().await;
    let wait = state.drain.mul_f64(rand::random());
    // On the heap, so that it costs idle connections nothing.
    let _ = Box::pin(timeout(wait, state.stopping.cancelled())).await;
}

/// Takes nobody new and waits until everybody has gone, or the time is over.
pub async fn drain(state: &AppState) {
    tracing::info!("the server takes no new connections and closes those it has");
    state.draining.cancel();
    state.connections.close();
    let gone = async {
        tokio::join!(state.connections.wait(), answer_once_more(state));
    };
    let _ = timeout(state.drain + COME_BACK_IN, gone).await;
}

/// Those who spread connections need a moment to notice that nobody is welcome here any more.
async fn answer_once_more(state: &AppState) {
    if !state.drain.is_zero() && !state.connections.is_empty() {
        sleep(state.drain.min(COME_BACK_IN)).await;
    }
}
