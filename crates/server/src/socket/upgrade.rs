//! The handshake (RFC 6455 §4.2), and what a connection then is.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use vireo_protocol::{ErrorCode, MAX_MESSAGE_BYTES, SUBPROTOCOL};

use crate::refusal::Refusal;
use crate::wire::Strict;

/// A message longer than [`MAX_MESSAGE_BYTES`] gets an answer that says so; one longer than this is not even read.
const MAX_READ_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// Enough for most messages, and read anew for the rest of a longer one. The default of 128 KB for each connection would be
/// most of what an idle one costs.
const READ_BUFFER_BYTES: usize = 512;

/// So much may be written before it goes out, so that what is to be said at once is said in one piece; without anything to
/// say a connection holds next to nothing of it.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// A connection whose handshake is over.
pub type Socket = WebSocketStream<Strict<TokioIo<Upgraded>>>;

/// A request that is one for a WebSocket.
#[derive(Debug)]
pub struct Upgrade {
    response: Response,
    upgraded: OnUpgrade,
}

impl Upgrade {
    /// The answer that grants it. Once the client has it, `serve` gets the connection.
    pub fn grant(self, serve: impl FnOnce(Socket) + Send + 'static) -> Response {
        tokio::spawn(async move {
            // A client that has gone meanwhile needs no connection.
            if let Ok(upgraded) = self.upgraded.await {
                serve(socket(upgraded).await);
            }
        });
        self.response
    }
}

/// Every connection is read and written like this.
async fn socket(upgraded: Upgraded) -> Socket {
    let stream = Strict::new(TokioIo::new(upgraded));
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_READ_BYTES))
        .max_frame_size(Some(MAX_READ_BYTES))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES);
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

impl<S: Sync> FromRequest<S> for Upgrade {
    type Rejection = Refusal;

    async fn from_request(mut request: Request, _state: &S) -> Result<Self, Refusal> {
        let response = create_response_with_body(&request, Body::empty);
        let mut response = response.map_err(|error| refusal(status(&error)))?;
        let upgraded = request.extensions_mut().remove::<OnUpgrade>();
        let upgraded = upgraded.ok_or_else(|| refusal(StatusCode::UPGRADE_REQUIRED))?;
        if offers(request.headers(), SUBPROTOCOL) {
            let protocol = HeaderValue::from_static(SUBPROTOCOL);
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        Ok(Self { response, upgraded })
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Protocol(ProtocolError::WrongHttpMethod) => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn refusal(status: StatusCode) -> Refusal {
    let message = "This address is for WebSockets only.";
    Refusal::new(status, ErrorCode::InvalidMessage, message)
}

/// Whether the client would speak this subprotocol.
fn offers(headers: &HeaderMap, protocol: &str) -> bool {
    let lists = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    offered.any(|offered| offered.trim_ascii() == protocol.as_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::Version;
    use axum::response::IntoResponse as _;

    use super::*;

    fn request() -> Request {
        let request = Request::builder()
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.body(Body::empty()).expect("a request")
    }

    async fn refused(request: Request) -> u16 {
        let refusal = Upgrade::from_request(request, &()).await;
        let refusal = refusal.expect_err("no request here has a connection");
        refusal.into_response().status().as_u16()
    }

    #[tokio::test]
    async fn what_asks_for_something_else_is_refused() {
        // All that is missing is the connection.
        assert_eq!(refused(request()).await, 426);
        let other: [(&str, &[&str]); 4] = [
            ("connection", &["", "close"]),
            ("upgrade", &["", "h2c"]),
            ("sec-websocket-version", &["", "8"]),
            (
                "sec-websocket-key",
                &["", "c2hvcnQ=", "!!!!!!!!!!!!!!!!!!!!!!!!"],
            ),
        ];
        for (name, values) in other {
            let mut without = request();
            without.headers_mut().remove(name);
            assert_eq!(refused(without).await, 400, "{name}");
            for value in values {
                let mut with = request();
                let value = HeaderValue::from_static(value);
                with.headers_mut().insert(name, value);
                assert_eq!(refused(with).await, 400, "{name}");
            }
        }
        let mut head = request();
        *head.method_mut() = axum::http::Method::HEAD;
        assert_eq!(refused(head).await, 405);
        let mut old = request();
        *old.version_mut() = Version::HTTP_10;
        assert_eq!(refused(old).await, 400);
    }

    #[test]
    fn a_subprotocol_is_one_of_a_list_or_of_several() {
        let mut headers = HeaderMap::new();
        let mut add = |list| {
            let list = HeaderValue::from_static(list);
            headers.append(SEC_WEBSOCKET_PROTOCOL, list);
            offers(&headers, "vireo")
        };
        assert!(!add("vireo.token.x,vireos ,, Vireo"));
        assert!(add("other , vireo"));
    }
}
