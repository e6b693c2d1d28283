//! Waiting until the files of a call are closed.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// A slow disk may take so long to write what waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Held by whatever still writes.
#[derive(Debug, Clone)]
pub struct Guard(#[allow(dead_code, reason = "it is there to be dropped")] SyncSender<()>);

/// Knows when the last guard is gone.
#[derive(Debug)]
pub struct Finish(Receiver<()>);

/// A first guard, to be cloned, and what waits for all of them.
pub fn guard() -> (Guard, Finish) {
    let (sender, receiver) = sync_channel(0);
    (Guard(sender), Finish(receiver))
}

impl Finish {
    /// Waits until the last guard is gone. False when that takes too long.
    pub fn wait(self) -> bool {
        self.0.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_the_last_guard() {
        let (guard, finish) = guard();
        let last = guard.clone();
        drop(guard);
        assert_eq!(
            finish.0.try_recv(),
            Err(std::sync::mpsc::TryRecvError::Empty)
        );
        std::thread::spawn(move || drop(last));
        assert!(finish.wait());
    }
}
