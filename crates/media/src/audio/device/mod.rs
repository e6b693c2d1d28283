//! Microphones and speakers by cpal: PulseAudio (or PipeWire's stand-in for it) on Linux with ALSA behind it, WASAPI on
//! Windows, Core Audio on macOS.
//!
//! A stream lives on a thread of its own, because opening one may take seconds or hang. Between cpal's real-time callback
//! and ours there is a short lock-free ring. A stream that stops delivering is taken for lost.

mod convert;
#[cfg(target_os = "linux")]
mod cookie;
#[cfg(not(target_os = "linux"))]
#[path = "cookie_absent.rs"]
mod cookie;
mod demand;
mod failure;
mod find;
mod microphone;
mod speaker;
mod stream;

pub use cookie::find_sound_server;
pub(crate) use find::SoundLister;
pub use find::{has_microphone, has_speaker, microphones, speaker_list, speakers};
pub use microphone::Microphone;
pub use speaker::Speaker;

use std::time::Duration;

/// What is asked of a microphone: a callback every 10 ms. Left to themselves some systems take 2 s at a time, and with 5 ms sound
/// of many channels has holes.
const MICROPHONE_BUFFER_MS: u32 = 10;

/// What is asked of a speaker at first. PulseAudio keeps two of them, so 10 ms would be heard 15 ms later; a speaker that runs dry
/// gets more.
const SPEAKER_BUFFER_MS: u32 = 5;

/// A device that took longer than this to open will not open.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// A device that was silent for longer than this is gone, or hangs.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// Which way the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Input,
    Output,
}

impl Direction {
    const fn noun(self) -> &'static str {
        match self {
            Self::Input => "microphone",
            Self::Output => "speaker",
        }
    }
}
