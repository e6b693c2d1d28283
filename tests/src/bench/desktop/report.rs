//! The table and the file that the measurement leaves.

use std::fmt;

use serde_json::{Value, json};

use super::Measures;
use crate::bench::Limit::AtMost;
use crate::bench::{Goal, Outcome};

/// A figure: what it is, where it stands, and what it may be at the most, where that is said.
type Figure = (&'static str, fn(&Measures) -> f64);

const FIGURES: [Figure; 10] = [
    ("start → usable window, warm (ms)", |m| m.start_ms),
    ("in the tray: processor (% of a core)", |m| {
        m.tray.cpu_share * 100.0
    }),
    ("in the tray: memory (MB, PSS)", |m| m.tray.memory_mb),
    ("  with its window open (MB)", |m| m.tray.with_window_mb),
    ("  back from the tray (ms)", |m| m.tray.back_ms),
    ("in a call: memory (MB, PSS)", |m| m.call.memory_mb),
    ("  of that the web view's processes (MB)", |m| {
        m.call.web_view_mb
    }),
    ("in a call: processor (% of a core)", |m| {
        m.call.cpu_share * 100.0
    }),
    ("  of that painting (% of a core)", |m| {
        m.call.painting_share * 100.0
    }),
    ("remote pictures painted a second", |m| {
        m.call.pictures_per_second
    }),
];

const GOALS: [Goal<Report>; 5] = [
    Goal::new(
        AtMost(1000.0),
        "start → usable window ≤ 1 s, warm (ms)",
        |report, _| report.median(|m| m.start_ms),
    ),
    Goal::new(AtMost(1.0), "in the tray ≤ 1 % of a core", |report, _| {
        report.median(|m| m.tray.cpu_share * 100.0)
    }),
    Goal::new(AtMost(100.0), "in the tray ≤ 100 MB", |report, _| {
        report.median(|m| m.tray.memory_mb)
    }),
    Goal::new(AtMost(350.0), "in a 720p call ≤ 350 MB", |report, _| {
        report.median(|m| m.call.memory_mb)
    }),
    Goal::new(
        AtMost(40.0),
        "painting it in software ≤ 40 % of a core",
        |report, _| report.median(|m| m.call.painting_share * 100.0),
    ),
];

/// All runs.
#[derive(Debug, Default)]
pub struct Report(Vec<Measures>);

impl Report {
    /// Adds a run.
    pub fn add(&mut self, measures: Measures) {
        self.0.push(measures);
    }

    fn median(&self, figure: fn(&Measures) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.0.iter().map(figure).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcomes = GOALS.iter().map(|goal| goal.outcome(self, None));
        outcomes.flatten().collect()
    }

    /// The file's content: every run and the goals, of which the figures are medians.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "runs": self.0, "goals": self.outcomes() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:44}{:>10}   every run", "", "median")?;
        for (name, figure) in FIGURES {
            let median = self.median(figure).unwrap_or(f64::NAN);
            write!(f, "{name:44}{median:>10.1}  ")?;
            for run in &self.0 {
                write!(f, " {:.1}", figure(run))?;
            }
            writeln!(f)?;
        }
        if let Some(run) = self.0.last() {
            writeln!(f, "the last start: {}", run.steps)?;
        }
        for outcome in self.outcomes() {
            writeln!(f, "{outcome}")?;
        }
        Ok(())
    }
}
