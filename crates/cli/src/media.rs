//! The devices of a call, as the command line chose them.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vireo_call::{DEFAULT_MAX_BITRATE, EncodedVideoSink, KeyFrameRequester, MediaFactory};
use vireo_media::audio::{
    NullSink, PatternMicrophone, RecordedSink, Recording, ToneMicrophone, WavSink, WavSource,
};
use vireo_media::video::{PatternCamera, PatternContent, Rotated, RotationControl, Y4mSource};
use vireo_media::{
    AudioSink, AudioSource, DeviceKind, Following, MediaError, VideoCodec, VideoFormat, VideoSource,
};

use crate::args::{DEFAULT_FORMAT, MediaArguments};
use crate::check;
use crate::choices::{Choice, Choices};
use crate::coded::CodedFile;
use crate::control::Order;
use crate::decode::{Records, RemoteVideo};
use crate::devices::{CameraChoice, MicrophoneChoice, SpeakerChoice};
use crate::failure::Failure;
use crate::finish::{self, Finish, Guard};
use crate::frames::FramesFile;
use crate::output;
use crate::playback::{Playback, lock};
use crate::record::RecordFolder;
use crate::sounds::{SoundsFile, TimedSink};

/// Opens what the command line chose, call after call.
pub struct CliMedia {
    choices: Choices,
    format: VideoFormat,
    rotation: RotationControl,
    codecs: Vec<VideoCodec>,
    max_bitrate: u32,
    record: Option<RecordFolder>,
    frames: Option<FramesFile>,
    coded: Option<CodedFile>,
    sounds: Option<SoundsFile>,
    calls: AtomicU32,
    call: Mutex<Option<CallFiles>>,
}

/// What is written and measured of one call.
struct CallFiles {
    playback: Arc<Mutex<Playback>>,
    folder: Option<RecordFolder>,
    /// `--speaker file:`, once it has been opened.
    speaker: Option<Recording>,
    /// The sound of `--record`, once there is any.
    sound: Option<Recording>,
    /// The last field, so that it is dropped after the files have been closed.
    guard: Guard,
}

impl CallFiles {
    /// A sink that writes to the file, after what an earlier one has written to it.
    fn file_speaker(&mut self, path: &Path) -> Result<WavSink, MediaError> {
        let recording = opened(&mut self.speaker, || Recording::create(path))?;
        Ok(WavSink::new(recording))
    }

    /// The sink, recorded where that is asked for.
    fn recorded(&mut self, sink: Box<dyn AudioSink>) -> Result<Box<dyn AudioSink>, MediaError> {
        let Some(folder) = &self.folder else {
            return Ok(sink);
        };
        let recording = opened(&mut self.sound, || folder.sound())?;
        Ok(Box::new(RecordedSink::new(sink, recording)))
    }
}

/// The recording of the call, made the first time that it is asked for.
fn opened(
    recording: &mut Option<Recording>,
    create: impl FnOnce() -> Result<Recording, MediaError>,
) -> Result<Recording, MediaError> {
    Ok(match recording {
        Some(recording) => recording.clone(),
        None => recording.insert(create()?).clone(),
    })
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
        let rotation = RotationControl::default();
        rotation.set(arguments.rotate);
        let record = arguments.record.as_deref();
        let frames = arguments.frames.as_deref();
        let coded = arguments.coded.as_deref();
        let sounds = arguments.sounds.as_deref();
        Ok(Self {
            choices: Choices::new(Choice {
                camera,
                microphone: check::microphone(arguments.microphone.clone())?,
                speaker: check::speaker(arguments.speaker.clone())?,
            }),
            format: arguments.format(own),
            rotation,
            codecs: arguments.codecs(),
            max_bitrate: arguments.max_bitrate.unwrap_or(DEFAULT_MAX_BITRATE),
            record: record.map(RecordFolder::create).transpose()?,
            frames: frames.map(FramesFile::create).transpose()?,
            coded: coded.map(CodedFile::create).transpose()?,
            sounds: sounds.map(SoundsFile::create).transpose()?,
            calls: AtomicU32::new(0),
            call: Mutex::new(None),
        })
    }

    /// Whether there is a camera to call with.
    pub fn has_camera(&self) -> bool {
        self.choices.now().camera != CameraChoice::None
    }

    /// Uses something else from now on, in the call that goes on too.
    pub fn take(&self, order: Order) {
        self.choices.take(order);
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
            speaker: None,
            sound: None,
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
        let source: Box<dyn VideoSource> = match &self.choices.now().camera {
            CameraChoice::None => return Ok(None),
            CameraChoice::Pattern => {
                let content = PatternContent::from_environment()?;
                Box::new(PatternCamera::with_content(self.format, content))
            }
            CameraChoice::File(path) => Box::new(Y4mSource::open(path, Some(self.format))?),
            CameraChoice::Device(_) => Box::new(self.choices.selection.open_camera(self.format)?),
        };
        Ok(Some(Box::new(Rotated::new(source, self.rotation.clone()))))
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        Ok(match &self.choices.now().microphone {
            MicrophoneChoice::None => None,
            MicrophoneChoice::Pattern => Some(Box::new(PatternMicrophone::new())),
            MicrophoneChoice::Tone(hertz) => Some(Box::new(ToneMicrophone::new(*hertz))),
            MicrophoneChoice::File(path) => Some(Box::new(WavSource::open(path)?)),
            MicrophoneChoice::Device(_) => {
                Some(Box::new(self.choices.selection.open_microphone()?))
            }
        })
    }

    /// Without a speaker sound is decoded all the same, so that its statistics are honest.
    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        // Opening a device may take long, so the call's files are not held meanwhile.
        let speaker = self.choices.now().speaker;
        let device: Option<Box<dyn AudioSink>> = match &speaker {
            SpeakerChoice::Device(_) => Some(Box::new(self.choices.selection.open_speaker()?)),
            SpeakerChoice::None | SpeakerChoice::File(_) => None,
        };
        let mut call = lock(&self.call);
        // A call that is over needs no speaker any more.
        let Some(files) = &mut *call else {
            return Ok(None);
        };
        let sink: Box<dyn AudioSink> = match (device, &speaker) {
            (Some(device), _) => device,
            (None, SpeakerChoice::File(path)) => Box::new(files.file_speaker(path)?),
            (None, _) => Box::new(NullSink::default()),
        };
        let mut sink = files.recorded(sink)?;
        if let Some(file) = &self.sounds {
            sink = Box::new(TimedSink::new(sink, file.clone()));
        }
        let _guard = files.guard.clone();
        Ok(Some(Box::new(GuardedSink { sink, _guard })))
    }

    fn follow_devices(&self, changed: Box<dyn FnMut(DeviceKind) + Send>) -> Option<Following> {
        Some(self.choices.follow(changed))
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
            likely,
            playback,
            Records {
                recorder,
                frames: self.frames.clone(),
                coded: self.coded.clone(),
            },
            key_frames,
            guard,
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

    fn delay(&self) -> Duration {
        self.sink.delay()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use vireo_media::AudioFrame;
    use vireo_media::audio::FRAME_SAMPLES;

    use super::*;
    use crate::args::{Arguments, Command};

    fn frames(path: &Path) -> usize {
        let header = 44;
        (std::fs::read(path).expect("a file").len() - header) / 2 / FRAME_SAMPLES
    }

    #[test]
    fn what_was_recorded_stays_when_the_speaker_is_opened_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (speaker, record) = (
            folder.path().join("heard.wav"),
            folder.path().join("record"),
        );
        let line = format!(
            "vireo-cli call Bob --camera none --microphone none --speaker file:{} --record {}",
            speaker.display(),
            record.display()
        );
        let arguments = Arguments::try_parse_from(line.split(' ')).expect("valid");
        let Command::Call(call) = arguments.command else {
            panic!("not a call");
        };
        let media = CliMedia::new(&call.media).expect("usable");
        let files = media.next_call();
        for _ in 0..2 {
            let mut sink = media.open_speaker().expect("opened").expect("a speaker");
            for _ in 0..3 {
                sink.write(&AudioFrame::SILENCE).expect("written");
            }
        }
        media.end_call();
        files.finish();
        assert_eq!(frames(&speaker), 6);
        assert_eq!(frames(&record.join("remote.wav")), 6);
    }
}
