//! What the client asks its server over plain HTTP.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vireo_protocol::HttpError;

use crate::ClientError;

/// How long the server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A question to the server at this address; `path` lies below it.
///
/// # Errors
/// [`ClientError::InvalidServer`].
pub(crate) fn request(
    server: &str,
    method: Method,
    path: &str,
) -> Result<RequestBuilder, ClientError> {
    let url = server_url(server)?
        .join(path)
        .expect("a path is a valid reference");
    let client = reqwest::Client::builder()
        .timeout(ANSWER_TIMEOUT)
        // A server on this computer or in this house is not reached through a proxy.
        .no_proxy()
        .build()
        .map_err(|_| ClientError::ServerUnreachable)?;
    Ok(client.request(method, url))
}

/// Asks with a body of JSON, and reads the answer. `subject` is the name that the question is about, for the error's sentence.
pub(crate) async fn post<T: DeserializeOwned>(
    server: &str,
    path: &str,
    body: &impl Serialize,
    subject: &str,
) -> Result<T, ClientError> {
    read(send(request(server, Method::POST, path)?.json(body), subject).await?).await
}

/// Asks. What the server refuses is an error.
pub(crate) async fn send(request: RequestBuilder, subject: &str) -> Result<Response, ClientError> {
    let response = request.send().await;
    let response = response.map_err(|_| ClientError::ServerUnreachable)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let body = response.bytes().await;
    let body = body.map_err(|_| ClientError::ServerUnreachable)?;
    let refused = serde_json::from_slice::<HttpError>(&body);
    Err(refused.map_or(ClientError::NotAVireoServer, |error| {
        ClientError::from_code(error.code, error.message, subject)
    }))
}

/// Reads an answer of JSON.
pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let body = response.bytes().await;
    let body = body.map_err(|_| ClientError::ServerUnreachable)?;
    serde_json::from_slice(&body).map_err(|_| ClientError::NotAVireoServer)
}

/// The server's address with a path that ends in a slash, so that paths below it can be joined.
pub(crate) fn server_url(server: &str) -> Result<Url, ClientError> {
    let invalid = || ClientError::InvalidServer(server.to_owned());
    let mut url = Url::parse(server.trim()).map_err(|_| invalid())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(invalid());
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        let url = |text| server_url(text).map(String::from);
        assert_eq!(
            url("http://127.0.0.1:7777"),
            Ok("http://127.0.0.1:7777/".to_owned())
        );
        assert_eq!(
            url(" http://host/vireo?x#y "),
            Ok("http://host/vireo/".to_owned())
        );
        for wrong in ["", "127.0.0.1:7777", "ftp://host", "http://", "no address"] {
            assert_eq!(
                url(wrong),
                Err(ClientError::InvalidServer(wrong.to_owned()))
            );
        }
    }
}
