//! Numbers that only cost an atomic addition, and how Prometheus reads them (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// What only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// So much more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Writes it down.
    pub fn write(&self, page: &mut String, name: &str, help: &str) {
        heading(page, name, help, "counter");
        let _ = writeln!(page, "{name} {}", self.get());
    }
}

/// What goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    /// So much more, or less.
    pub fn add(&self, more: i64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// So much now.
    pub fn set(&self, now: i64) {
        self.0.store(now, Relaxed);
    }

    /// How much it is.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }

    /// Writes it down.
    pub fn write(&self, page: &mut String, name: &str, help: &str) {
        heading(page, name, help, "gauge");
        let _ = writeln!(page, "{name} {}", self.get());
    }
}

/// A counter for each of a few labels, which name kinds of things and never people.
#[derive(Debug)]
pub struct Family<K>(RwLock<BTreeMap<K, Counter>>);

impl<K: Ord> Family<K> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }

    /// One more of this label.
    pub fn count(&self, label: K) {
        // A holder of the lock that panicked has left a whole map behind.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&label) {
            counter.add(1);
            return;
        }
        drop(known);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(label).or_default().add(1);
    }

    /// Writes them down, each with its labels as `labels` has them: `code="internal"`.
    pub fn write(&self, page: &mut String, name: &str, help: &str, labels: impl Fn(&K) -> String) {
        heading(page, name, help, "counter");
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (label, counter) in all.iter() {
            let _ = writeln!(page, "{name}{{{}}} {}", labels(label), counter.get());
        }
    }
}

/// How long something takes: a counter for each of these times, in seconds.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: [f64; N],
    within: [Counter; N],
    count: Counter,
    microseconds: Counter,
}

impl<const N: usize> Histogram<N> {
    /// Nothing yet. The bounds rise.
    pub const fn new(bounds: [f64; N]) -> Self {
        Self {
            bounds,
            within: [const { Counter::new() }; N],
            count: Counter::new(),
            microseconds: Counter::new(),
        }
    }

    /// It took so long once more.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(bucket) = self.bounds.iter().position(|bound| seconds <= *bound) {
            self.within[bucket].add(1);
        }
        self.count.add(1);
        self.microseconds
            .add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Writes it down.
    pub fn write(&self, page: &mut String, name: &str, help: &str) {
        heading(page, name, help, "histogram");
        let mut so_far = 0;
        for (bound, within) in self.bounds.iter().zip(&self.within) {
            so_far += within.get();
            let _ = writeln!(page, "{name}_bucket{{le=\"{bound}\"}} {so_far}");
        }
        // The total is read last, and what is observed meanwhile must not make it smaller than its parts.
        let count = self.count.get().max(so_far);
        let _ = writeln!(page, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let seconds = Duration::from_micros(self.microseconds.get()).as_secs_f64();
        let _ = writeln!(page, "{name}_sum {seconds}\n{name}_count {count}");
    }
}

fn heading(page: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_at_most_so_long() {
        let took = Histogram::new([0.1, 1.0]);
        for milliseconds in [50, 100, 500, 3_000] {
            took.observe(Duration::from_millis(milliseconds));
        }
        let mut page = String::new();
        took.write(&mut page, "t", "How long.");
        let lines = [
            "# HELP t How long.",
            "# TYPE t histogram",
            "t_bucket{le=\"0.1\"} 2",
            "t_bucket{le=\"1\"} 3",
            "t_bucket{le=\"+Inf\"} 4",
            "t_sum 3.65",
            "t_count 4",
        ];
        assert_eq!(page.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_family_counts_each_label_by_itself() {
        let family = Family::new();
        for label in ["b", "a", "b"] {
            family.count(label);
        }
        let mut page = String::new();
        family.write(&mut page, "f", "What.", |label| format!("l=\"{label}\""));
        assert!(page.ends_with("f{l=\"a\"} 1\nf{l=\"b\"} 2\n"), "{page}");
    }
}
