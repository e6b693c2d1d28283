//! The camera's side of the send chain: threads that open, read, lose and reopen it, and the watch over them.
//!
//! A camera that has been unplugged can block its reader for ever. Nobody can end that thread; so it is given up, another
//! one takes its place, and when the old one wakes up it finds that it is of an older generation and leaves.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Mailbox, VideoFrame, VideoSource};
use crate::{MediaError, MediaEvent};

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
/// So many threads may hang in a camera; after that it is not tried again until one of them comes back.
const MAX_STUCK: usize = 3;
/// A camera that was switched off is waited for so long before it is opened again.
const RELEASE: Duration = Duration::from_secs(2);

const HANGS: &str = "The camera has stopped sending pictures. Unplug it and plug it in again, or choose another one.";

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
    /// Threads that exist, given up or not.
    alive: usize,
    /// What the current thread waits for, and since when. None while it waits for nothing.
    waiting: Option<(Waiting, Instant)>,
    /// There are no pictures, and whoever wanted them knows it.
    failed: bool,
    /// No other thread would get any further: the next one that comes back makes room for a new one.
    blocked: bool,
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
            alive: 0,
            waiting: None,
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
        state.generation += 1;
        state.waiting = None;
        state.failed = false;
        if enabled {
            self.start_thread(state);
        } else {
            drop(state);
            self.frames.try_take();
        }
        self.changed.notify_all();
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.lock().enabled
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
        state.generation += 1;
        state.waiting = None;
        let tell = !std::mem::replace(&mut state.failed, true);
        if self.is_being_opened() {
            state.blocked = true;
            drop(state);
        } else {
            self.start_thread(state);
        }
        self.changed.notify_all();
        if tell {
            self.tell(MediaEvent::CameraLost(HANGS.to_owned()));
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

    fn start_thread(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let generation = state.generation;
        state.blocked = state.alive > MAX_STUCK;
        if state.blocked {
            let tell = !std::mem::replace(&mut state.failed, true);
            drop(state);
            if tell {
                self.tell(MediaEvent::CameraLost(HANGS.to_owned()));
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
                &format!("The camera cannot be used: this computer is out of threads ({error})."),
            );
        }
    }

    /// The end of a thread. Where nothing could be done while it hung, it is done now.
    fn leave(self: &Arc<Self>) {
        let mut state = self.lock();
        state.alive -= 1;
        if state.blocked && state.enabled {
            state.generation += 1;
            self.start_thread(state);
        } else {
            drop(state);
        }
        self.changed.notify_all();
    }

    fn run(&self, generation: u64) {
        self.wait_for_release_by_others(generation);
        let mut failures = 0;
        while self.is_current(generation) {
            match self.open_and_read(generation) {
                Ok(()) => return,
                Err((problem, delivered)) => {
                    failures = if delivered { 0 } else { failures };
                    self.lose(generation, &problem.to_string());
                }
            }
            self.pause(generation, RETRY[failures.min(RETRY.len() - 1)]);
            failures += 1;
        }
    }

    /// Reads until the camera is not wanted any more (Ok) or fails; says with the failure whether it ever delivered.
    fn open_and_read(&self, generation: u64) -> Result<(), (MediaError, bool)> {
        self.note_waiting(generation, Waiting::ForFirst);
        let Some(mut source) = self.open(generation).map_err(|problem| (problem, false))? else {
            self.note_none(generation);
            return Ok(());
        };
        let mut delivered = false;
        while self.is_current(generation) {
            let frame = source
                .next_frame()
                .map_err(|problem| (problem, delivered))?;
            if !self.deliver(generation, frame) {
                break;
            }
            if !std::mem::replace(&mut delivered, true) {
                self.tell(MediaEvent::CameraReady);
            }
        }
        Ok(())
    }

    fn open(&self, generation: u64) -> Result<Option<Box<dyn VideoSource>>, MediaError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread before may have taken so long that nobody wants the camera any more.
        if self.is_current(generation) {
            open()
        } else {
            Ok(None)
        }
    }

    fn deliver(&self, generation: u64, frame: VideoFrame) -> bool {
        let mut state = self.lock();
        if state.generation != generation {
            return false;
        }
        state.waiting = Some((Waiting::ForNext, Instant::now()));
        // Under the lock, so that no picture gets in after the camera was switched off.
        self.frames.put(frame);
        state.failed = false;
        true
    }

    /// There is to be no camera, as long as nobody asks again.
    fn note_none(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation == generation {
            state.waiting = None;
            state.failed = true;
        }
    }

    /// Tells the user, once until the camera is back.
    fn lose(&self, generation: u64, sentence: &str) {
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        state.waiting = None;
        let tell = !std::mem::replace(&mut state.failed, true);
        drop(state);
        if tell {
            self.tell(MediaEvent::CameraLost(sentence.to_owned()));
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

    fn is_current(&self, generation: u64) -> bool {
        self.lock().generation == generation
    }

    fn pause(&self, generation: u64, time: Duration) {
        let state = self.lock();
        drop(
            self.changed
                .wait_timeout_while(state, time, |state| state.generation == generation),
        );
    }

    /// The camera may still be held by the thread that was told to let it go.
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
