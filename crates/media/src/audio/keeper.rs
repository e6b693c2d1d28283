//! Keeps a device open: opens it on a thread of its own, tries again with back-off when it is missing or lost.

use std::{
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use crate::MediaError;

/// Opens a device. None: the user has chosen to have none.
pub(crate) type Opener<D> = Box<dyn FnMut() -> Result<Option<Box<D>>, MediaError> + Send>;

/// What became of the device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Ready,
    /// A sentence for the user. Told once, not at every attempt; once more when the user has asked for another one.
    Lost(String),
}

/// How long to wait before the next attempt, after so many that failed.
pub(crate) const fn back_off(failures: u32) -> Duration {
    Duration::from_millis(match failures {
        0 | 1 => 500,
        2 => 1_000,
        3 => 2_000,
        _ => 5_000,
    })
}

type Opened<D> = (Opener<D>, Result<Option<Box<D>>, MediaError>);

enum State<D: ?Sized> {
    Waiting {
        opener: Opener<D>,
        until: Instant,
    },
    Opening(Receiver<Opened<D>>),
    Open {
        opener: Opener<D>,
        device: Box<D>,
    },
    /// There is to be none, as long as nobody asks again.
    Unwanted(Opener<D>),
    /// Its opener is gone.
    None,
}

pub(crate) struct Keeper<D: ?Sized> {
    state: State<D>,
    failures: u32,
}

impl<D: ?Sized + Send + 'static> Keeper<D> {
    pub(crate) fn new(opener: Opener<D>, now: Instant) -> Self {
        Self {
            state: State::Waiting { opener, until: now },
            failures: 0,
        }
    }

    /// The device, if it is open. Never waits; to be called again and again.
    pub(crate) fn device(
        &mut self,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) -> Option<&mut D> {
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Waiting { opener, until } if now >= until => open(opener),
            State::Opening(result) => match result.try_recv() {
                Ok((opener, outcome)) => self.opened(opener, outcome, now, changed),
                Err(TryRecvError::Empty) => State::Opening(result),
                Err(TryRecvError::Disconnected) => State::None,
            },
            other => other,
        };
        match &mut self.state {
            State::Open { device, .. } => Some(device),
            _ => None,
        }
    }

    /// Tries at once where the device is missing, and tells what comes of it even if that is nothing new.
    pub(crate) fn retry_now(&mut self, now: Instant) {
        self.failures = 0;
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Waiting { opener, .. } | State::Unwanted(opener) => {
                State::Waiting { opener, until: now }
            }
            other => other,
        };
    }

    /// The device failed; it is dropped and will be opened again.
    pub(crate) fn lost(
        &mut self,
        error: &MediaError,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) {
        if let State::Open { opener, device } = std::mem::replace(&mut self.state, State::None) {
            drop(device);
            self.state = self.failed(opener, error, now, changed);
        }
    }

    fn opened(
        &mut self,
        opener: Opener<D>,
        outcome: Result<Option<Box<D>>, MediaError>,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) -> State<D> {
        match outcome {
            Ok(Some(device)) => {
                self.failures = 0;
                changed(Change::Ready);
                State::Open { opener, device }
            }
            Ok(None) => State::Unwanted(opener),
            Err(error) => self.failed(opener, &error, now, changed),
        }
    }

    fn failed(
        &mut self,
        opener: Opener<D>,
        error: &MediaError,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) -> State<D> {
        if self.failures == 0 {
            changed(Change::Lost(error.to_string()));
        }
        self.failures += 1;
        State::Waiting {
            opener,
            until: now + back_off(self.failures),
        }
    }
}

/// Opening may take seconds (a device that does not answer), and sound must not stop for it.
fn open<D: ?Sized + Send + 'static>(mut opener: Opener<D>) -> State<D> {
    let (sender, receiver) = sync_channel(1);
    let spawned = thread::Builder::new()
        .name("open-audio".into())
        .spawn(move || {
            let outcome = opener();
            // Nobody waits any more when the call is over; the device is closed here then.
            let _ = sender.send((opener, outcome));
        });
    match spawned {
        Ok(_) => State::Opening(receiver),
        Err(_) => State::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Device;

    /// Asks until `done`, with a time that only the test moves on.
    fn poll(
        keeper: &mut Keeper<Device>,
        now: Instant,
        changes: &mut Vec<Change>,
        done: impl Fn(bool, &[Change]) -> bool,
    ) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let open = keeper
                .device(now, &mut |change| changes.push(change))
                .is_some();
            if done(open, changes) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the opener's thread never answered"
            );
            thread::yield_now();
        }
    }

    #[test]
    fn a_missing_device_is_told_once_and_opened_when_it_comes() {
        let start = Instant::now();
        let mut attempt = 0;
        let opener: Opener<Device> = Box::new(move || {
            attempt += 1;
            if attempt < 3 {
                Err(MediaError::NoDevice("Plug one in.".into()))
            } else {
                Ok(Some(Box::new(Device)))
            }
        });
        let mut keeper = Keeper::new(opener, start);
        let mut changes = Vec::new();
        poll(&mut keeper, start, &mut changes, |_, changes| {
            changes.len() == 1
        });
        assert_eq!(changes, [Change::Lost("Plug one in.".into())]);
        let mut now = start;
        let deadline = Instant::now() + Duration::from_secs(10);
        while keeper
            .device(now, &mut |change| changes.push(change))
            .is_none()
        {
            now += Duration::from_millis(100);
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[1], Change::Ready);
        keeper.lost(
            &MediaError::DeviceLost("Gone.".into()),
            now,
            &mut |change| changes.push(change),
        );
        assert_eq!(changes[2], Change::Lost("Gone.".into()));
        assert!(keeper.device(now, &mut |_| {}).is_none());
        poll(&mut keeper, now + back_off(1), &mut changes, |open, _| open);
    }

    #[test]
    fn whoever_asks_again_is_told_again_without_waiting() {
        let start = Instant::now();
        let mut attempt = 0;
        let opener: Opener<Device> = Box::new(move || {
            attempt += 1;
            match attempt {
                1 | 2 => Err(MediaError::Device("Busy.".into())),
                3 => Ok(None),
                _ => Ok(Some(Box::new(Device))),
            }
        });
        let mut keeper = Keeper::new(opener, start);
        let mut changes = Vec::new();
        let busy = || Change::Lost("Busy.".into());
        poll(&mut keeper, start, &mut changes, |_, changes| {
            changes.len() == 1
        });
        keeper.retry_now(start);
        poll(&mut keeper, start, &mut changes, |_, changes| {
            changes.len() == 2
        });
        assert_eq!(changes, [busy(), busy()]);
        keeper.retry_now(start);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !matches!(keeper.state, State::Unwanted(_)) {
            assert!(keeper.device(start, &mut |_| {}).is_none());
            assert!(Instant::now() < deadline);
            thread::yield_now();
        }
        keeper.retry_now(start);
        poll(&mut keeper, start, &mut changes, |open, _| open);
        assert_eq!(changes.last(), Some(&Change::Ready));
    }

    #[test]
    fn attempts_become_rare() {
        assert!((1..10).all(|failures| back_off(failures) <= back_off(failures + 1)));
        assert_eq!(back_off(u32::MAX), Duration::from_secs(5));
    }
}
