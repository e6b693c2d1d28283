//! Whether the computer stands still while something is measured: a virtual machine does, for tens of milliseconds at a time,
//! while its host serves others. No program that has to answer within 5 ms can help that, so what is measured meanwhile says
//! nothing about it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};

/// How long each look takes.
const LOOK: Duration = Duration::from_millis(1);

/// A program that other programs keep from its turn for less than this has nothing to complain of.
const USUAL: Duration = Duration::from_millis(5);

/// Looks at every processor's clock until it is ended.
pub struct Watch {
    over: Arc<AtomicBool>,
    processors: Vec<JoinHandle<Duration>>,
}

impl Watch {
    /// Begins to look.
    #[must_use]
    pub fn start() -> Self {
        let over = Arc::<AtomicBool>::default();
        let count = thread::available_parallelism().map_or(1, usize::from);
        let processors = (0..count).map(|processor| {
            let over = Arc::clone(&over);
            thread::spawn(move || look(processor, &over))
        });
        Self {
            processors: processors.collect(),
            over,
        }
    }

    /// For how long all processors together have stood still since the start.
    #[must_use]
    pub fn end(self) -> Duration {
        self.over.store(true, Relaxed);
        self.processors
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .sum()
    }
}

fn look(processor: usize, over: &AtomicBool) -> Duration {
    let mut only = CpuSet::new();
    only.set(processor);
    // A process may be kept to some processors; it then looks wherever it is.
    let _ = sched_setaffinity(None, &only);
    let mut lost = Duration::ZERO;
    while !over.load(Relaxed) {
        let since = Instant::now();
        thread::sleep(LOOK);
        let late = since.elapsed().saturating_sub(LOOK);
        if late > USUAL {
            lost += late;
        }
    }
    lost
}
