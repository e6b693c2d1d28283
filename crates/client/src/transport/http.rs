//! One request over HTTP, on a connection of its own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::time::timeout;
use vireo_protocol::HttpError;

use super::Transport;
use crate::ClientError;

/// How long the server may take for an answer, the connection included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a server answers.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

/// What a request carries.
#[derive(Clone)]
pub(crate) enum Content {
    Nothing,
    Json(Vec<u8>),
    /// The file of a picture, in whatever format.
    Picture(Vec<u8>),
}

impl Answer {
    /// Whether the server has done what it was asked.
    ///
    /// # Errors
    /// As [`Answer::read`].
    pub fn succeeded(&self, subject: &str) -> Result<(), ClientError> {
        if self.status.is_success() {
            return Ok(());
        }
        let refused = serde_json::from_slice::<HttpError>(&self.body);
        Err(refused.map_or(ClientError::NotAVireoServer, |error| {
            ClientError::from_code(error.code, error.message, subject)
        }))
    }

    /// What the answer holds.
    ///
    /// # Errors
    /// What the server says, `subject` being the name that the request was about; [`ClientError::NotAVireoServer`].
    pub fn read<T: serde::de::DeserializeOwned>(&self, subject: &str) -> Result<T, ClientError> {
        self.succeeded(subject)?;
        serde_json::from_slice(&self.body).map_err(|_| ClientError::NotAVireoServer)
    }
}

impl Transport {
    /// `POST`s this as JSON; with the token of whoever is signed in.
    ///
    /// # Errors
    /// As [`Transport::connect`], and [`ClientError::NotAVireoServer`].
    pub async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Answer, ClientError> {
        let body = serde_json::to_vec(body).expect("messages are plain data");
        let content = Content::Json(body);
        self.request(Method::POST, path, token, content).await
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// As [`Transport::post`].
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        content: Content,
    ) -> Result<Answer, ClientError> {
        let url = self.url(path);
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let mut request = Request::builder()
            .method(method)
            .uri(&url[url::Position::BeforePath..])
            .header(HOST, authority);
        let (kind, body) = match content {
            Content::Nothing => (None, Vec::new()),
            Content::Json(json) => (Some("application/json"), json),
            Content::Picture(file) => (Some("application/octet-stream"), file),
        };
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        // What cannot stand in a header is no token of this server's.
        let request = request.body(Full::from(body));
        let request = request.map_err(|_| ClientError::SignedOut)?;
        let answered = timeout(ANSWER_TIMEOUT, self.exchange(request)).await;
        answered.unwrap_or(Err(ClientError::ServerUnreachable))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(refusal)?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(refusal)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await;
            let body = body.map_err(|_| ClientError::ServerUnreachable)?;
            Ok(Answer {
                status,
                body: body.to_bytes(),
            })
        };
        // The connection ends once the answer is read and nobody is left to ask for more.
        let mut answered = std::pin::pin!(answered);
        tokio::select! {
            answer = &mut answered => answer,
            _ = connection => answered.await,
        }
    }
}

fn refusal(error: hyper::Error) -> ClientError {
    match error.is_parse() {
        true => ClientError::NotAVireoServer,
        false => ClientError::ServerUnreachable,
    }
}
