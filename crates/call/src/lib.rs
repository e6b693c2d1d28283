//! The call: its state machine, its engine and its peer connection.

mod engine;
pub mod machine;
mod media;
pub mod peer;
pub mod quality;
mod stats;
mod view;

pub use engine::{Engine, EngineConfig, EngineEvent};
pub use machine::Call;
pub use media::{
    DEFAULT_MAX_BITRATE, DEFAULT_VIDEO_FORMAT, EncodedVideoSink, KeyFrameRequester, MediaFactory,
    NoMedia,
};
pub use stats::{
    AudioInStats, AudioOutStats, AudioStats, CallStats, InboundStages, LatencyStats,
    OutboundStages, PlaybackStats, SetupTimes, StageStats, SyncStats, TransportStats, VideoInStats,
    VideoOutStats, VideoStats,
};
pub use view::{
    CallPeer, CallView, ConnectionQuality, Direction, EndedReason, Notice, NoticeKind, Phase,
    Speaking,
};
pub use vireo_media::MicrophoneHint;
pub use vireo_media::audio::{NoiseSuppression, VoiceSettings};
