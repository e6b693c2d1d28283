//! Devices, frames, codecs and audio processing.
//!
//! A picture's way out: [`VideoSource`] (its own thread) → newest-wins mailbox → [`VideoEncoder`] → packetiser. Its way in:
//! RTP payloads → frame assembler → [`EncodedFrame`] → whoever paints or decodes it.
//! A sound's way out: [`AudioSource`] → echo canceller → noise suppression → gain → Opus. Its way in: jitter buffer →
//! Opus → [`AudioSink`].
//!
//! This crate knows neither calls nor networks nor windows, and no async runtime: media is a straight line, so it runs on
//! plain threads that are joined by bounded buffers. Devices and codecs are features; without them the crate still has its
//! frames, files, patterns and buffers.

mod device;
mod error;
mod event;
mod selection;

pub mod audio;
pub mod codec;
pub mod rtp;
pub mod video;

pub use audio::{AudioFrame, AudioSink, AudioSource};
pub use codec::{EncodedFrame, VideoCodec, VideoDecoder, VideoEncoder};
pub use device::{DeviceInfo, DeviceKind, DeviceList};
pub use error::{DeviceCause, DeviceTrouble, MediaError};
pub use event::{MediaEvent, MicrophoneHint};
pub use selection::{DeviceLists, DeviceNews, Following, Selection};
pub use video::{VideoFormat, VideoFrame, VideoSink, VideoSource};
