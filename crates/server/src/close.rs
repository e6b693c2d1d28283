//! Why the server closes a connection.

/// A code of RFC 6455 §7.4, and a sentence.
pub type Close = (u16, &'static str);

/// What came is not framed as RFC 6455 demands.
pub const PROTOCOL: u16 = 1002;

/// What came is not what it claims to be: text that is not UTF-8.
pub const INVALID: u16 = 1007;

/// The rules of this server were broken.
pub const POLICY: u16 = 1008;

/// What came is too long.
pub const SIZE: u16 = 1009;

/// Something is wrong with the server.
pub const ERROR: u16 = 1011;

/// The server stops, and may be back soon.
pub const RESTART: u16 = 1012;
