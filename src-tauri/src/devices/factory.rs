//! Opens what was chosen, and shows pictures in the window.

use std::sync::Arc;

use vireo_call::{EncodedVideoSink, KeyFrameRequester, MediaFactory};
use vireo_media::{
    AudioSink, AudioSource, MediaError, VideoSink, VideoSource, audio,
    video::{self, PatternCamera},
};

use super::{
    Choices,
    choice::{CameraChoice, MicrophoneChoice, SpeakerChoice},
};
use crate::media_socket::MediaServer;

/// The desktop's devices.
#[derive(Debug)]
pub struct DesktopMedia {
    choices: Choices,
    pictures: Arc<MediaServer>,
}

impl DesktopMedia {
    /// Devices as chosen; pictures go to the window through the media socket.
    #[must_use]
    pub fn new(choices: Choices, pictures: Arc<MediaServer>) -> Self {
        Self { choices, pictures }
    }
}

impl MediaFactory for DesktopMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let format = self.video_format();
        Ok(match &self.choices.camera {
            CameraChoice::Device(name) => {
                Some(Box::new(video::Camera::open(name.as_deref(), format)?))
            }
            CameraChoice::Pattern => Some(Box::new(PatternCamera::new(format))),
            CameraChoice::None => None,
        })
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        Ok(match &self.choices.microphone {
            MicrophoneChoice::Device(name) => {
                Some(Box::new(audio::Microphone::open(name.as_deref())?))
            }
            MicrophoneChoice::Tone(hz) => Some(Box::new(audio::ToneMicrophone::new(*hz))),
            MicrophoneChoice::None => None,
        })
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        Ok(match &self.choices.speaker {
            SpeakerChoice::Device(name) => Some(Box::new(audio::Speaker::open(name.as_deref())?)),
            SpeakerChoice::None => None,
        })
    }

    fn remote_video(&self, key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        self.pictures.remote_sink(key_frames)
    }

    fn self_view(&self) -> Option<Box<dyn VideoSink>> {
        Some(self.pictures.own_sink())
    }
}

/// Which kinds of device there are: camera, microphone, speaker. May take long; opens none of them.
#[must_use]
pub fn present() -> (bool, bool, bool) {
    (
        !video::cameras().is_empty(),
        !audio::microphones().is_empty(),
        !audio::speakers().is_empty(),
    )
}
