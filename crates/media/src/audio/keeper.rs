//! Keeps a device open: opens it on a thread of its own, tries again with back-off when it is missing or lost, and changes to
//! another one without a gap: the one before goes on until the other is open.

use std::{
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use crate::{DeviceTrouble, MediaError};

/// Opens a device. None: the user has chosen to have none.
pub(crate) type Opener<D> = Box<dyn FnMut() -> Result<Option<Box<D>>, MediaError> + Send>;

/// What became of the device.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Ready,
    /// A sentence for the user. Told once, not at every attempt; once more when the user has asked for another one.
    Lost(DeviceTrouble),
}

/// A device that is not needed any more may still have something to play.
const LINGER: Duration = Duration::from_millis(100);

/// A device that is lost sooner than this after it was opened is not opened again at once.
const STEADY_AFTER: Duration = Duration::from_secs(1);

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
    /// Another one is opened; this one goes on until then.
    Replacing {
        device: Box<D>,
        opening: Receiver<Opened<D>>,
    },
    /// There is to be none, as long as nobody asks again.
    Unwanted(Opener<D>),
    /// Its opener is gone.
    None,
}

pub(crate) struct Keeper<D: ?Sized> {
    state: State<D>,
    failures: u32,
    opened_at: Instant,
    /// It was lost, and is told to be once it turns out that there is no other one.
    untold: Option<DeviceTrouble>,
    /// Another one is wanted than the one that is being opened.
    again: bool,
}

impl<D: ?Sized + Send + 'static> Keeper<D> {
    pub(crate) fn new(opener: Opener<D>, now: Instant) -> Self {
        Self {
            state: State::Waiting { opener, until: now },
            failures: 0,
            opened_at: now,
            untold: None,
            again: false,
        }
    }

    /// The device, if it is open. Never waits; to be called again and again.
    pub(crate) fn device(
        &mut self,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) -> Option<&mut D> {
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Waiting { opener, until } if now >= until => opening(opener),
            State::Opening(result) => match result.try_recv() {
                Ok((opener, outcome)) => self.opened(opener, outcome, now, changed),
                Err(TryRecvError::Empty) => State::Opening(result),
                Err(TryRecvError::Disconnected) => State::None,
            },
            State::Replacing { device, opening } => match opening.try_recv() {
                Ok((opener, outcome)) => self.replaced(device, opener, outcome, now, changed),
                Err(TryRecvError::Empty) => State::Replacing { device, opening },
                Err(TryRecvError::Disconnected) => State::None,
            },
            other => other,
        };
        let is_settled = !matches!(self.state, State::Opening(_) | State::Replacing { .. });
        if is_settled && std::mem::take(&mut self.again) {
            self.reopen(now);
        }
        match &mut self.state {
            State::Open { device, .. } | State::Replacing { device, .. } => Some(device),
            _ => None,
        }
    }

    /// Another device is wanted, or there is another one: opens it, and changes to it when it is there. If it cannot be
    /// opened, the one before goes on.
    pub(crate) fn reopen(&mut self, now: Instant) {
        self.failures = 0;
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Waiting { opener, .. } | State::Unwanted(opener) => {
                State::Waiting { opener, until: now }
            }
            State::Open { opener, device } => match open(opener) {
                Some(opening) => State::Replacing { device, opening },
                None => State::None,
            },
            other => {
                self.again = true;
                other
            }
        };
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

    /// The device failed; it is dropped and will be opened again, or another one in its place: at once, unless it has just
    /// been opened. Told only if there is none.
    pub(crate) fn lost(
        &mut self,
        error: &MediaError,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) {
        let (device, next) = match std::mem::replace(&mut self.state, State::None) {
            State::Open { opener, device } => {
                let was_steady = now.duration_since(self.opened_at) >= STEADY_AFTER;
                let next = if was_steady {
                    self.untold = Some(error.into());
                    opening(opener)
                } else {
                    self.failed(opener, error, now, changed)
                };
                (device, next)
            }
            State::Replacing { device, opening } => {
                self.untold = Some(error.into());
                (device, State::Opening(opening))
            }
            other => {
                self.state = other;
                return;
            }
        };
        retire(device);
        self.state = next;
    }

    fn replaced(
        &mut self,
        before: Box<D>,
        opener: Opener<D>,
        outcome: Result<Option<Box<D>>, MediaError>,
        now: Instant,
        changed: &mut dyn FnMut(Change),
    ) -> State<D> {
        match outcome {
            Err(error) => {
                tracing::info!(%error, "the device before goes on");
                State::Open {
                    opener,
                    device: before,
                }
            }
            outcome => {
                retire(before);
                self.opened(opener, outcome, now, changed)
            }
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
                self.opened_at = now;
                self.untold = None;
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
            let trouble = self.untold.take().unwrap_or_else(|| error.into());
            changed(Change::Lost(trouble));
        }
        self.failures += 1;
        State::Waiting {
            opener,
            until: now + back_off(self.failures),
        }
    }
}

fn opening<D: ?Sized + Send + 'static>(opener: Opener<D>) -> State<D> {
    open(opener).map_or(State::None, State::Opening)
}

/// Opening may take seconds (a device that does not answer), and sound must not stop for it.
fn open<D: ?Sized + Send + 'static>(mut opener: Opener<D>) -> Option<Receiver<Opened<D>>> {
    let (sender, receiver) = sync_channel(1);
    let spawned = thread::Builder::new()
        .name("open-audio".into())
        .spawn(move || {
            let begun = Instant::now();
            let outcome = opener();
            tracing::debug!(took = ?begun.elapsed(), is_open = outcome.is_ok(), "a sound device was asked for");
            // Nobody waits any more when the call is over; the device is closed here then.
            let _ = sender.send((opener, outcome));
        });
    spawned.is_ok().then_some(receiver)
}

/// Closes the device elsewhere, as that may take a while too. Where there is no other thread it is closed here.
fn retire<D: ?Sized + Send + 'static>(device: Box<D>) {
    let spawned = thread::Builder::new()
        .name("close-audio".into())
        .spawn(move || {
            thread::sleep(LINGER);
            drop(device);
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "a sound device is closed where it may be heard");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };

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
        assert_eq!(
            changes,
            [Change::Lost(
                (&MediaError::NoDevice("Plug one in.".into())).into()
            )]
        );
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
        assert_eq!(
            changes[2],
            Change::Lost((&MediaError::DeviceLost("Gone.".into())).into())
        );
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
        let busy = || Change::Lost((&MediaError::Device("Busy.".into())).into());
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

    /// Opens numbered devices; while `held`, nothing is opened.
    fn numbered(held: &Arc<AtomicBool>, fails: &Arc<AtomicBool>) -> Opener<u32> {
        let (held, fails) = (Arc::clone(held), Arc::clone(fails));
        let mut number = 0;
        Box::new(move || {
            while held.load(Relaxed) {
                thread::yield_now();
            }
            if fails.load(Relaxed) {
                return Err(MediaError::Device("Busy.".into()));
            }
            number += 1;
            Ok(Some(Box::new(number)))
        })
    }

    /// Asks until it is this device.
    fn until(keeper: &mut Keeper<u32>, now: Instant, wanted: Option<u32>) -> Vec<Change> {
        let mut changes = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(10);
        while keeper
            .device(now, &mut |change| changes.push(change))
            .copied()
            != wanted
        {
            assert!(Instant::now() < deadline, "{changes:?}");
            thread::yield_now();
        }
        changes
    }

    #[test]
    fn the_device_before_goes_on_until_the_next_one_is_open() {
        let start = Instant::now();
        let (held, fails) = (Arc::default(), Arc::default());
        let mut keeper = Keeper::new(numbered(&held, &fails), start);
        until(&mut keeper, start, Some(1));
        held.store(true, Relaxed);
        keeper.reopen(start);
        for _ in 0..1_000 {
            assert_eq!(keeper.device(start, &mut |_| {}), Some(&mut 1));
        }
        held.store(false, Relaxed);
        assert_eq!(until(&mut keeper, start, Some(2)), [Change::Ready]);
        // One that cannot be opened changes nothing, and is no trouble.
        fails.store(true, Relaxed);
        keeper.reopen(start);
        while matches!(keeper.state, State::Replacing { .. }) {
            let device = keeper.device(start, &mut |change| panic!("{change:?}"));
            assert_eq!(device, Some(&mut 2));
        }
        fails.store(false, Relaxed);
        // Whoever changes their mind meanwhile gets the last one.
        keeper.reopen(start);
        keeper.reopen(start);
        until(&mut keeper, start, Some(4));
    }

    #[test]
    fn a_steady_device_that_is_lost_is_replaced_at_once_and_nobody_is_told() {
        let start = Instant::now();
        let (held, fails) = (Arc::default(), Arc::default());
        let mut keeper = Keeper::new(numbered(&held, &fails), start);
        until(&mut keeper, start, Some(1));
        let later = start + STEADY_AFTER;
        let gone = MediaError::DeviceLost("Gone.".into());
        keeper.lost(&gone, later, &mut |change| panic!("{change:?}"));
        assert_eq!(until(&mut keeper, later, Some(2)), [Change::Ready]);
        // Where there is no other one they are told of the one that was lost.
        fails.store(true, Relaxed);
        let later = later + STEADY_AFTER;
        keeper.lost(&gone, later, &mut |change| panic!("{change:?}"));
        let mut told = None;
        while told.is_none() {
            keeper.device(later, &mut |change| told = Some(change));
        }
        assert_eq!(
            told,
            Some(Change::Lost(
                (&MediaError::DeviceLost("Gone.".into())).into()
            ))
        );
    }

    #[test]
    fn attempts_become_rare() {
        assert!((1..10).all(|failures| back_off(failures) <= back_off(failures + 1)));
        assert_eq!(back_off(u32::MAX), Duration::from_secs(5));
    }
}
