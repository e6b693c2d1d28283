//! Plays a tone until it is dropped or the tone is over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{Opened, tone::Tone};

/// The sound stops when this is dropped.
pub struct Player {
    stopped: Arc<AtomicBool>,
}

impl Player {
    /// Opens the speaker, on a thread of its own since that can take a while, and plays.
    pub fn start(tone: Tone, open: impl FnOnce() -> Opened + Send + 'static) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        let started = thread::Builder::new()
            .name("ring".into())
            .spawn(move || play(tone, open, &flag));
        if let Err(error) = started {
            tracing::warn!(%error, "it rings without a sound");
        }
        Self { stopped }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // The thread sees it after 10 ms; nobody has to wait for a speaker to close.
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// The screen rings too, so a speaker that cannot be used is nothing to trouble the person with.
fn play(tone: Tone, open: impl FnOnce() -> Opened, stopped: &AtomicBool) {
    let mut speaker = match open() {
        Ok(Some(speaker)) => speaker,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(%error, "it rings without a sound");
            return;
        }
    };
    let mut number = 0;
    let is_over = |number| tone.frames().is_some_and(|frames| number >= frames);
    while !stopped.load(Ordering::Relaxed) && !is_over(number) {
        if let Err(error) = speaker.write(&tone.frame(number)) {
            tracing::warn!(%error, "the ringing has lost its speaker");
            return;
        }
        number += 1;
    }
}
