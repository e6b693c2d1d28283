//! Carries packets between two TUN devices, each way through a [`Pipe`].

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};
use vireo_testing::link::{Counters, Link, Pipe};

use super::control::{Count, Way};

/// The devices' largest packet, an Ethernet's.
const MTU: u16 = 1500;

/// Both ways between two devices. Its threads last as long as the process.
pub struct Relay {
    there: Arc<Shared>,
    back: Arc<Shared>,
}

/// A pipe, and the bell that wakes the thread at its end.
struct Shared {
    pipe: Mutex<Pipe<Vec<u8>>>,
    bell: Condvar,
}

impl Relay {
    /// Makes the two devices and starts to carry. Each way has luck of its own.
    ///
    /// # Errors
    /// When the system gives no TUN devices.
    pub fn start(one: &str, other: &str, seed: u64) -> Result<Self> {
        let (one, other) = (Arc::new(device(one)?), Arc::new(device(other)?));
        Ok(Self {
            there: carry(&one, &other, seed)?,
            back: carry(&other, &one, seed.wrapping_add(1))?,
        })
    }

    /// From now on the link is like this, one way or both.
    pub fn set(&self, way: Way, link: &Link) {
        for shared in self.ways(way) {
            shared.lock().set(link.clone(), Instant::now());
            shared.bell.notify_one();
        }
    }

    /// What has become of the packets so far.
    pub fn count(&self) -> Count {
        let counters = |shared: &Shared| -> Counters { shared.lock().counters() };
        Count {
            there: counters(&self.there),
            back: counters(&self.back),
        }
    }

    fn ways(&self, way: Way) -> Vec<&Shared> {
        match way {
            Way::There => vec![&self.there],
            Way::Back => vec![&self.back],
            Way::Both => vec![&self.there, &self.back],
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pipe<Vec<u8>>> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next packet that arrives.
    fn next(&self) -> Vec<u8> {
        let mut pipe = self.lock();
        loop {
            let now = Instant::now();
            if let Some(packet) = pipe.pop(now) {
                return packet;
            }
            let waited = match pipe.next_due() {
                None => self.bell.wait(pipe),
                Some(due) => self
                    .bell
                    .wait_timeout(pipe, due.saturating_duration_since(now))
                    .map(|(pipe, _)| pipe)
                    .map_err(|poisoned| PoisonError::new(poisoned.into_inner().0)),
            };
            pipe = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn device(name: &str) -> Result<SyncDevice> {
    DeviceBuilder::new()
        .name(name)
        .layer(Layer::L3)
        .mtu(MTU)
        .enable(false)
        .build_sync()
        .with_context(|| format!("the TUN device {name} cannot be made"))
}

/// Starts a thread that reads and one that writes.
fn carry(from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, seed: u64) -> Result<Arc<Shared>> {
    let shared = Arc::new(Shared {
        pipe: Mutex::new(Pipe::new(Link::default(), seed)),
        bell: Condvar::new(),
    });
    let (reader, from) = (Arc::clone(&shared), Arc::clone(from));
    thread::Builder::new()
        .name("reads".to_owned())
        .spawn(move || read(&from, &reader))?;
    let (writer, to) = (Arc::clone(&shared), Arc::clone(to));
    thread::Builder::new()
        .name("writes".to_owned())
        .spawn(move || write(&to, &writer))?;
    Ok(shared)
}

fn read(device: &SyncDevice, shared: &Shared) {
    let mut buffer = [0; MTU as usize];
    // The kernel ends this when it takes the device away, which is when the process ends.
    while let Ok(length) = device.recv(&mut buffer) {
        if !is_of_a_call(&buffer[..length]) {
            continue;
        }
        shared
            .lock()
            .push(buffer[..length].to_vec(), length, Instant::now());
        shared.bell.notify_one();
    }
}

fn write(device: &SyncDevice, shared: &Shared) {
    loop {
        // A device that is not up yet takes nothing; on a real wire that packet would be lost as well.
        let _ = device.send(&shared.next());
    }
}

/// IPv4. What the kernel says of its own accord over a new link, it says in IPv6; it would only disturb the counters.
fn is_of_a_call(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 4)
}
