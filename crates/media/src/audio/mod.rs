//! Sound: 10 ms frames of 48 kHz mono, where they come from and where they go.

#[cfg(feature = "devices")]
mod device;
#[cfg(not(feature = "devices"))]
#[path = "device_absent.rs"]
mod device;
#[cfg(feature = "codecs")]
mod echo_canceller;
mod keeper;
mod own_voice;
mod pace;
mod playout;
#[cfg(feature = "codecs")]
mod processor;
#[cfg(not(feature = "codecs"))]
#[path = "processor_absent.rs"]
mod processor;
mod receive_chain;
mod resample;
mod send_chain;
mod silence;
mod stretch;
mod synthetic;
mod time_code;
mod voice;
mod voice_activity;
mod wav;
mod worker;

pub(crate) use device::SoundLister;
pub use device::{
    Microphone, Speaker, find_sound_server, has_microphone, has_speaker, microphones, speaker_list,
    speakers,
};
pub use pace::FRAME_DURATION;
pub use playout::{Playout, Stretched};
pub use processor::VoiceProcessor;
pub use receive_chain::ReceiveChain;
pub use send_chain::{
    AudioSendOptions, AudioSendStatistics, DEFAULT_AUDIO_BITRATE, SendChain, VoiceProcessing,
};
pub use synthetic::{NullSink, PatternMicrophone, SilentSource, ToneMicrophone};
pub use time_code::{Beep, SoundTimeCodeReader, sound_time_code};
pub use voice::{NoiseSuppression, VoiceSettings};
pub use voice_activity::VoiceActivity;
pub use wav::{RecordedSink, Recording, WavSink, WavSource};

use std::time::Duration;

use crate::MediaError;

/// Samples a second, everywhere between the devices' edges.
pub const SAMPLE_RATE: u32 = 48_000;

/// Samples in one frame: 10 ms.
pub const FRAME_SAMPLES: usize = 480;

/// 10 ms of mono sound at 48 kHz, samples between −1 and 1.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioFrame(pub [f32; FRAME_SAMPLES]);

impl AudioFrame {
    /// Nothing to hear.
    pub const SILENCE: Self = Self([0.0; FRAME_SAMPLES]);
}

/// Where sound comes from. Lives on a thread of its own.
pub trait AudioSource: Send {
    /// Waits until the next 10 ms are there, at most about so long. False when they are not there yet: whoever waits may have
    /// something else to look at.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    fn wait(&mut self, _limit: Duration) -> Result<bool, MediaError> {
        Ok(true)
    }

    /// Waits until the next 10 ms are there. The source's own clock sets the pace.
    ///
    /// # Errors
    /// [`MediaError::DeviceLost`] when the device has gone, [`MediaError::File`] when a file cannot be read any more.
    fn read(&mut self) -> Result<AudioFrame, MediaError>;

    /// Whether it is a microphone in a room, whose sound wants echo cancellation, noise suppression and gain. Tones and
    /// files are sent as they are.
    fn is_device(&self) -> bool {
        false
    }
}

/// Where sound goes. Lives on a thread of its own.
pub trait AudioSink: Send {
    /// Plays 10 ms, then waits until the sink's short buffer has room for the next: the sink's own clock sets the pace,
    /// and what is written next is fetched from the jitter buffer as late as possible. Where the sink takes nothing it does not
    /// wait for ever: whoever writes may have something else to look at.
    ///
    /// # Errors
    /// [`MediaError::DeviceLost`] when the device has gone.
    fn write(&mut self, frame: &AudioFrame) -> Result<(), MediaError>;

    /// How long after it is written now a frame would begin to be heard, as far as that is known.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}
