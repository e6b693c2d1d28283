//! What somebody who is signed in asks about their account, over HTTP: what they show of themselves, the devices they are
//! signed in on, their password, and the end of it all.

use hyper::{Method, StatusCode};
use serde::Serialize;
use vireo_protocol::{
    AccountDeletion, PasswordChange, Profile, ProfileChange, SessionId, SessionInfo, SessionList,
    password_problem,
};

use crate::transport::{Answer, Content, Transport};
use crate::{ClientError, Session};

impl Session {
    /// What the person shows of themselves.
    ///
    /// # Errors
    /// [`ClientError::SignedOut`], [`ClientError::ServerUnreachable`] and what else a server can say, here and below.
    pub async fn profile(&self) -> Result<Profile, ClientError> {
        let answer = self.ask(Method::GET, "api/profile", Content::Nothing).await;
        answer?.read("")
    }

    /// Shows another name; none: the name to sign in with.
    ///
    /// # Errors
    /// [`ClientError::InvalidCredentials`] for one that cannot be shown.
    pub async fn set_display_name(&self, name: Option<&str>) -> Result<Profile, ClientError> {
        let change = ProfileChange {
            display_name: name.map(str::to_owned),
        };
        let answer = self.ask(Method::PUT, "api/profile", json(&change)).await;
        answer?.read("")
    }

    /// Shows another picture: a PNG, JPEG or WebP file of at most 256 KB, which the server cuts to a square.
    ///
    /// # Errors
    /// [`ClientError::InvalidPicture`].
    pub async fn set_avatar(&self, file: Vec<u8>) -> Result<Profile, ClientError> {
        let picture = Content::Picture(file);
        let answer = self.ask(Method::PUT, "api/profile/avatar", picture).await;
        answer?.read("")
    }

    /// Shows no picture any more.
    ///
    /// # Errors
    /// As [`Session::profile`].
    pub async fn remove_avatar(&self) -> Result<Profile, ClientError> {
        let path = "api/profile/avatar";
        let answer = self.ask(Method::DELETE, path, Content::Nothing).await;
        answer?.read("")
    }

    /// The devices that the person is signed in on, the one that was used last first.
    ///
    /// # Errors
    /// As [`Session::profile`].
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, ClientError> {
        let answer = self
            .ask(Method::GET, "api/sessions", Content::Nothing)
            .await;
        Ok(answer?.read::<SessionList>("")?.sessions)
    }

    /// Signs a device of the person's out, at once.
    ///
    /// # Errors
    /// [`ClientError::NoSuchSession`].
    pub async fn end_session(&self, session: &SessionId) -> Result<(), ClientError> {
        if !session.is_well_formed() {
            return Err(ClientError::NoSuchSession);
        }
        let path = format!("api/sessions/{session}");
        let answer = self.ask(Method::DELETE, &path, Content::Nothing).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Err(ClientError::NoSuchSession),
            _ => answer.succeeded(""),
        }
    }

    /// Changes the password, which signs every other device out.
    ///
    /// # Errors
    /// [`ClientError::WrongPassword`], [`ClientError::InvalidCredentials`].
    pub async fn change_password(&self, old: &str, new: &str) -> Result<(), ClientError> {
        if let Some(problem) = password_problem(new) {
            return Err(ClientError::InvalidCredentials(problem.to_owned()));
        }
        let change = PasswordChange {
            old_password: old.to_owned(),
            new_password: new.to_owned(),
        };
        let path = "api/account/password";
        self.ask(Method::POST, path, json(&change))
            .await?
            .succeeded("")
    }

    /// Deletes the account and everything that belongs to it.
    ///
    /// # Errors
    /// [`ClientError::WrongPassword`].
    pub async fn delete_account(&self, password: &str) -> Result<(), ClientError> {
        let deletion = AccountDeletion {
            password: password.to_owned(),
        };
        let path = "api/account/delete";
        self.ask(Method::POST, path, json(&deletion))
            .await?
            .succeeded("")
    }

    /// Asks with the access token there is, and once more with another one where the server does not take that.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Content,
    ) -> Result<Answer, ClientError> {
        let transport = Transport::to(&self.server)?;
        let token = self.access_token().await?;
        let asked = transport.request(method.clone(), path, Some(&token), content.clone());
        let answer = asked.await?;
        match answer.succeeded("") {
            Err(ClientError::SignedOut) => {
                let token = self.access_token_after(&token).await?;
                transport.request(method, path, Some(&token), content).await
            }
            _ => Ok(answer),
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> Content {
    Content::Json(serde_json::to_vec(value).expect("messages are plain data"))
}
