//! What can go wrong, in sentences for the person at the screen.

use vireo_protocol::ErrorCode;

/// A failure of the client. Every one says what happened and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The text is not an address of a server.
    #[error("“{0}” is not the address of a server. It looks like https://192.0.2.1:7450#sha256=….")]
    InvalidServer(String),
    /// Nobody answers at the server's address, or it stopped answering.
    #[error("The server cannot be reached. Check its address and your network, then try again.")]
    ServerUnreachable,
    /// Something answers at the address that is not a Vireo server.
    #[error("There is something else than a Vireo server at this address. Check the address.")]
    NotAVireoServer,
    /// Another server than the one that was invited to answers at the address.
    #[error(
        "Somebody else answers at the server's address, with another certificate. Ask the person who runs the server, or \
         who invited you, for a new link."
    )]
    WrongServer,
    /// No authority vouches for the server, and no fingerprint was given.
    #[error(
        "Nobody vouches for this server. Use the whole address, with everything behind the #, or ask for an invitation."
    )]
    UntrustedServer,
    /// Client and server speak different versions of the protocol.
    #[error("This Vireo and the server are of different versions. Please update.")]
    VersionMismatch,
    /// Wrong name or password.
    #[error("Wrong name or password. Check both and try again.")]
    WrongPassword,
    /// The token is unknown or has expired.
    #[error("You have been signed out. Please sign in again.")]
    SignedOut,
    /// The name is already taken.
    #[error("This name is already taken. Choose another one.")]
    NameTaken,
    /// The name or the password does not satisfy the rules; the sentence says which.
    #[error("{0}")]
    InvalidCredentials(String),
    /// The picture is too large, or cannot be read; the sentence says which.
    #[error("{0}")]
    InvalidPicture(String),
    /// There is no such session (any more).
    #[error("There is no such session, or it has ended already. Look at the list again.")]
    NoSuchSession,
    /// New accounts are not accepted on this server.
    #[error("This server does not accept new accounts. Ask the person who runs it.")]
    RegistrationClosed,
    /// The invite cannot be used (any more).
    #[error("This invite is not valid any more. Ask for a new one.")]
    InvalidInvite,
    /// Nobody has this name.
    #[error("Nobody here is called “{0}”. Check the spelling.")]
    UnknownUser(String),
    /// One cannot add oneself.
    #[error("This is your own name. Enter the name of somebody else.")]
    OwnName,
    /// The other person has not asked, or does not any more.
    #[error("This request is not there any more. Add the person yourself to ask them.")]
    NoSuchRequest,
    /// The list is full, or too many people have not answered yet.
    #[error("You have too many contacts or requests that nobody answered. Remove some first.")]
    TooManyContacts,
    /// The other person cannot be asked at the moment.
    #[error(
        "This person cannot be asked at the moment. Try again another day, or let them add you."
    )]
    NotNow,
    /// The other person has not added this one, or is not in the list.
    #[error(
        "You cannot call this person yet. Both of you have to add each other as contacts first."
    )]
    AccessDenied,
    /// There is a call already.
    #[error("You are already in a call. End it first.")]
    AlreadyInCall,
    /// Calls are to go only through a relay, and none is known.
    #[error(
        "You have chosen that calls go only through a relay, and this server offers none. Allow direct connections, or name a TURN server of your own."
    )]
    NoRelay,
    /// Too many requests.
    #[error("Too many requests. Wait a moment and try again.")]
    RateLimited,
    /// The server said something else; its own sentence.
    #[error("The server refused: {0}")]
    Refused(String),
    /// A file of the profile cannot be read or written.
    #[error("{0}")]
    Profile(String),
    /// The system's key store, which holds the key to the account, does not open.
    #[error(
        "The key store of this system, which keeps the key to your account, does not open. Unlock it, then start Vireo again."
    )]
    KeyStore,
    /// The client has been closed.
    #[error("Vireo is closing.")]
    Closed,
}

impl ClientError {
    /// What an error of the server means; `subject` is the name that the request was about.
    #[must_use]
    pub(crate) fn from_code(code: ErrorCode, message: String, subject: &str) -> Self {
        match code {
            ErrorCode::VersionMismatch => Self::VersionMismatch,
            ErrorCode::WrongPassword => Self::WrongPassword,
            ErrorCode::Unauthorized => Self::SignedOut,
            ErrorCode::NameTaken => Self::NameTaken,
            ErrorCode::InvalidName | ErrorCode::InvalidPassword => {
                Self::InvalidCredentials(message)
            }
            ErrorCode::InvalidPicture => Self::InvalidPicture(message),
            ErrorCode::RegistrationClosed => Self::RegistrationClosed,
            ErrorCode::InvalidInvite => Self::InvalidInvite,
            ErrorCode::UnknownUser => Self::UnknownUser(subject.to_owned()),
            ErrorCode::OwnName => Self::OwnName,
            ErrorCode::NoSuchRequest => Self::NoSuchRequest,
            ErrorCode::TooManyContacts => Self::TooManyContacts,
            ErrorCode::NotNow => Self::NotNow,
            ErrorCode::RateLimited => Self::RateLimited,
            ErrorCode::InvalidMessage
            | ErrorCode::UnknownType
            | ErrorCode::MessageTooLarge
            | ErrorCode::UnexpectedHello
            | ErrorCode::NotFound
            | ErrorCode::Stopping
            | ErrorCode::TooManyInvites
            | ErrorCode::LastAdmin
            | ErrorCode::Forbidden
            | ErrorCode::Internal => Self::Refused(message),
        }
    }
}
