//! Which camera, microphone and speaker are used: what the person chose, where it is there, else what the system takes by
//! default. While somebody follows it, it looks for devices that come and go.

mod news;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use self::news::Use;
use crate::{
    DeviceKind, MediaError, VideoFormat,
    audio::{Microphone, Speaker, speaker_list},
    video::{Camera, Rotated, RotationControl},
};

pub use self::news::{DeviceLists, DeviceNews};

/// A chosen camera may need the one before to be let go first: so often may it fail before it is given up.
const CAMERA_ATTEMPTS: u32 = 2;

/// The choice, and what is there. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Selection(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    listeners: Mutex<Listeners>,
    /// By the cameras' ids.
    rotations: Mutex<BTreeMap<String, RotationControl>>,
}

type Listener = Box<dyn FnMut(&DeviceNews) + Send>;

#[derive(Default)]
struct Listeners {
    last: u64,
    all: Vec<(u64, Listener)>,
}

#[derive(Default)]
struct State {
    camera: Use,
    microphone: Use,
    speaker: Use,
    /// None before the first look.
    lists: Option<DeviceLists>,
    /// What was chosen last, until it is open.
    trial: Option<Trial>,
    followers: usize,
    is_watched: bool,
}

/// A choice that has still to prove itself.
struct Trial {
    kind: DeviceKind,
    /// What was chosen before.
    before: Use,
    failures: u32,
}

impl State {
    const fn used(&mut self, kind: DeviceKind) -> &mut Use {
        match kind {
            DeviceKind::Camera => &mut self.camera,
            DeviceKind::Microphone => &mut self.microphone,
            DeviceKind::Speaker => &mut self.speaker,
        }
    }
}

impl Selection {
    /// Everything as the system has it, until something is chosen.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            listeners: Mutex::default(),
            rotations: Mutex::default(),
        }))
    }

    /// Uses the device of this id or name from now on; None: whatever the system takes by default.
    pub fn choose(&self, kind: DeviceKind, id: Option<&str>) {
        let mut state = self.lock();
        let before = state.used(kind).clone();
        state.used(kind).chosen = id.map(str::to_owned);
        let Some(lists) = state.lists.clone() else {
            return;
        };
        let list = lists.of(kind);
        let news = state.used(kind).follow(kind, list, list);
        if !news.is_empty() {
            state.trial = Some(Trial {
                kind,
                before,
                failures: 0,
            });
        }
        drop(state);
        self.tell(&news);
    }

    /// What was chosen; None: whatever the system takes by default.
    #[must_use]
    pub fn chosen(&self, kind: DeviceKind) -> Option<String> {
        self.lock().used(kind).chosen.clone()
    }

    /// What there was at the last look; nothing before somebody followed.
    #[must_use]
    pub fn lists(&self) -> DeviceLists {
        self.lock().lists.clone().unwrap_or_default()
    }

    /// Calls `listener` with all news until the answer is dropped; on threads that must not wait. The first thing that it
    /// hears is what there is.
    #[must_use]
    pub fn follow(&self, listener: impl FnMut(&DeviceNews) + Send + 'static) -> Following {
        let mut listeners = lock(&self.0.listeners);
        listeners.last += 1;
        let number = listeners.last;
        listeners.all.push((number, Box::new(listener)));
        drop(listeners);
        watch::attend(&self.0);
        Following {
            shared: Arc::clone(&self.0),
            number,
        }
    }

    /// Opens the microphone that is to be used.
    ///
    /// # Errors
    /// Those of [`Microphone::open`].
    pub fn open_microphone(&self) -> Result<Microphone, MediaError> {
        self.open(DeviceKind::Microphone, Microphone::open)
    }

    /// Opens the speaker that is to be used.
    ///
    /// # Errors
    /// Those of [`Speaker::open`].
    pub fn open_speaker(&self) -> Result<Speaker, MediaError> {
        self.open(DeviceKind::Speaker, Speaker::open)
    }

    /// Opens the speaker of this id beside the one that is to be used; none where both are the same. May take a few seconds.
    ///
    /// # Errors
    /// Those of [`Speaker::open`].
    pub fn open_second_speaker(&self, id: &str) -> Result<Option<Speaker>, MediaError> {
        let (list, chosen) = (speaker_list(), self.chosen(DeviceKind::Speaker));
        let used = list.find(chosen.as_deref()).or(list.find(None));
        let is_used = used.is_some_and(|used| used.id == id);
        (!is_used).then(|| Speaker::open(Some(id))).transpose()
    }

    /// Opens the camera that is to be used; its pictures are turned as [`Self::rotation`] says.
    ///
    /// # Errors
    /// Those of [`Camera::open`].
    pub fn open_camera(&self, wanted: VideoFormat) -> Result<Rotated<Camera>, MediaError> {
        let camera = self.open(DeviceKind::Camera, |name| Camera::open(name, wanted))?;
        let rotation = self.rotation(camera.id());
        Ok(Rotated::new(camera, rotation))
    }

    /// How far the pictures of the camera of this id are turned, and how to change that, also while it is open.
    #[must_use]
    pub fn rotation(&self, camera: &str) -> RotationControl {
        let mut rotations = lock(&self.0.rotations);
        rotations.entry(camera.to_owned()).or_default().clone()
    }

    /// Where the chosen one is not there, the system's default one serves.
    fn open<D>(
        &self,
        kind: DeviceKind,
        open: impl Fn(Option<&str>) -> Result<D, MediaError>,
    ) -> Result<D, MediaError> {
        let chosen = self.chosen(kind);
        let opened = match open(chosen.as_deref()) {
            Err(MediaError::NoDevice(_)) if chosen.is_some() => open(None),
            other => other,
        };
        self.tried(kind, opened.as_ref().err());
        opened
    }

    /// A device that was chosen and cannot be opened is not chosen any more.
    fn tried(&self, kind: DeviceKind, error: Option<&MediaError>) {
        let mut state = self.lock();
        let Some(trial) = state.trial.as_mut().filter(|trial| trial.kind == kind) else {
            return;
        };
        let mut news = Vec::new();
        if let Some(error) = error {
            trial.failures += 1;
            if kind == DeviceKind::Camera && trial.failures < CAMERA_ATTEMPTS {
                return;
            }
            let message = error.to_string();
            news.push(DeviceNews::Refused { kind, message });
        }
        let trial = state.trial.take();
        if let (Some(trial), false) = (trial, news.is_empty()) {
            *state.used(kind) = trial.before;
        }
        drop(state);
        self.tell(&news);
    }

    fn tell(&self, news: &[DeviceNews]) {
        self.0.tell(news);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Selection")
    }
}

impl Shared {
    fn tell(&self, news: &[DeviceNews]) {
        let mut listeners = lock(&self.listeners);
        for news in news {
            tracing::debug!(?news, "devices");
            for (_, listener) in &mut listeners.all {
                listener(news);
            }
        }
    }
}

/// As long as it lives, devices are looked for and the listener is told.
pub struct Following {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Following {
    fn drop(&mut self) {
        lock(&self.shared.listeners)
            .all
            .retain(|(number, _)| *number != self.number);
        watch::leave(&self.shared);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is whole, and listeners do not panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
