//! Where a call gets its devices from. The desktop, the terminal and the tests each bring their own.

use std::{sync::Arc, time::Duration};

use vireo_media::{
    AudioSink, AudioSource, DeviceKind, EncodedFrame, Following, MediaError, VideoCodec,
    VideoFormat, VideoSink, VideoSource,
};
use vireo_protocol::PictureSize;

use crate::PlaybackStats;

/// Opens devices, for a call that the user placed or accepted and never before. The `open_…` methods may take long; they are
/// called on threads of their own and never hold a call up.
pub trait MediaFactory: Send + Sync + 'static {
    /// Opens the camera. None when the user has chosen to have none.
    ///
    /// # Errors
    /// In a sentence for the user; the call goes on without a picture.
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError>;

    /// Opens the microphone. None when the user has chosen to have none.
    ///
    /// # Errors
    /// In a sentence for the user; the call goes on without their voice.
    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError>;

    /// Opens the speaker. None when the user has chosen to have none.
    ///
    /// # Errors
    /// In a sentence for the user; the call goes on without sound.
    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError>;

    /// Calls `changed` whenever another device is to be used for something than before, until the answer is dropped. A call
    /// follows it as long as it has devices open, and opens that one then.
    fn follow_devices(&self, _changed: Box<dyn FnMut(DeviceKind) + Send>) -> Option<Following> {
        None
    }

    /// Where the remote pictures of a new call go. The call drops the sink when it is over.
    fn remote_video(&self, key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink>;

    /// Where this side's own pictures are shown, in the size the camera gives.
    fn self_view(&self) -> Option<Box<dyn VideoSink>> {
        None
    }

    /// The size and rate to send.
    fn video_format(&self) -> VideoFormat {
        DEFAULT_VIDEO_FORMAT
    }

    /// The codecs to offer or accept, best first.
    fn video_codecs(&self) -> Vec<VideoCodec> {
        vec![VideoCodec::H264, VideoCodec::Vp8]
    }

    /// What the video encoder is told to send at most, in bits a second; sound and headers come on top of it.
    fn max_bitrate(&self) -> u32 {
        DEFAULT_MAX_BITRATE
    }
}

/// What a call sends when nobody says otherwise.
pub const DEFAULT_VIDEO_FORMAT: VideoFormat = VideoFormat {
    width: 1280,
    height: 720,
    frame_rate: 30,
};

/// What a call sends at most when nobody says otherwise: enough for a good 720p picture.
pub const DEFAULT_MAX_BITRATE: u32 = 2_500_000;

/// Where remote pictures go, still encoded.
pub trait EncodedVideoSink: Send {
    /// Takes a picture. Must not wait.
    fn frame(&mut self, frame: EncodedFrame);

    /// What the decoding side knows about how the pictures are shown.
    fn playback(&mut self) -> PlaybackStats {
        PlaybackStats::default()
    }

    /// How long a picture usually takes from [`Self::frame`] until it is seen, as far as that is known.
    fn until_seen(&self) -> Duration {
        Duration::ZERO
    }

    /// The place in which the pictures are shown, in device pixels; larger ones are of no use. None where every size is.
    fn shown(&self) -> Option<PictureSize> {
        None
    }
}

/// Asks the other side for a key frame; what a decoder does that cannot go on. Cheap; requests close together become one.
#[derive(Clone)]
pub struct KeyFrameRequester(Arc<dyn Fn() + Send + Sync>);

impl KeyFrameRequester {
    /// Calls `request` for every request.
    pub fn new(request: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(request))
    }

    /// Asks.
    pub fn request(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for KeyFrameRequester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFrameRequester")
    }
}

/// No devices at all: for clients that make no calls, or send back what they receive.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMedia;

impl MediaFactory for NoMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        Ok(None)
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        Ok(None)
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        Ok(None)
    }

    fn remote_video(&self, _key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        Box::new(Self)
    }
}

impl EncodedVideoSink for NoMedia {
    fn frame(&mut self, _frame: EncodedFrame) {}
}
