//! A running stream: the thread it lives on, its health, and the bell between its callback and our thread.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

use cpal::{
    BufferSize, Device, ErrorKind, Stream, StreamConfig, SupportedBufferSize,
    SupportedStreamConfig, traits::DeviceTrait,
};

use super::{Direction, LOST_AFTER, OPEN_WITHIN, failure, find::find};
use crate::MediaError;

/// How long the end of a call waits for a device to close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// Missed rings of the bell are made up for after so long.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    Ready,
    NotYet,
    Broken,
}

/// What the callbacks tell our thread.
#[derive(Default)]
pub(super) struct Line {
    waiting: Mutex<Option<Thread>>,
    broken: AtomicBool,
}

impl Line {
    /// From the real-time callback: wakes our thread. Never waits.
    pub(super) fn ring(&self) {
        if let Ok(waiting) = self.waiting.try_lock()
            && let Some(thread) = &*waiting
        {
            thread.unpark();
        }
    }

    /// From the error callback.
    pub(super) fn report(&self, error: &cpal::Error) {
        if failure::is_fatal(error) {
            tracing::info!(%error, "a sound device has failed");
            self.broken.store(true, Relaxed);
            self.ring();
        } else if error.kind() != ErrorKind::Xrun {
            tracing::debug!(%error, "a sound device complains");
        }
    }

    /// Waits until `ready`. False when the stream is broken, or nothing has come for too long.
    pub(super) fn wait_until(&self, ready: impl FnMut() -> bool) -> bool {
        self.wait(LOST_AFTER, ready) == Waited::Ready
    }

    /// Waits until `ready`, at most so long.
    pub(super) fn wait(&self, limit: Duration, mut ready: impl FnMut() -> bool) -> Waited {
        let since = Instant::now();
        let me = thread::current();
        if let Ok(mut waiting) = self.waiting.lock()
            && waiting.as_ref().is_none_or(|thread| thread.id() != me.id())
        {
            *waiting = Some(me);
        }
        loop {
            if ready() {
                return Waited::Ready;
            }
            if self.broken.load(Relaxed) {
                return Waited::Broken;
            }
            if since.elapsed() > limit {
                return Waited::NotYet;
            }
            thread::park_timeout(LOOK_AGAIN);
        }
    }
}

/// Closes the stream when it is dropped.
pub(super) struct Running {
    /// Dropped to stop.
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop = None;
        let _ = self.ended.recv_timeout(CLOSE_WITHIN);
    }
}

/// Opens a device on a thread of its own and keeps the stream there. `build` makes the stream, starts it, and says
/// whatever the other end needs.
pub(super) fn run<T: Send + 'static>(
    direction: Direction,
    name: Option<&str>,
    build: impl FnOnce(&Device, &str) -> Result<(Stream, T), MediaError> + Send + 'static,
) -> Result<(Running, T), MediaError> {
    let name = name.map(str::to_owned);
    let (stop, stopped) = channel::<()>();
    let (alive, ended) = sync_channel::<()>(0);
    let (opened, outcome) = sync_channel(1);
    thread::Builder::new()
        .name(format!("{}-device", direction.noun()))
        .spawn(move || {
            let _alive = alive;
            let built = find(&cpal::default_host(), direction, name.as_deref())
                .and_then(|(device, name)| build(&device, &name));
            let stream = match built {
                Ok((stream, other_end)) => {
                    // Whoever asked may have given up; the stream ends here then.
                    if opened.send(Ok(other_end)).is_err() {
                        return;
                    }
                    stream
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = stopped.recv();
            drop(stream);
        })
        .map_err(|error| {
            MediaError::Device(format!("This computer is out of threads: {error}."))
        })?;
    let running = Running {
        stop: Some(stop),
        ended,
    };
    match outcome.recv_timeout(OPEN_WITHIN) {
        Ok(outcome) => outcome.map(|other_end| (running, other_end)),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            // It hangs already: closing must not wait for it as well.
            std::mem::forget(running);
            Err(failure::no_answer(direction))
        }
    }
}

/// The device's own format with a short buffer, and with its own where it takes no other.
pub(super) fn configs(supported: &SupportedStreamConfig, buffer_ms: u32) -> [StreamConfig; 2] {
    let mut period = supported.sample_rate() * buffer_ms / 1_000;
    if let SupportedBufferSize::Range { min, max } = *supported.buffer_size() {
        period = period.clamp(min, max.max(min));
    }
    [BufferSize::Fixed(period), BufferSize::Default].map(|buffer_size| StreamConfig {
        buffer_size,
        ..supported.config()
    })
}

/// What the device likes best.
pub(super) fn default_config(
    device: &Device,
    direction: Direction,
) -> Result<SupportedStreamConfig, cpal::Error> {
    match direction {
        Direction::Input => device.default_input_config(),
        Direction::Output => device.default_output_config(),
    }
}

pub(super) type SharedLine = Arc<Line>;
