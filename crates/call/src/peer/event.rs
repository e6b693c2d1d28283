//! What a peer connection reports.

use std::time::{Duration, Instant};

use vireo_media::{EncodedFrame, VideoCodec, rtp::RtpPayload};
use vireo_protocol::IceCandidate;

/// News of a [`Peer`](super::Peer), in the order in which things happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// A candidate for the other side, as soon as it is gathered. An empty one says that no more will follow.
    LocalCandidate(IceCandidate),
    /// Offer and answer are both known: the codec that both sides send, or none when the call has no video.
    NegotiatedVideo(Option<VideoCodec>),
    /// Whether sound may carry copies of the packets before it.
    NegotiatedRedundancy(bool),
    /// Media flows from now on. Again after [`PeerEvent::Disconnected`], when the path has come back.
    Connected,
    /// Nothing has been heard of the other side for a while; it comes back by itself when the path does.
    Disconnected,
    /// The connection could not be made, or cannot go on. Only [`Peer::close`](super::Peer::close) makes sense now.
    Failed,
    /// The other side has closed the connection.
    Closed,
    /// The other side, or this connection itself, needs the encoder's next frame to be a key frame.
    KeyFrameRequested,
    /// The share of our sound that got lost on its way, by the other side's newest report, 0 to 1.
    AudioLoss(f64),
    /// What the video encoder should aim at from now on, in bits a second.
    TargetBitrate(u32),
}

/// Takes what the other side sends. Called on the connection's own task, so it must hand over and return at once.
pub trait MediaReceiver: Send {
    /// A packet of Opus, in the order of arrival.
    fn audio(&mut self, packet: RtpPayload);

    /// A packet of Opus that came as a copy within a later one (RFC 2198); it may have come by itself before.
    fn audio_copy(&mut self, packet: RtpPayload);

    /// A whole picture, in the order of sending. Pictures that cannot be decoded are left out, and a key frame has been
    /// asked for; a decoder can take whatever comes here.
    fn video(&mut self, frame: EncodedFrame);

    /// The sound that was played last; none where nothing plays it.
    fn sound_played(&mut self) -> Option<SoundPlayed> {
        None
    }

    /// How long a picture takes from here until it is seen, as far as that is known.
    fn until_seen(&mut self) -> Duration {
        Duration::ZERO
    }

    /// Sound is to wait so much longer than it needs, so that it is heard with the pictures.
    fn delay_sound(&mut self, _delay: Duration) {}
}

/// A moment of the other side's sound, and when it is heard here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundPlayed {
    /// RTP time, 48 kHz.
    pub timestamp: u32,
    /// May lie a little ahead.
    pub at: Instant,
}
