//! The camera's side of the send chain: threads that open, read, lose and reopen it, and the watch over them.
//!
//! A camera that has been unplugged can block its reader for ever. Nobody can end that thread; so it is given up, another
//! one takes its place, and when the old one wakes up it finds that it is of an older generation and leaves.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::picture_rate::PictureRate;
use super::{Mailbox, VideoFrame, VideoSource};
use crate::{DeviceCause, DeviceTrouble, MediaError, MediaEvent};

/// Opens the camera. None means that the user wants none.
pub(super) type Opener =
    Box<dyn FnMut() -> Result<Option<Box<dyn VideoSource>>, MediaError> + Send>;

/// Some cameras take a second or two to deliver their first picture.
const FIRST_FRAME: Duration = Duration::from_secs(8);
/// No camera delivers less than a picture in this time.
const NEXT_FRAME: Duration = Duration::from_secs(3);
/// A lost camera is tried again after the first of these, then the second, and so on.
const RETRY: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// A camera that is lost after it has delivered for so long is opened again at once, or another one in its place.
const STEADY_AFTER: Duration = Duration::from_secs(1);
/// So many threads may hang in a camera; after that it is not tried again until one of them comes back.
const MAX_STUCK: usize = 3;
/// A camera that was switched off is waited for so long before it is opened again.
const RELEASE: Duration = Duration::from_secs(2);

const HANGS: &str = "The camera has stopped sending pictures. Unplug it and plug it in again, or choose another one.";

fn hangs() -> DeviceTrouble {
    DeviceTrouble {
        cause: DeviceCause::Other,
        sentence: HANGS.to_owned(),
    }
}

/// The camera of a send chain.
pub(super) struct Camera {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while opening only.
    open: Mutex<Opener>,
    frames: Arc<Mailbox<VideoFrame>>,
    on_event: Mutex<Box<dyn FnMut(MediaEvent) + Send>>,
}

#[derive(Debug)]
struct State {
    enabled: bool,
    /// Threads of another generation have been given up.
    generation: u64,
    /// The generation that takes the place of the current one with its first picture.
    successor: Option<u64>,
    /// No generation had a higher number.
    last_generation: u64,
    /// Threads that exist, given up or not.
    alive: usize,
    /// What the current thread waits for, and since when. None while it waits for nothing.
    waiting: Option<(Waiting, Instant)>,
    /// How many pictures the current one gives.
    rate: PictureRate,
    /// There are no pictures, and whoever wanted them knows it.
    failed: bool,
    /// No other thread would get any further: the next one that comes back makes room for a new one.
    blocked: bool,
}

impl State {
    /// Gives up all threads that there are; the next one is of this generation.
    fn begin_generation(&mut self) {
        self.last_generation += 1;
        self.generation = self.last_generation;
        self.successor = None;
        self.waiting = None;
        self.rate = PictureRate::default();
    }

    fn may_go_on(&self, generation: u64) -> bool {
        self.generation == generation || self.successor == Some(generation)
    }

    /// The successor takes over. Whatever was before finds that it is of an older generation. True when it has.
    fn promote(&mut self, generation: u64) -> bool {
        let does = self.successor == Some(generation);
        if does {
            self.generation = generation;
            self.successor = None;
            self.waiting = None;
            self.rate = PictureRate::default();
        }
        does
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    ForFirst,
    ForNext,
}

impl Camera {
    pub(super) fn new(
        open: Opener,
        frames: Arc<Mailbox<VideoFrame>>,
        on_event: Box<dyn FnMut(MediaEvent) + Send>,
    ) -> Arc<Self> {
        let state = State {
            enabled: false,
            generation: 0,
            successor: None,
            last_generation: 0,
            alive: 0,
            waiting: None,
            rate: PictureRate::default(),
            failed: false,
            blocked: false,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            open: Mutex::new(open),
            frames,
            on_event: Mutex::new(on_event),
        })
    }

    /// Opens the camera or lets it go; neither waits. One that has failed is tried again at once, and what comes of it is
    /// told even if that is nothing new.
    pub(super) fn set_enabled(self: &Arc<Self>, enabled: bool) {
        let mut state = self.lock();
        let is_so_already = state.enabled == enabled && !(enabled && state.failed);
        if is_so_already {
            return;
        }
        state.enabled = enabled;
        state.begin_generation();
        state.failed = false;
        if enabled {
            let generation = state.generation;
            self.start_thread(state, generation);
        } else {
            drop(state);
            self.frames.try_take();
        }
        self.changed.notify_all();
    }

    /// Another camera is wanted, or there is another one: opens it, while the one before goes on until its first picture is
    /// there. Where both cannot be open at once there is a short time without pictures.
    pub(super) fn reopen(self: &Arc<Self>) {
        let mut state = self.lock();
        if !state.enabled {
            return;
        }
        if state.failed {
            state.begin_generation();
            state.failed = false;
        } else {
            state.last_generation += 1;
            state.successor = Some(state.last_generation);
        }
        let generation = state.last_generation;
        self.start_thread(state, generation);
        self.changed.notify_all();
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.lock().enabled
    }

    /// How many pictures a second it gives, once that is known. Less than it says in the dark.
    pub(super) fn pictures_per_second(&self) -> Option<u32> {
        self.lock().rate.per_second()
    }

    /// Gives up a thread that hangs. To be called now and then while no pictures come.
    pub(super) fn watch(self: &Arc<Self>, now: Instant) {
        let mut state = self.lock();
        let Some((waiting, since)) = state.waiting else {
            return;
        };
        let limit = if waiting == Waiting::ForFirst {
            FIRST_FRAME
        } else {
            NEXT_FRAME
        };
        if now.saturating_duration_since(since) < limit {
            return;
        }
        tracing::warn!(?waiting, "the camera hangs");
        state.begin_generation();
        let tell = !std::mem::replace(&mut state.failed, true);
        if self.is_being_opened() {
            state.blocked = true;
            drop(state);
        } else {
            let generation = state.generation;
            self.start_thread(state, generation);
        }
        self.changed.notify_all();
        if tell {
            self.tell(MediaEvent::CameraLost(hangs()));
        }
    }

    /// Waits until no thread holds the camera, within reason.
    pub(super) fn wait_until_released(&self, timeout: Duration) {
        let state = self.lock();
        drop(
            self.changed
                .wait_timeout_while(state, timeout, |state| state.alive > 0),
        );
    }

    /// Whether a thread is in the opener, which takes one at a time.
    fn is_being_opened(&self) -> bool {
        matches!(self.open.try_lock(), Err(TryLockError::WouldBlock))
    }

    fn start_thread(self: &Arc<Self>, mut state: MutexGuard<'_, State>, generation: u64) {
        state.blocked = state.alive > MAX_STUCK;
        if state.blocked {
            let tell = !std::mem::replace(&mut state.failed, true);
            drop(state);
            if tell {
                self.tell(MediaEvent::CameraLost(hangs()));
            }
            return;
        }
        state.alive += 1;
        drop(state);
        let camera = Arc::clone(self);
        let started = thread::Builder::new().name("camera".into()).spawn(move || {
            camera.run(generation);
            camera.leave();
        });
        if let Err(error) = started {
            self.lock().alive -= 1;
            self.lose(
                generation,
                &MediaError::Device(format!(
                    "The camera cannot be used: this computer is out of threads ({error})."
                )),
            );
        }
    }

    /// The end of a thread. Where nothing could be done while it hung, it is done now.
    fn leave(self: &Arc<Self>) {
        let mut state = self.lock();
        state.alive -= 1;
        if state.blocked && state.enabled {
            state.begin_generation();
            let generation = state.generation;
            self.start_thread(state, generation);
        } else {
            drop(state);
        }
        self.changed.notify_all();
    }

    fn run(&self, generation: u64) {
        let (mut failures, mut untold) = (0, None);
        self.wait_for_release_by_others(generation);
        while self.may_go_on(generation) {
            let Err((problem, steady)) = self.open_and_read(generation) else {
                return;
            };
            // The one before may be in its way.
            if self.lock().promote(generation) {
                self.wait_for_release_by_others(generation);
                continue;
            }
            if steady {
                failures = 0;
                untold = Some(problem);
                continue;
            }
            let problem = untold.take().unwrap_or(problem);
            self.lose(generation, &problem);
            self.pause(generation, RETRY[failures.min(RETRY.len() - 1)]);
            failures += 1;
        }
    }

    /// Reads until the camera is not wanted any more (Ok) or fails; says with the failure whether it had delivered
    /// for a while.
    fn open_and_read(&self, generation: u64) -> Result<(), (MediaError, bool)> {
        self.note_waiting(generation, Waiting::ForFirst);
        let Some(mut source) = self.open(generation).map_err(|problem| (problem, false))? else {
            self.note_none(generation);
            return Ok(());
        };
        let mut since = None;
        while self.may_go_on(generation) {
            let is_steady = |since: Option<Instant>| {
                since.is_some_and(|since: Instant| since.elapsed() >= STEADY_AFTER)
            };
            let frame = source
                .next_frame()
                .map_err(|problem| (problem, is_steady(since)))?;
            if !self.deliver(generation, frame) {
                break;
            }
            if since.is_none() {
                since = Some(Instant::now());
                self.tell(MediaEvent::CameraReady);
            }
        }
        Ok(())
    }

    fn open(&self, generation: u64) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread before may have taken so long that nobody wants the camera any more.
        if self.may_go_on(generation) {
            open()
        } else {
            Ok(None)
        }
    }

    fn deliver(&self, generation: u64, frame: VideoFrame) -> bool {
        let mut state = self.lock();
        state.promote(generation);
        if state.generation != generation {
            return false;
        }
        state.waiting = Some((Waiting::ForNext, Instant::now()));
        state.rate.saw(frame.captured_at);
        // Under the lock, so that no picture gets in after the camera was switched off.
        self.frames.put(frame);
        state.failed = false;
        true
    }

    /// There is to be no camera, as long as nobody asks again.
    fn note_none(&self, generation: u64) {
        let mut state = self.lock();
        state.promote(generation);
        if state.generation == generation {
            state.waiting = None;
            state.failed = true;
        }
    }

    /// Tells the user, once until the camera is back.
    fn lose(&self, generation: u64, problem: &MediaError) {
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        state.waiting = None;
        let tell = !std::mem::replace(&mut state.failed, true);
        drop(state);
        if tell {
            self.tell(MediaEvent::CameraLost(problem.into()));
        }
    }

    /// Reports what has become of the picture.
    pub(super) fn tell(&self, event: MediaEvent) {
        tracing::info!(?event, "camera");
        self.on_event.lock().unwrap_or_else(PoisonError::into_inner)(event);
    }

    fn note_waiting(&self, generation: u64, waiting: Waiting) {
        let mut state = self.lock();
        if state.generation == generation {
            state.waiting = Some((waiting, Instant::now()));
        }
    }

    fn may_go_on(&self, generation: u64) -> bool {
        self.lock().may_go_on(generation)
    }

    fn pause(&self, generation: u64, time: Duration) {
        let state = self.lock();
        drop(
            self.changed
                .wait_timeout_while(state, time, |state| state.generation == generation),
        );
    }

    /// The camera may still be held by the thread that was told to let it go. A successor does not wait: another one is still
    /// to deliver.
    fn wait_for_release_by_others(&self, generation: u64) {
        let state = self.lock();
        let held = |state: &mut State| state.generation == generation && state.alive > 1;
        drop(self.changed.wait_timeout_while(state, RELEASE, held));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "camera_thread_tests.rs"]
mod tests;
