//! Calls at a given rate, whether the server keeps up or not: an open loop. They begin at random moments (Poisson), and
//! what is measured is measured from the moment at which it was to happen.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::call::{Call, FORWARDED, Script};
use crate::connection::Target;
use crate::figures::percentile;
use crate::pair::{self, PATIENCE, Pair};
use crate::people::Person;

/// A call that a pair is to make.
#[derive(Debug)]
pub(crate) struct Order {
    pub scheduled: Instant,
    pub step: Arc<Step>,
}

/// What the pairs share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub script: Script,
    /// The pairs that have no call; the longest idle first.
    free: Mutex<VecDeque<usize>>,
    lost: AtomicUsize,
}

impl Shared {
    pub fn release(&self, pair: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push_back(pair);
    }

    pub fn connection_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn take(&self) -> Option<usize> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop_front()
    }

    fn count(&self) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.len()
    }
}

/// What became of the calls of one rate.
#[derive(Debug, Default)]
pub struct Step {
    begun: AtomicU64,
    completed_in_time: AtomicU64,
    until: Option<Instant>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    completed: u64,
    failed: BTreeMap<String, u64>,
    routing: Vec<u32>,
    setups: Vec<u32>,
}

impl Step {
    fn until(end: Instant) -> Self {
        Self {
            until: Some(end),
            ..Self::default()
        }
    }

    pub(crate) fn completed(&self, call: &Call, now: Instant) {
        if self.until.is_none_or(|end| now <= end) {
            self.completed_in_time.fetch_add(1, Ordering::Relaxed);
        }
        let took = now.saturating_duration_since(call.scheduled).as_micros();
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.completed += 1;
        tally.setups.push(u32::try_from(took).unwrap_or(u32::MAX));
        tally.routing.extend_from_slice(&call.latencies);
    }

    pub(crate) fn failed(&self, why: &str) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        *tally.failed.entry(why.to_owned()).or_default() += 1;
    }
}

/// The figures of one rate.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Calls a second that were asked for.
    pub asked_per_second: f64,
    /// Calls a second that began, and that were complete before the time was over.
    pub begun_per_second: f64,
    /// See there.
    pub completed_per_second: f64,
    /// How many began.
    pub begun: u64,
    /// How many became complete.
    pub completed: u64,
    /// Why the others did not.
    pub failed: BTreeMap<String, u64>,
    /// From a message's being sent until the other client has it.
    pub routing_p50_ms: f64,
    /// The same.
    pub routing_p99_ms: f64,
    /// Over so many messages.
    pub messages: usize,
    /// From the call's moment until all is confirmed, the end included.
    pub setup_p50_ms: f64,
    /// The same.
    pub setup_p99_ms: f64,
    /// Share of a core that the server used.
    pub server_cores: f64,
    /// Share of a core that this process, the generator, used.
    pub generator_cores: f64,
}

impl Outcome {
    /// Whether the server keeps up with this rate.
    #[must_use]
    pub fn is_sustained(&self) -> bool {
        self.completed as f64 >= 0.995 * self.begun as f64
            && self.completed_per_second >= 0.98 * self.begun_per_second
            && self.routing_p99_ms < 100.0
    }

    fn of(rate: f64, lasted: Duration, step: &Step, cores: [f64; 2]) -> Self {
        let mut tally = step.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let Tally {
            completed,
            failed,
            routing,
            setups,
        } = std::mem::take(&mut *tally);
        let sorted = |mut values: Vec<u32>| {
            values.sort_unstable();
            values
        };
        let (routing, setups) = (sorted(routing), sorted(setups));
        let ms =
            |values: &[u32], share| percentile(values, share).map_or(0.0, |us| f64::from(us) / 1e3);
        let begun = step.begun.load(Ordering::Relaxed);
        let in_time = step.completed_in_time.load(Ordering::Relaxed);
        Self {
            asked_per_second: rate,
            begun_per_second: begun as f64 / lasted.as_secs_f64(),
            completed_per_second: in_time as f64 / lasted.as_secs_f64(),
            begun,
            completed,
            failed,
            routing_p50_ms: ms(&routing, 0.5),
            routing_p99_ms: ms(&routing, 0.99),
            messages: routing.len(),
            setup_p50_ms: ms(&setups, 0.5),
            setup_p99_ms: ms(&setups, 0.99),
            server_cores: cores[0],
            generator_cores: cores[1],
        }
    }

    /// Whether every message of every complete call has arrived.
    #[must_use]
    pub fn nothing_is_lost(&self) -> bool {
        self.completed == self.begun && self.messages as u64 == self.completed * FORWARDED as u64
    }
}

/// Pairs of people, connected, of whom one calls the other when told to. They leave when this is dropped.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    orders: Vec<mpsc::UnboundedSender<Order>>,
}

impl Load {
    /// Connects all of them; with several servers the two of a pair are at different ones.
    ///
    /// # Errors
    /// When one of them cannot connect.
    pub async fn connect(targets: &[Target], people: &[Person]) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut orders = Vec::new();
        for (number, two) in people.as_chunks::<2>().0.iter().enumerate() {
            let (order, taken) = mpsc::unbounded_channel();
            orders.push(order);
            let pair = Pair::new(number, targets, two, shared.clone());
            pair::start(pair, taken);
        }
        let load = Self { shared, orders };
        load.until_free(Duration::from_secs(120)).await?;
        Ok(load)
    }

    /// How many connections were lost since the beginning.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Waits until no pair has a call any more.
    async fn until_free(&self, patience: Duration) -> Result<()> {
        let by = Instant::now() + patience;
        while self.shared.count() < self.orders.len() {
            let lacking = self.orders.len() - self.shared.count();
            anyhow::ensure!(Instant::now() < by, "{lacking} pairs are not connected");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Makes calls at this rate for so long, and waits until all of them are over. `usage` reads the processor time of
    /// the server and of this process so far, in seconds.
    ///
    /// # Errors
    /// When pairs do not come free again.
    pub async fn run(
        &self,
        rate: f64,
        lasting: Duration,
        usage: impl Fn() -> Result<[f64; 2]>,
    ) -> Result<Outcome> {
        let before = usage()?;
        let start = Instant::now();
        let step = Arc::new(Step::until(start + lasting));
        let (shared, orders, counted) = (self.shared.clone(), self.orders.clone(), step.clone());
        // A thread's sleep ends at the microsecond, tokio's at the millisecond.
        let arrivals = move || arrive(rate, start, lasting, &shared, &orders, &counted);
        tokio::task::spawn_blocking(arrivals).await?;
        let lasted = start.elapsed();
        let after = usage()?;
        self.until_free(4 * PATIENCE).await?;
        let cores = [0, 1].map(|of| (after[of] - before[of]) / lasted.as_secs_f64());
        Ok(Outcome::of(rate, lasting, &step, cores))
    }
}

/// Gives an order at each moment that chance chooses.
fn arrive(
    rate: f64,
    start: Instant,
    lasting: Duration,
    shared: &Shared,
    orders: &[mpsc::UnboundedSender<Order>],
    step: &Arc<Step>,
) {
    let mut after = 0.0;
    loop {
        after += -(1.0 - rand::random::<f64>()).ln() / rate;
        if after >= lasting.as_secs_f64() {
            std::thread::sleep((start + lasting).saturating_duration_since(Instant::now()));
            return;
        }
        let scheduled = start + Duration::from_secs_f64(after);
        std::thread::sleep(scheduled.saturating_duration_since(Instant::now()));
        step.begun.fetch_add(1, Ordering::Relaxed);
        let step = step.clone();
        let order = Order { scheduled, step };
        match shared.take() {
            Some(pair) => drop(orders[pair].send(order)),
            None => order.step.failed("nobody was free to call"),
        }
    }
}
