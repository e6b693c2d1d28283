//! What a device plays or hears, recorded, with the moment of every sample.

use std::{
    io::Read,
    process::{Child, ChildStdout},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use super::{RATE, end};

/// Sound that is being recorded. Ended when dropped.
pub struct Recording {
    child: Child,
    sound: Arc<Mutex<Sound>>,
}

#[derive(Default)]
struct Sound {
    samples: Vec<f64>,
    /// When the first sample was heard: pieces come late by turns, never early, so that the earliest guess is the best.
    began: Option<Instant>,
    ended: bool,
}

impl Recording {
    /// Reads what this recorder writes.
    pub(super) fn of(mut child: Child) -> anyhow::Result<Self> {
        let output = child.stdout.take().context("the pipe was asked for")?;
        let sound = Arc::<Mutex<Sound>>::default();
        let theirs = Arc::clone(&sound);
        thread::spawn(move || read(output, &theirs));
        Ok(Self { child, sound })
    }

    /// Waits until `enough` says so of everything that was recorded so far, and gives it.
    ///
    /// # Errors
    /// When it takes longer than `patience`, or the recorder ends.
    pub fn wait_until(
        &self,
        patience: Duration,
        enough: impl Fn(&[f64]) -> bool,
    ) -> anyhow::Result<Vec<f64>> {
        self.wait(patience, |sound| {
            enough(&sound.samples).then(|| sound.samples.clone())
        })
    }

    /// What was heard from this moment on for so long; waits for it.
    ///
    /// # Errors
    /// When the recording began later, or the recorder ends.
    pub fn heard(&self, from: Instant, length: Duration) -> anyhow::Result<Vec<f64>> {
        let samples_in = |time: Duration| (time.as_secs_f64() * f64::from(RATE)) as usize;
        let patience =
            (from + length).saturating_duration_since(Instant::now()) + Duration::from_secs(10);
        self.wait(patience, |sound| {
            let begin = samples_in(from.checked_duration_since(sound.began?)?);
            let part = begin..begin + samples_in(length);
            Some(sound.samples.get(part)?.to_vec())
        })
    }

    fn wait<T>(
        &self,
        patience: Duration,
        found: impl Fn(&Sound) -> Option<T>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            let sound = lock(&self.sound);
            if let Some(found) = found(&sound) {
                return Ok(found);
            }
            ensure!(!sound.ended, "the recorder has ended");
            ensure!(
                Instant::now() < deadline,
                "not heard within {patience:?}; {} samples were recorded",
                sound.samples.len()
            );
            drop(sound);
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn lock(sound: &Mutex<Sound>) -> MutexGuard<'_, Sound> {
    sound.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(mut output: ChildStdout, sound: &Mutex<Sound>) {
    let mut bytes = Vec::new();
    let mut piece = [0; 16_384];
    while let Ok(length @ 1..) = output.read(&mut piece) {
        let now = Instant::now();
        bytes.extend_from_slice(&piece[..length]);
        let (samples, _) = bytes.as_chunks::<4>();
        let taken = samples.len() * 4;
        let mut sound = lock(sound);
        sound.samples.extend(
            samples
                .iter()
                .map(|sample| f64::from(f32::from_le_bytes(*sample))),
        );
        let length = Duration::from_secs_f64(sound.samples.len() as f64 / f64::from(RATE));
        let guess = now.checked_sub(length);
        sound.began = match (sound.began, guess) {
            (Some(earlier), Some(guess)) => Some(earlier.min(guess)),
            (earlier, guess) => earlier.or(guess),
        };
        drop(sound);
        bytes.drain(..taken);
    }
    lock(sound).ended = true;
}
