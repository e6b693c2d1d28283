//! The line before password hashing. One hash takes 19 MB and some 20 ms of a core, and anybody may ask for one without
//! having signed in: a flood of them must take neither all the memory nor everybody else's place.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

/// So many are made at once.
const AT_ONCE: usize = 4;

/// So many may be under way or wait altogether: a few seconds' work.
const LONGEST_LINE: usize = 256;

/// So many of them for one address.
const LONGEST_OF_ONE: usize = 64;

/// Too many wait already.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// See the module.
#[derive(Debug, Clone)]
pub struct Hashing {
    at_once: Arc<Semaphore>,
    line: Arc<Line>,
}

#[derive(Debug, Default)]
struct Line(Mutex<HashMap<IpAddr, usize>>);

/// A place in the line; given up when dropped.
#[derive(Debug)]
struct Place {
    line: Arc<Line>,
    address: IpAddr,
}

impl Hashing {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            line: Arc::default(),
        }
    }

    /// Does this work for somebody at this address, on a thread that may block, when it is its turn.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn run<T: Default + Send + 'static>(
        &self,
        address: IpAddr,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooMany> {
        let place = Line::enter(&self.line, address)?;
        // The semaphore is never closed.
        let turn = Arc::clone(&self.at_once).acquire_owned().await;
        let work = move || {
            let result = work();
            // Not before the work is done, even where nobody waits for it any more.
            drop((turn, place));
            result
        };
        Ok(tokio::task::spawn_blocking(work).await.unwrap_or_default())
    }
}

impl Line {
    fn enter(line: &Arc<Self>, address: IpAddr) -> Result<Place, TooMany> {
        let mut waiting = line.waiting();
        let all: usize = waiting.values().sum();
        let own = waiting.get(&address).copied().unwrap_or_default();
        if all >= LONGEST_LINE || own >= LONGEST_OF_ONE {
            return Err(TooMany);
        }
        waiting.insert(address, own + 1);
        Ok(Place {
            line: Arc::clone(line),
            address,
        })
    }

    /// Whole numbers stay right when a holder of the lock has panicked.
    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.line.waiting();
        if let Some(own) = waiting.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                waiting.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test]
    async fn the_line_is_bounded_and_nobody_fills_it_alone() {
        let hashing = Hashing::new();
        let turns = hashing.at_once.acquire_many(AT_ONCE as u32).await;
        let mut waiting = Vec::new();
        for n in 0..LONGEST_LINE {
            let from = address((n / LONGEST_OF_ONE) as u8);
            let mut job = Box::pin(hashing.run(from, || ()));
            assert_eq!(job.as_mut().now_or_never(), None, "{n} waits");
            waiting.push(job);
            if n + 1 == LONGEST_OF_ONE {
                assert_eq!(hashing.run(from, || ()).await, Err(TooMany));
            }
        }
        assert_eq!(hashing.run(address(99), || ()).await, Err(TooMany));
        // Those who go away make room.
        drop(waiting);
        drop(turns);
        assert_eq!(hashing.run(address(99), || 7).await, Ok(7));
        assert!(hashing.line.waiting().is_empty());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_still_counts() {
        let hashing = Hashing::new();
        let (go_on, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        for _ in 0..AT_ONCE {
            let blocked = Arc::clone(&blocked);
            let work = move || drop(blocked.lock().map(|blocked| blocked.recv()));
            // Begins, and is then left alone.
            assert_eq!(hashing.run(address(1), work).now_or_never(), None);
        }
        assert_eq!(hashing.at_once.available_permits(), 0);
        assert_eq!(hashing.run(address(2), || ()).now_or_never(), None);
        drop(go_on);
        assert_eq!(hashing.run(address(2), || 7).await, Ok(7));
    }
}
