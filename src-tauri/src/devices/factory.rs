//! Opens what was chosen, and shows pictures in the window.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::watch;
use vireo_call::{
    DEFAULT_MAX_BITRATE, DEFAULT_VIDEO_FORMAT, EncodedVideoSink, KeyFrameRequester, MediaFactory,
    NoticeKind,
};
use vireo_media::{
    AudioSink, AudioSource, DeviceKind, DeviceNews, Following, MediaError, Selection, VideoFormat,
    VideoSink, VideoSource, audio,
    video::{self, PatternCamera, Rotated, Rotation},
};

use super::{
    Choices, Loans,
    choice::{CameraChoice, MicrophoneChoice, SpeakerChoice, refusal},
    view::{Board, CameraRotation, notice_kind},
};
use crate::{
    media_socket::MediaServer,
    rehearsal::{Meter, Metered},
    ring::{Opened, Speakers},
    view::AppView,
};

/// What the test picture is called among cameras.
const PATTERN: &str = "pattern";

/// What is sent at most where the person wants Full HD, and the bits a second that a good picture of that size needs.
const FULL_HD: VideoFormat = VideoFormat {
    width: 1920,
    height: 1080,
    frame_rate: 30,
};
const FULL_HD_BITRATE: u32 = 4_000_000;

type Changed = Arc<Mutex<Option<Box<dyn FnMut(DeviceKind) + Send>>>>;

/// The desktop's devices.
pub struct DesktopMedia {
    choices: Arc<Mutex<Choices>>,
    selection: Selection,
    /// The call that has devices open.
    call: Changed,
    pictures: Arc<MediaServer>,
    view: watch::Sender<AppView>,
    loans: Loans,
    meter: Meter,
}

impl DesktopMedia {
    /// Devices as chosen; pictures go to the window through the media socket, and what becomes of devices to its view.
    #[must_use]
    pub fn new(choices: Choices, pictures: Arc<MediaServer>, view: watch::Sender<AppView>) -> Self {
        let selection = Selection::new();
        for kind in DeviceKind::ALL {
            selection.choose(kind, choices.device(notice_kind(kind)).flatten());
        }
        for (camera, rotation) in &choices.rotations {
            selection.rotation(camera).set(*rotation);
        }
        let this = Self {
            choices: Arc::new(Mutex::new(choices)),
            selection,
            call: Arc::default(),
            pictures,
            view,
            loans: Loans::default(),
            meter: Meter::default(),
        };
        this.show();
        this
    }

    /// Uses the device of this id from now on, in the call that goes on too; None: the system's default one.
    pub fn choose(&self, kind: DeviceKind, id: Option<&str>) {
        let mut choices = lock(&self.choices);
        let was_device = choices.device(notice_kind(kind)).is_some();
        choices.set(notice_kind(kind), id.map(str::to_owned));
        drop(choices);
        self.show();
        self.selection.choose(kind, id);
        if !was_device {
            change(&self.call, kind);
        }
    }

    /// Lets pictures have 1080 rows from the next call on, or not.
    pub fn set_full_hd(&self, full_hd: bool) {
        lock(&self.choices).full_hd = full_hd;
    }

    /// Turns the pictures of the camera of this id from now on, in the call that goes on too. False where another one is used,
    /// and nothing is done.
    pub fn turn(&self, camera: &str, rotation: Rotation) -> bool {
        let used = camera_rotation(&lock(&self.choices), &self.selection);
        let is_used = used.is_some_and(|used| used.camera == camera);
        if is_used {
            self.selection.rotation(camera).set(rotation);
            self.show();
        }
        is_used
    }

    /// The chosen camera, for a call or to be tried out; none where there is to be none.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let format = self.video_format();
        let choice = lock(&self.choices).camera.clone();
        Ok(match choice {
            CameraChoice::Device(_) => Some(Box::new(self.selection.open_camera(format)?)),
            CameraChoice::Pattern => {
                let rotation = self.selection.rotation(PATTERN);
                Some(Box::new(Rotated::new(PatternCamera::new(format), rotation)))
            }
            CameraChoice::Unusable(cause) => return Err(refusal(cause)),
            CameraChoice::None => None,
        })
    }

    /// The same of the microphone.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        let choice = lock(&self.choices).microphone.clone();
        Ok(match choice {
            MicrophoneChoice::Device(_) => Some(Box::new(self.selection.open_microphone()?)),
            MicrophoneChoice::Tone(hz) => Some(Box::new(audio::ToneMicrophone::new(hz))),
            MicrophoneChoice::Unusable(cause) => return Err(refusal(cause)),
            MicrophoneChoice::None => None,
        })
    }

    /// What is tried out at the moment, until a call needs it.
    #[must_use]
    pub const fn loans(&self) -> &Loans {
        &self.loans
    }

    /// How loud the microphone is that a call or a rehearsal listens to.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Where the window shows a camera that is tried out.
    #[must_use]
    pub fn preview(&self) -> Box<dyn VideoSink> {
        self.pictures.preview_sink()
    }

    /// Brings the window's view of the choices up to date.
    fn show(&self) {
        let choices = lock(&self.choices).clone();
        let rotation = camera_rotation(&choices, &self.selection);
        self.view.send_modify(|view| {
            view.revision += 1;
            view.stand_ins = choices.visible();
            view.devices.rotation = rotation;
            for kind in DeviceKind::ALL.map(notice_kind) {
                let chosen = choices.device(kind).flatten();
                view.devices.menu(kind).chosen = chosen.map(str::to_owned);
            }
        });
    }
}

impl MediaFactory for DesktopMedia {
    fn open_camera(&self) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        self.loans.call_back(DeviceKind::Camera);
        self.camera()
    }

    fn open_microphone(&self) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
        self.loans.call_back(DeviceKind::Microphone);
        let metered =
            |source| -> Box<dyn AudioSource> { Box::new(Metered::new(source, self.meter.clone())) };
        Ok(self.microphone()?.map(metered))
    }

    fn open_speaker(&self) -> Result<Option<Box<dyn AudioSink>>, MediaError> {
        let choice = lock(&self.choices).speaker.clone();
        Ok(match choice {
            SpeakerChoice::Device(_) => Some(Box::new(self.selection.open_speaker()?)),
            SpeakerChoice::None => None,
        })
    }

    fn follow_devices(&self, changed: Box<dyn FnMut(DeviceKind) + Send>) -> Option<Following> {
        *lock(&self.call) = Some(changed);
        self.view.send_modify(|view| {
            view.revision += 1;
            view.devices.toasts.clear();
        });
        let (choices, call) = (Arc::clone(&self.choices), Arc::clone(&self.call));
        let (view, mut board) = (self.view.clone(), Board::default());
        let selection = self.selection.clone();
        Some(self.selection.follow(move |news| {
            if !concerns(news, |kind| lock(&choices).device(kind).is_some()) {
                return;
            }
            let rotation = camera_rotation(&lock(&choices), &selection);
            view.send_modify(|view| {
                view.revision += 1;
                view.devices.rotation = rotation;
                board.show(&mut view.devices, news, Instant::now());
            });
            if let DeviceNews::Changed {
                kind,
                using: Some(_),
                ..
            } = news
            {
                change(&call, *kind);
            }
        }))
    }

    fn remote_video(&self, key_frames: KeyFrameRequester) -> Box<dyn EncodedVideoSink> {
        self.pictures.remote_sink(key_frames)
    }

    fn self_view(&self) -> Option<Box<dyn VideoSink>> {
        Some(self.pictures.own_sink())
    }

    fn video_format(&self) -> VideoFormat {
        match lock(&self.choices).full_hd {
            true => FULL_HD,
            false => DEFAULT_VIDEO_FORMAT,
        }
    }

    fn max_bitrate(&self) -> u32 {
        match lock(&self.choices).full_hd {
            true => FULL_HD_BITRATE,
            false => DEFAULT_MAX_BITRATE,
        }
    }
}

impl Speakers for DesktopMedia {
    fn speaker(&self) -> Opened {
        self.open_speaker()
    }

    fn second_speaker(&self, id: &str) -> Opened {
        let boxed = |speaker| -> Box<dyn AudioSink> { Box::new(speaker) };
        let choice = lock(&self.choices).speaker.clone();
        Ok(match choice {
            SpeakerChoice::Device(_) => self.selection.open_second_speaker(id)?.map(boxed),
            SpeakerChoice::None => Some(boxed(audio::Speaker::open(Some(id))?)),
        })
    }
}

/// The camera that is to be used, and how far its pictures are turned; none where there is none.
fn camera_rotation(choices: &Choices, selection: &Selection) -> Option<CameraRotation> {
    let camera = match &choices.camera {
        CameraChoice::Device(chosen) => {
            let cameras = selection.lists().cameras;
            let used = cameras.find(chosen.as_deref()).or(cameras.find(None))?;
            used.id.clone()
        }
        CameraChoice::Pattern => PATTERN.to_owned(),
        CameraChoice::Unusable(_) | CameraChoice::None => return None,
    };
    let rotation = selection.rotation(&camera).get();
    Some(CameraRotation { camera, rotation })
}

/// Whether the news is about a device that may be used: not where something artificial was asked for, unless it is new.
fn concerns(news: &DeviceNews, is_device: impl Fn(NoticeKind) -> bool) -> bool {
    match news {
        DeviceNews::Listed(_) | DeviceNews::Appeared { .. } => true,
        DeviceNews::Changed { kind, .. } | DeviceNews::Refused { kind, .. } => {
            is_device(notice_kind(*kind))
        }
    }
}

fn change(call: &Changed, kind: DeviceKind) {
    if let Some(changed) = &mut *lock(call) {
        changed(kind);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
