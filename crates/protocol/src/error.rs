//! Codes of the errors that do not belong to a call.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Codes of `error` messages and of HTTP errors. The sentence that goes with one is for people; programs read the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Not JSON, a missing field, or a field of the wrong form.
    InvalidMessage,
    /// The `type` is not one this server knows.
    UnknownType,
    /// The message is longer than [`MAX_MESSAGE_BYTES`](crate::MAX_MESSAGE_BYTES).
    MessageTooLarge,
    /// The first message was not `hello`, or a second `hello` came.
    UnexpectedHello,
    /// Client and server speak different versions of the protocol.
    VersionMismatch,
    /// Wrong name or password.
    WrongPassword,
    /// The token is missing, unknown or expired, or its session has ended.
    Unauthorized,
    /// The name is already taken.
    NameTaken,
    /// The name or the password does not satisfy the rules.
    InvalidName,
    /// The picture is too large, or cannot be read.
    InvalidPicture,
    /// The password is too short or too long.
    InvalidPassword,
    /// New accounts are not accepted here without an invite.
    RegistrationClosed,
    /// The invite is unknown, used up, expired or revoked.
    InvalidInvite,
    /// The person has as many invites as one may have.
    TooManyInvites,
    /// Nobody would be left who runs the server.
    LastAdmin,
    /// Only whoever runs the server may do this.
    Forbidden,
    /// There is no such session or invite, or it is none of the asking person's business.
    NotFound,
    /// No such person.
    UnknownUser,
    /// The name is one's own where somebody else's is meant.
    OwnName,
    /// The other person has not asked to become a contact, or does not any more.
    NoSuchRequest,
    /// The other person cannot be asked at the moment.
    NotNow,
    /// As many contacts, or requests that nobody has answered yet, as one person may have.
    TooManyContacts,
    /// The server is about to stop; another one, or the same again, is there in a moment.
    Stopping,
    /// Too many requests; try again later.
    RateLimited,
    /// Something went wrong on the server; nothing was changed.
    Internal,
}
