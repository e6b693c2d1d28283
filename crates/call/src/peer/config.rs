//! What a peer connection is made with.

use vireo_media::VideoCodec;
use vireo_protocol::IceServer;

use super::MediaReceiver;

/// How a [`Peer`](super::Peer) is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerConfig {
    /// STUN and TURN servers. None of a third party's is ever added.
    pub ice_servers: Vec<IceServer>,
    /// Whether media may take no other way than through a TURN server, so that the other side does not learn where this
    /// computer is (W3C `iceTransportPolicy` "relay").
    pub relay_only: bool,
    /// Which local addresses candidates are gathered on.
    pub addresses: Addresses,
    /// Video codecs in order of preference; one that is not listed is not spoken. Empty: an offer without video, and a
    /// video section that is offered gets rejected.
    pub video_codecs: Vec<VideoCodec>,
    /// Whether sound may carry copies of the packets before (RFC 2198). Never where media is reflected: what comes back is of
    /// whichever form it came in.
    pub redundant_sound: bool,
    /// Bits a second the video encoder is told to begin with.
    pub start_bitrate: u32,
    /// Bits a second the video encoder is never told to exceed.
    pub max_bitrate: u32,
}

impl Default for PeerConfig {
    fn default() -> Self {
        Self {
            ice_servers: Vec::new(),
            relay_only: false,
            addresses: Addresses::All,
            video_codecs: vec![VideoCodec::H264, VideoCodec::Vp8],
            redundant_sound: true,
            start_bitrate: 1_500_000,
            max_bitrate: 4_000_000,
        }
    }
}

/// Which local addresses candidates are gathered on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addresses {
    /// Every interface's and loopback's, so that a call works on a machine without any network too.
    #[default]
    All,
    /// 127.0.0.1 alone.
    Loopback,
}

/// What becomes of received media.
pub enum ReceivedMedia {
    /// It goes to the application.
    Deliver(Box<dyn MediaReceiver>),
    /// It goes back to where it came from, undecoded: same payloads, times and markers, own SSRC and sequence numbers.
    /// The other side's requests for a key frame go back to it too. Nothing that is sent otherwise goes out.
    Reflect,
}
