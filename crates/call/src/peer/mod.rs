//! The peer connection: everything between coded media and the network. The only code of Vireo that names `webrtc`.
//!
//! A frame's way out: encoder thread → [`MediaSender::send_video`] → packetiser → pacer → SRTP → socket. Its way in:
//! socket → SRTP → frame assembler → [`MediaReceiver::video`], all on the connection's own task.

mod config;
mod error;
mod event;
mod sender;
mod stats;

use tokio::sync::mpsc;
use vireo_protocol::{IceCandidate, SessionDescription};

pub use config::{Addresses, PeerConfig, ReceivedMedia};
pub use error::PeerError;
pub use event::{MediaReceiver, PeerEvent};
pub use sender::MediaSender;
pub use stats::{InboundStats, OutboundStats, TransportStats};

/// One connection to one other person: an audio and a video stream each way over one port.
///
/// ```text
///  caller: new → create_offer ─────→ set_answer ──┐
///                                                 ├──→ Connected ⇄ Disconnected → Failed
///  callee: new → accept_offer ────────────────────┘         └───────→ Closed (the other side's close)
/// ```
///
/// Candidates may be added at any time; those that come before the other side's description wait for it.
/// Dropping a peer closes it without telling the other side; [`Peer::close`] tells.
pub struct Peer {
    media: MediaSender,
}

impl Peer {
    /// Opens the sockets and starts the connection's task. Quick (about a millisecond); do it while it still rings, so that
    /// accepting costs less. Nothing is sent before a description of the other side is there.
    ///
    /// # Errors
    /// [`PeerError::InvalidIceServer`], [`PeerError::NoSocket`].
    pub async fn new(
        _config: PeerConfig,
        _received: ReceivedMedia,
        _events: mpsc::UnboundedSender<PeerEvent>,
    ) -> Result<Self, PeerError> {
        Ok(Self {
            media: MediaSender {},
        })
    }

    /// Makes the caller's offer. Gathering starts here: candidates follow as [`PeerEvent::LocalCandidate`].
    ///
    /// # Errors
    /// [`PeerError::Closed`], [`PeerError::Internal`].
    pub async fn create_offer(&mut self) -> Result<SessionDescription, PeerError> {
        Err(PeerError::Closed)
    }

    /// Takes the caller's offer and makes the answer to it. Call it when the person accepts: connectivity checks begin here.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the offer cannot be used; the peer is of no use then.
    pub async fn accept_offer(
        &mut self,
        _offer: &SessionDescription,
    ) -> Result<SessionDescription, PeerError> {
        Err(PeerError::Closed)
    }

    /// Takes the callee's answer to our offer.
    ///
    /// # Errors
    /// [`PeerError::InvalidDescription`] when the answer cannot be used.
    pub async fn set_answer(&mut self, _answer: &SessionDescription) -> Result<(), PeerError> {
        Err(PeerError::Closed)
    }

    /// Adds a candidate of the other side's, at any time. One that cannot be reached or resolved harms nothing.
    ///
    /// # Errors
    /// [`PeerError::InvalidCandidate`] when it cannot be read.
    pub async fn add_remote_candidate(
        &mut self,
        _candidate: &IceCandidate,
    ) -> Result<(), PeerError> {
        Ok(())
    }

    /// The handle through which encoder threads send.
    #[must_use]
    pub fn media(&self) -> MediaSender {
        self.media.clone()
    }

    /// Asks the other side for a key frame; repeated requests go out at a bounded rate.
    pub fn request_key_frame(&self) {}

    /// The transport's figures as they stand.
    #[must_use]
    pub fn stats(&self) -> TransportStats {
        TransportStats::default()
    }

    /// Tells the other side that it is over (DTLS `close_notify`) and frees everything. No events follow.
    pub async fn close(&mut self) {}
}
