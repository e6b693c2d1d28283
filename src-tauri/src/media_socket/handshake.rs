//! What a connection must bring: the application's own origin, and a fresh token.

use tokio_tungstenite::tungstenite::{
    handshake::server::{ErrorResponse, Request, Response},
    http::{HeaderValue, StatusCode, header},
};

use super::tokens::Tokens;

/// The subprotocol that both sides name; the token is the second one that the web view offers.
pub const SUBPROTOCOL: &str = "vireo-media";

/// The origins that Tauri gives the application's own pages: on Linux and macOS, and on Windows.
const ORIGINS: [&str; 3] = [
    "tauri://localhost",
    "http://tauri.localhost",
    "https://tauri.localhost",
];

/// Lets the application's own window in and nobody else.
pub fn check(
    request: &Request,
    mut response: Response,
    tokens: &Tokens,
) -> Result<Response, Box<ErrorResponse>> {
    let header = |name| request.headers().get(name).and_then(|v| v.to_str().ok());
    if !header(header::ORIGIN).is_some_and(|origin| ORIGINS.contains(&origin)) {
        return Err(refusal("another origin"));
    }
    let offered = header(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let mut offered = offered.split(',').map(str::trim);
    if offered.next() != Some(SUBPROTOCOL) || !offered.next().is_some_and(|t| tokens.redeem(t)) {
        return Err(refusal("no valid token"));
    }
    let chosen = HeaderValue::from_static(SUBPROTOCOL);
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    Ok(response)
}

fn refusal(why: &'static str) -> Box<ErrorResponse> {
    tracing::warn!(why, "a media connection was refused");
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = StatusCode::FORBIDDEN;
    Box::new(response)
}
