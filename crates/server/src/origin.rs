//! Which web pages may use the server. A browser names the page in `Origin`; without this check any page a person visits
//! could talk to the server on their own computer. Programs that are no browsers send none, and need a token anyway.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use vireo_protocol::ErrorCode;

use crate::refusal::Refusal;

/// Refuses pages from elsewhere, and tells browsers that the others may read the answers.
pub async fn check_origin(request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else {
        return next.run(request).await;
    };
    if !origin.to_str().is_ok_and(is_allowed) {
        let message = "This web page may not use this Vireo server.";
        return Refusal::new(StatusCode::FORBIDDEN, ErrorCode::Unauthorized, message)
            .into_response();
    }
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, DELETE"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, authorization"),
    );
    headers.insert(VARY, HeaderValue::from_static("origin"));
    response
}

/// The application's own window, and pages served from this computer.
fn is_allowed(origin: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    match scheme {
        "tauri" => host == "localhost",
        "http" | "https" => {
            matches!(
                host,
                "localhost" | "127.0.0.1" | "[::1]" | "tauri.localhost"
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn pages_of_this_computer_are_allowed() {
        for origin in [
            "tauri://localhost",
            "http://tauri.localhost",
            "https://tauri.localhost",
            "http://localhost",
            "http://localhost:1420",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://[::1]",
        ] {
            assert!(is_allowed(origin), "{origin}");
        }
    }

    #[test]
    fn others_are_not() {
        for origin in [
            "",
            "null",
            "https://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com:80",
            "http://localhost:80.example.com",
            "http://example.com#localhost",
            "file://",
            "chrome-extension://localhost",
            "http://localhost:",
        ] {
            assert!(!is_allowed(origin), "{origin}");
        }
    }
}
