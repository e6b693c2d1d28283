//! A thread that ends when its handle is dropped.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::MediaError;

/// A device that does not answer must not hold up the end of a call.
const LEAVE_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Worker {
    stop: Arc<AtomicBool>,
    /// Disconnected when the thread has ended. In a mutex only so that handles can be shared.
    ended: Mutex<Receiver<()>>,
}

impl Worker {
    /// Runs `work` on a thread called `name` until it returns, which it should do soon after the flag is set.
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> Result<Self, MediaError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (alive, ended) = sync_channel::<()>(0);
        let flag = Arc::clone(&stop);
        thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let _alive = alive;
                work(&flag);
            })
            .map_err(|error| {
                MediaError::Device(format!("This computer is out of threads: {error}."))
            })?;
        Ok(Self {
            stop,
            ended: Mutex::new(ended),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Files are finished and devices closed by then; whatever hangs longer is left to itself.
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(LEAVE_AFTER);
    }
}
