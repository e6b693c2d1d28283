//! A place for one thing, where the newest wins: what joins a source that must not wait to a stage that may be late.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One slot between two threads. Whoever puts never waits: what has not been taken yet is replaced.
#[derive(Debug)]
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    slot: Option<T>,
    closed: bool,
}

/// What a wait for a [`Mailbox`] ended with.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// The newest thing put.
    Item(T),
    /// Nothing came in time.
    TimedOut,
    /// The mailbox is closed and empty.
    Closed,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                slot: None,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<T> Mailbox<T> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a thing and gives back what it replaced. A closed mailbox gives the thing itself back.
    pub fn put(&self, item: T) -> Option<T> {
        let mut state = self.lock();
        if state.closed {
            return Some(item);
        }
        let replaced = state.slot.replace(item);
        drop(state);
        self.changed.notify_one();
        replaced
    }

    /// Waits for a thing. None when the mailbox is closed and empty.
    pub fn take(&self) -> Option<T> {
        let state = self.lock();
        let mut state = self
            .changed
            .wait_while(state, |state| state.slot.is_none() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.slot.take()
    }

    /// Waits for a thing no longer than the given time.
    pub fn take_timeout(&self, timeout: Duration) -> Taken<T> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(item) = state.slot.take() {
                return Taken::Item(item);
            }
            if state.closed {
                return Taken::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::TimedOut;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Takes what is there, without waiting.
    pub fn try_take(&self) -> Option<T> {
        self.lock().slot.take()
    }

    /// Ends it: nothing more can be put, waits end once the slot is empty.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of others runs under the lock, so that a poisoned one holds nothing broken.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn the_newest_wins() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.put(1), None);
        assert_eq!(mailbox.put(2), Some(1));
        assert_eq!(mailbox.take(), Some(2));
        assert_eq!(mailbox.try_take(), None);
    }

    #[test]
    fn a_closed_one_gives_its_last_and_then_ends() {
        let mailbox = Mailbox::new();
        mailbox.put(1);
        mailbox.close();
        assert_eq!(mailbox.put(2), Some(2));
        assert_eq!(mailbox.take_timeout(Duration::from_secs(5)), Taken::Item(1));
        assert_eq!(mailbox.take_timeout(Duration::from_secs(5)), Taken::Closed);
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn waiting_ends_with_a_put_with_a_close_and_with_time() {
        let mailbox = Arc::new(Mailbox::new());
        let waiting = thread::spawn({
            let mailbox = Arc::clone(&mailbox);
            move || (mailbox.take(), mailbox.take())
        });
        mailbox.put(7);
        mailbox.close();
        assert_eq!(waiting.join().expect("no panic"), (Some(7), None));
        let empty = Mailbox::<u8>::new();
        assert_eq!(
            empty.take_timeout(Duration::from_millis(1)),
            Taken::TimedOut
        );
    }
}
