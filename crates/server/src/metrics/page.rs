//! `GET /metrics`, and who may read it.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use vireo_protocol::ErrorCode;

use super::{database_answered, request_answered, written};
use crate::host::{is_this_computer, reached_by};
use crate::refusal::Refusal;
use crate::state::AppState;

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`: for programs on this computer, or with the token where the server has been given one.
pub async fn page(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let allowed = match &state.metrics_token {
        Some(token) => is_bearer(&headers, token),
        None => is_local(from.ip(), &headers),
    };
    if !allowed {
        let sentence = "The server's numbers are for its operator: ask from the server itself, or with the token.";
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            ErrorCode::Unauthorized,
            sentence,
        ));
    }
    let asked = Instant::now();
    // A database that fails is to be seen in the numbers, not to hide them.
    if state.store.check().await.is_ok() {
        database_answered(asked.elapsed());
    }
    Ok(([(CONTENT_TYPE, FORMAT)], written()).into_response())
}

fn is_bearer(headers: &HeaderMap, token: &str) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer "));
    // Hashes are compared, so that the time it takes tells nothing of the token.
    given.is_some_and(|given| Sha256::digest(given) == Sha256::digest(token))
}

/// Whether it comes from this computer and not through a proxy on it: such a one says so, or asks for another host.
fn is_local(from: IpAddr, headers: &HeaderMap) -> bool {
    let passed_on = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let host = reached_by(headers);
    let host_is_local = host.is_some_and(|host| is_this_computer(&host));
    from.to_canonical().is_loopback() && host_is_local && !passed_on
}

/// Counts every request, by the route that took it and the status of the answer.
pub async fn count_request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("other", MatchedPath::as_str).to_owned();
    let answer = next.run(request).await;
    request_answered(&route, answer.status().as_u16());
    answer
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;
    use axum::http::header::HOST;

    use super::*;

    fn local(from: &str, headers: &[(HeaderName, &str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| {
            let value = value.parse().expect("a header's value");
            (name.clone(), value)
        });
        is_local(from.parse().expect("an address"), &headers.collect())
    }

    #[test]
    fn only_this_computer_itself_is_local() {
        for host in ["localhost:1", "127.0.0.1:1", "[::1]:1"] {
            assert!(local("127.0.0.1", &[(HOST, host)]), "{host}");
        }
        assert!(local("::ffff:127.0.0.1", &[(HOST, "localhost")]));
        assert!(!local("192.0.2.1", &[(HOST, "localhost")]));
        assert!(!local("127.0.0.1", &[]));
        assert!(
            !local("127.0.0.1", &[(HOST, "vireo.example")]),
            "a proxy keeps the name"
        );
        let forwarded = HeaderName::from_static("x-forwarded-for");
        assert!(!local(
            "127.0.0.1",
            &[(HOST, "localhost"), (forwarded, "192.0.2.1")]
        ));
        assert!(!local(
            "127.0.0.1",
            &[(HOST, "localhost"), (FORWARDED, "for=192.0.2.1")]
        ));
    }

    #[test]
    fn the_token_has_to_be_the_one() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().expect("a header's value"));
            is_bearer(&headers, "north")
        };
        assert!(with("Bearer north"));
        for wrong in ["Bearer south", "Bearer ", "north", "Basic north"] {
            assert!(!with(wrong), "{wrong}");
        }
        assert!(!is_bearer(&HeaderMap::new(), "north"));
    }
}
