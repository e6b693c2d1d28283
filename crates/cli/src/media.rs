//! The devices of a call, as the command line chose them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use vireo_call::{DEFAULT_MAX_BITRATE, EncodedVideoSink, KeyFrameRequester, MediaFactory};
use vireo_media::audio::{
    Microphone, NullSink, RecordedSink, Speaker, ToneMicrophone, WavSink, WavSource,
};
use vireo_media::video::{PatternCamera, PatternContent, Y4mSource};
use vireo_media::{AudioSink, AudioSource, MediaError, VideoCodec, VideoFormat, VideoSource};

use crate::args::{DEFAULT_FORMAT, MediaArguments};
use crate::check;
use crate::decode::RemoteVideo;
use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::failure::Failure;
use crate::finish::{self, Finish, Guard};
use crate::hardware;
use crate::output;
use crate::playback::{Playback, lock};
use crate::record::RecordFolder;

/// Opens what the command line chose, call after call.
pub struct CliMedia {
    camera: CameraChoice,
    microphone: MicrophoneChoice,
    speaker: SpeakerChoice,
    format: VideoFormat,
    codecs: Vec<VideoCodec>,
    max_bitrate: u32,
    record: Option<RecordFolder>,
    calls: AtomicU32,
    call: Mutex<Option<CallFiles>>,
}

/// What is written and measured of one call.
struct CallFiles {
    playback: Arc<Mutex<Playback>>,
    folder: Option<RecordFolder>,
    guard: Guard,
}

/// What the call of the moment has shown, and the wait for its files.
pub struct CallMedia {
    /// The decoded pictures.
    pub playback: Arc<Mutex<Playback>>,
    finish: Finish,
}

impl CallMedia {
    /// Waits until everything is decoded and the files are closed. Blocks; call it once the call is over.
    pub fn finish(self) {
        if !self.finish.wait() {
            output::say("The recording could not be finished in time; its end may be missing.");
        }
    }
}

impl CliMedia {
    /// Makes sure that every device and file that was named is there and can be used, before anybody's device rings.
    ///
    /// # Errors
    /// Bad device or file.
    pub fn new(arguments: &MediaArguments) -> Result<Self, Failure> {
        let camera = check::camera(arguments.camera.clone())?;
        let own = check::own_format(&camera)?.unwrap_or(DEFAULT_FORMAT);
        let record = arguments.record.as_deref();
        Ok(Self {
            microphone: check::microphone(arguments.microphone.clone())?,
            speaker: check::speaker(arguments.speaker.clone())?,
            format: arguments.format(own),
            codecs: arguments.codecs(),
            max_bitrate: arguments.max_bitrate.unwrap_or(DEFAULT_MAX_BITRATE),
            record: record.map(RecordFolder::create).transpose()?,
            camera,
            calls: AtomicU32::new(0),
            call: Mutex::new(None),
        })
    }

    /// Whether there is a camera to call with.
    pub fn has_camera(&self) -> bool {
        self.camera != CameraChoice::None
    }

    /// Prepares for the next call. To be called before it is placed or accepted.
    pub fn next_call(&self) -> CallMedia {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let folder = match (&self.record, number) {
            (Some(folder), 2..) => Some(folder.further(number)),
            (folder, _) => folder.clone(),
        };
        let (guard, finish) = finish::guard();
        let playback = Arc::default();
        *lock(&self.call) = Some(CallFiles {
            playback: Arc::clone(&playback),
            folder,
            guard,
        });
        CallMedia { playback, finish }
    }

    /// The call is over: nothing more will be opened for it.
    pub fn end_call(&self) {
        *lock(&self.call) = None;
    }
}

impl MediaFactory for CliMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        Ok(match &self.camera {
            CameraChoice::None => None,
            CameraChoice::Pattern => {
                let content = PatternContent::from_environment()?;
                Some(Box::new(PatternCamera::with_content(self.format, content)))
            }
            CameraChoice::File(path) => Some(Box::new(Y4mSource::open(path, Some(self.format))?)),
            CameraChoice::Device(name) => Some(hardware::camera(name.as_deref(), self.format)?),
        })
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        Ok(match &self.microphone {
            MicrophoneChoice::None => None,
            MicrophoneChoice::Tone(hertz) => Some(Box::new(ToneMicrophone::new(*hertz))),
            MicrophoneChoice::File(path) => Some(Box::new(WavSource::open(path)?)),
            MicrophoneChoice::Device(name) => Some(Box::new(Microphone::open(name.as_deref())?)),
        })
    }

    /// Without a speaker sound is decoded all the same, so that its statistics are honest.
    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        let sink: Box<dyn AudioSink> = match &self.speaker {
            SpeakerChoice::None => Box::new(NullSink::default()),
            SpeakerChoice::File(path) => Box::new(WavSink::create(path)?),
            SpeakerChoice::Device(name) => Box::new(Speaker::open(name.as_deref())?),
        };
        let call = lock(&self.call);
        let Some(files) = &*call else {
            return Ok(Some(sink));
        };
        let sink: Box<dyn AudioSink> = match &files.folder {
            None => sink,
            Some(folder) => Box::new(RecordedSink::new(sink, folder.sound()?)),
        };
        let _guard = files.guard.clone();
        Ok(Some(Box::new(GuardedSink { sink, _guard })))
    }

    fn remote_video(&self, key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        let call = lock(&self.call);
        let (playback, folder, guard) = match &*call {
            Some(files) => (
                Arc::clone(&files.playback),
                files.folder.as_ref(),
                files.guard.clone(),
            ),
            None => (Arc::default(), None, finish::guard().0),
        };
        let recorder = folder.and_then(|folder| {
            let recorder = folder.video();
            recorder.map_err(output::say).ok()
        });
        let likely = self.codecs.first().copied();
        Box::new(RemoteVideo::start(
            likely, playback, recorder, key_frames, guard,
        ))
    }

    fn video_format(&self) -> VideoFormat {
        self.format
    }

    fn video_codecs(&self) -> Vec<VideoCodec> {
        self.codecs.clone()
    }

    fn max_bitrate(&self) -> u32 {
        self.max_bitrate
    }
}

/// A sink that says when it has been closed.
struct GuardedSink {
    sink: Box<dyn AudioSink>,
    /// The last field, so that it is dropped after the sink has closed its file.
    _guard: Guard,
}

impl AudioSink for GuardedSink {
    fn write(&mut self, frame: &vireo_media::AudioFrame) -> Result<(), MediaError> {
        self.sink.write(frame)
    }
}
