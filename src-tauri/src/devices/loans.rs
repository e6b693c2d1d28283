//! Devices that somebody tries out while no call goes on. A call that needs one calls it back first: many systems give a
//! camera to one at a time.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use vireo_media::DeviceKind;

/// A device that does not let go within this time hangs; the call tries its luck all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is lent at the moment. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Loans(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    lent: Mutex<Vec<(DeviceKind, Arc<AtomicBool>)>>,
    changed: Condvar,
}

/// The right to use a device, until it is called back. Given back when dropped.
#[derive(Debug)]
pub struct Loan {
    loans: Loans,
    over: Arc<AtomicBool>,
}

/// Calls one loan back when dropped, without waiting.
#[derive(Debug)]
pub struct Wish {
    loans: Loans,
    over: Arc<AtomicBool>,
}

impl Loans {
    /// Lends a device: the loan is for whoever uses it, the wish for whoever wants it used.
    #[must_use]
    pub fn lend(&self, kind: DeviceKind) -> (Loan, Wish) {
        let over = Arc::new(AtomicBool::new(false));
        self.lock().push((kind, over.clone()));
        let wish = Wish {
            loans: self.clone(),
            over: over.clone(),
        };
        let loan = Loan {
            loans: self.clone(),
            over,
        };
        (loan, wish)
    }

    /// Calls all devices of this kind back and waits until they are let go, within reason.
    pub fn call_back(&self, kind: DeviceKind) {
        let lent = self.lock();
        for (_, over) in lent.iter().filter(|(other, _)| *other == kind) {
            over.store(true, Ordering::Relaxed);
        }
        self.0.changed.notify_all();
        let is_lent = |lent: &mut Vec<(DeviceKind, Arc<AtomicBool>)>| {
            lent.iter().any(|(other, _)| *other == kind)
        };
        drop(self.0.changed.wait_timeout_while(lent, PATIENCE, is_lent));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(DeviceKind, Arc<AtomicBool>)>> {
        // Every change under this lock is whole.
        self.0.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loan {
    /// Whether it has to be given back.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits so long, or until it has to be given back.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut lent = self.loans.lock();
        while !self.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.loans.0.changed.wait_timeout(lent, left);
            lent = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut lent = self.loans.lock();
        lent.retain(|(_, over)| !Arc::ptr_eq(over, &self.over));
        drop(lent);
        self.loans.0.changed.notify_all();
    }
}

impl Wish {
    /// Whether the device was called back meanwhile.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        // Under the lock, so that nobody who looks before they sleep misses it.
        let lent = self.loans.lock();
        self.over.store(true, Ordering::Relaxed);
        drop(lent);
        self.loans.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_call_gets_a_device_as_soon_as_it_is_let_go() {
        let loans = Loans::default();
        let (camera, _wish) = loans.lend(DeviceKind::Camera);
        let (microphone, _other) = loans.lend(DeviceKind::Microphone);
        let uses = thread::spawn(move || {
            camera.pause(Duration::from_secs(60));
            assert!(camera.is_over());
        });
        loans.call_back(DeviceKind::Camera);
        assert_eq!(loans.lock().len(), 1, "the microphone is nobody else's");
        assert!(!microphone.is_over());
        uses.join().expect("it has let go");
    }

    #[test]
    fn what_nobody_wants_any_more_is_let_go() {
        let loans = Loans::default();
        let (camera, wish) = loans.lend(DeviceKind::Camera);
        let uses = thread::spawn(move || camera.pause(Duration::from_secs(60)));
        drop(wish);
        uses.join().expect("it has let go");
        assert!(loans.lock().is_empty());
    }
}
