//! What can go wrong with a peer connection.

/// Why something asked of a [`Peer`](super::Peer) was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The other side's description cannot be read, has no media that Vireo speaks, or does not fit the state.
    #[error("The other side's session description cannot be used: {0}")]
    InvalidDescription(String),
    /// The candidate cannot be read. The call goes on with the others.
    #[error("The other side's candidate cannot be used: {0}")]
    InvalidCandidate(String),
    /// No socket could be opened.
    #[error("No network connection can be opened on this computer: {0}")]
    NoSocket(String),
    /// Media may only go through a relay, and there is none.
    #[error("There is no TURN server that the call could go through.")]
    NoRelay,
    /// The connection is closed.
    #[error("The connection is closed.")]
    Closed,
    /// Something that should not happen.
    #[error("The connection failed: {0}")]
    Internal(String),
}
