//! A web server for the tests' own pages.

use std::net::Ipv4Addr;

use anyhow::Result;
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;

/// Serves `tests/pages/` (and more, if given) for as long as the runtime lives; returns `http://127.0.0.1:PORT`.
///
/// # Errors
/// When no port can be opened.
pub async fn serve(more: Router) -> Result<String> {
    serve_at(Ipv4Addr::LOCALHOST, more).await
}

/// The same at another address; returns `http://ADDRESS:PORT`.
///
/// # Errors
/// When no port can be opened.
pub async fn serve_at(address: Ipv4Addr, more: Router) -> Result<String> {
    let script = |text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, "text/javascript")], text).into_response())
    };
    let router = Router::new()
        .route(
            "/",
            get(async || Html("<!doctype html><meta charset=utf-8><title>Peer</title>")),
        )
        .route("/peer.js", script(include_str!("../pages/peer.js")))
        .route("/bench.js", script(include_str!("../pages/bench.js")))
        .route("/coded.js", script(include_str!("../pages/coded.js")))
        .merge(more);
    let listener = tokio::net::TcpListener::bind((address, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}
