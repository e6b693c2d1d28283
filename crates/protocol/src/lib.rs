//! The words that Vireo's client and server exchange: messages, identifiers and the protocol's version.
//!
//! This crate knows data alone: no socket, no clock, no call. `PROTOCOL.md` at the root of the repository
//! defines the same messages for readers who write a client in another language; a test holds its examples against
//! the types here.

mod admin;
mod call;
mod contact;
mod error;
mod history;
mod http;
mod id;
mod invite;
mod link;
mod message;
mod profile;
mod session;

pub use admin::{RoleChange, UserInfo, UserList};
pub use call::{
    CallErrorCode, CallOutcome, EndReason, IceCandidate, IceServer, MediaState, PictureSize,
    SdpType, SessionDescription,
};
pub use contact::{Contact, ContactStatus, DeviceStatus, Presence};
pub use error::ErrorCode;
pub use history::{CallDirection, PastCall};
pub use http::{
    Credentials, Health, HttpError, Registration, User, device_name, name_problem, password_problem,
};
pub use id::{CallId, ChatId, HistoryId, InviteId, SessionId, UserId};
pub use invite::{
    InviteInfo, InviteList, InviteLook, InviteRequest, InviteToken, MAX_INVITE_SECONDS,
    MAX_INVITE_USES, MIN_INVITE_SECONDS, NewInvite,
};
pub use link::{Fingerprint, InviteLink, Malformed, ServerAddress};
pub use message::{ClientMessage, Request, ServerMessage};
pub use profile::{MAX_AVATAR_BYTES, MAX_DISPLAY_NAME, Profile, ProfileChange, display_name};
pub use session::{
    AccountDeletion, PasswordChange, RefreshToken, Role, SessionInfo, SessionList, SignedIn,
};

/// The version of the protocol. A client and a server of different versions do not talk; the client is told to update.
pub const VERSION: u32 = 2;

/// The WebSocket subprotocol that both sides name in the handshake.
pub const SUBPROTOCOL: &str = "vireo";

/// Prefix of the second subprotocol by which a browser, which cannot set headers, hands its token over.
pub const TOKEN_SUBPROTOCOL_PREFIX: &str = "vireo.token.";

/// The largest text message a client may send, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The longest session description that is forwarded, in bytes.
pub const MAX_SDP_BYTES: usize = 48 * 1024;

/// The longest candidate line that is forwarded, in bytes.
pub const MAX_CANDIDATE_BYTES: usize = 1024;

/// How many candidates one side may send in one call.
pub const MAX_CANDIDATES_PER_SIDE: usize = 256;
