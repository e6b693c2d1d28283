//! Answers over HTTP that say no. Every one has a code for programs and a sentence for people.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use vireo_protocol::{ErrorCode, HttpError};

use crate::hashing::TooMany;
use crate::places::Full;
use crate::store::{AccountError, AddUserError, StoreError};

/// Whoever found the line before password hashing too long may find it shorter then.
const LINE_MOVES_IN: Duration = Duration::from_secs(2);

/// Whoever found no place may find one then.
const PLACES_MAY_BE_FREE_IN: Duration = Duration::from_secs(60);

/// An answer that says no.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    body: HttpError,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with this sentence.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            status,
            body: HttpError {
                code,
                message: message.into(),
            },
            retry_after: None,
        }
    }

    /// No access token, one that is worth nothing, or one whose session has ended.
    pub fn unauthorized() -> Self {
        let message = "Please sign in again.";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
    }

    /// Something broke here, and nothing was changed.
    pub fn internal() -> Self {
        let message = "Something went wrong on the server. Please try again.";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            message,
        )
    }

    /// The same, to be tried again after this time.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..self
        }
    }

    /// Too many attempts; there is one more after this time.
    pub fn too_many_attempts(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let message = format!("Too many attempts. Please try again in {seconds} seconds.");
        Self {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::RateLimited,
                message,
            )
        }
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        let (status, message) = match full {
            Full::Server => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This server has as many connections as it can take. Please try again in a minute.",
            ),
            Full::Address => (
                StatusCode::TOO_MANY_REQUESTS,
                "There are too many connections from your network. Please try again in a minute.",
            ),
        };
        Self {
            retry_after: Some(PLACES_MAY_BE_FREE_IN),
            ..Self::new(status, ErrorCode::RateLimited, message)
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(_: TooMany) -> Self {
        let message =
            "Too many people are signing in at this moment. Please try again in a few seconds.";
        Self {
            retry_after: Some(LINE_MOVES_IN),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::RateLimited,
                message,
            )
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        Self::internal()
    }
}

impl From<AddUserError> for Refusal {
    fn from(error: AddUserError) -> Self {
        let message = "This name is already taken. Please choose another one.";
        match error {
            AddUserError::Store(error) => error.into(),
            AddUserError::NameTaken => {
                Self::new(StatusCode::CONFLICT, ErrorCode::NameTaken, message)
            }
        }
    }
}

impl From<AccountError> for Refusal {
    fn from(error: AccountError) -> Self {
        let (status, code, message) = match error {
            AccountError::Store(error) => return error.into(),
            AccountError::UnknownUser => (
                StatusCode::NOT_FOUND,
                ErrorCode::NotFound,
                "There is no such person here.",
            ),
            AccountError::LastAdmin => (
                StatusCode::CONFLICT,
                ErrorCode::LastAdmin,
                "This is the server's last administrator. Please make somebody else one first.",
            ),
        };
        Self::new(status, code, message)
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        // The rejection's own text may repeat what was sent, a password included.
        let message = "The body of this request has to be a JSON object with other fields.";
        Self::new(rejection.status(), ErrorCode::InvalidMessage, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(wait.as_secs());
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

/// Answers for an address that the server does not have.
pub async fn nothing_here() -> Refusal {
    let message = "There is nothing at this address.";
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::InvalidMessage, message)
}

/// Answers for an address that has to be asked in another way.
pub async fn wrong_method() -> Refusal {
    let message = "This address cannot be asked in this way.";
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::InvalidMessage,
        message,
    )
}
