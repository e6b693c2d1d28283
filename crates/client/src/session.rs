//! Registering and signing in, over HTTP.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use vireo_protocol::{AuthResponse, Credentials, HttpError, User, name_problem, password_problem};

use crate::ClientError;

/// How long the server may take to answer a registration or a sign-in.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A signed-in account on a server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The server's address, such as `http://127.0.0.1:7777`.
    pub server: String,
    /// What the server knows the account by; a secret.
    pub token: String,
    /// Who it is.
    pub user: User,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session { .. }") // Neither the name nor the token belongs into a log.
    }
}

pub(crate) async fn register(
    server: &str,
    name: &str,
    password: &str,
) -> Result<Session, ClientError> {
    // The server checks the same rules; asking here saves the way.
    if let Some(problem) = name_problem(name).or_else(|| password_problem(password)) {
        return Err(ClientError::InvalidCredentials(problem.to_owned()));
    }
    authenticate(server, "api/register", name, password).await
}

pub(crate) async fn sign_in(
    server: &str,
    name: &str,
    password: &str,
) -> Result<Session, ClientError> {
    authenticate(server, "api/sign-in", name, password).await
}

async fn authenticate(
    server: &str,
    path: &str,
    name: &str,
    password: &str,
) -> Result<Session, ClientError> {
    let url = server_url(server)?
        .join(path)
        .expect("a path is a valid reference");
    let response = reqwest::Client::builder()
        .timeout(ANSWER_TIMEOUT)
        // A server on this computer or in this house is not reached through a proxy.
        .no_proxy()
        .build()
        .map_err(|_| ClientError::ServerUnreachable)?
        .post(url)
        .json(&Credentials {
            name: name.to_owned(),
            password: password.to_owned(),
        })
        .send()
        .await
        .map_err(|_| ClientError::ServerUnreachable)?;
    let success = response.status().is_success();
    let body = response
        .bytes()
        .await
        .map_err(|_| ClientError::ServerUnreachable)?;
    if !success {
        return Err(serde_json::from_slice::<HttpError>(&body)
            .map_or(ClientError::NotAVireoServer, |error| {
                ClientError::from_code(error.code, error.message, name)
            }));
    }
    let answer: AuthResponse =
        serde_json::from_slice(&body).map_err(|_| ClientError::NotAVireoServer)?;
    Ok(Session {
        server: server.to_owned(),
        token: answer.token,
        user: answer.user,
    })
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

    #[test]
    fn secrets_are_not_printed() {
        let session = Session {
            server: "http://host".to_owned(),
            token: "token".to_owned(),
            user: User {
                id: vireo_protocol::UserId("id".to_owned()),
                name: "Ann".to_owned(),
            },
        };
        assert_eq!(format!("{session:?}"), "Session { .. }");
    }
}
