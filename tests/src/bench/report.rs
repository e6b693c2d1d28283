//! The table and the file that a measurement leaves.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Content, Engine, Measures};

/// The goals, each as a sentence, the figure it is about, and whether it is met.
type Goal = (
    &'static str,
    fn(vireo: &Measures, chromium: &Measures) -> bool,
);

const GOALS: [Goal; 8] = [
    (
        "answer → first remote frame, caller, p50 ≤ 80 ms",
        |vireo, _| vireo.caller_first_frame_ms <= 80.0,
    ),
    (
        "acceptance → first remote frame, callee, p50 ≤ 80 ms",
        |vireo, _| vireo.callee_first_frame_ms <= 80.0,
    ),
    ("latency p50 ≤ 12 ms", |vireo, _| {
        vireo.latency_p50_ms <= 12.0
    }),
    ("latency p95 ≤ 20 ms", |vireo, _| {
        vireo.latency_p95_ms <= 20.0
    }),
    ("≥ 28 frames a second", |vireo, _| {
        vireo.frames_per_second >= 28.0
    }),
    ("720 rows", |vireo, _| vireo.height >= 720.0),
    ("processor ≤ 0.5 × Chromium's", |vireo, chromium| {
        vireo.cpu_share <= 0.5 * chromium.cpu_share
    }),
    ("memory of the engine ≤ 80 MB", |vireo, _| {
        vireo.memory_mb <= 80.0
    }),
];

/// One call.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Row {
    /// Whose call.
    pub engine: Engine,
    /// Showing what.
    pub content: Content,
    /// And what it gave.
    #[serde(flatten)]
    pub measures: Measures,
}

/// All calls of a measurement.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a call.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    fn medians(&self, engine: Engine, content: Content) -> Option<Measures> {
        let rows: Vec<&Measures> = self
            .rows
            .iter()
            .filter(|row| row.engine == engine && row.content == content)
            .map(|row| &row.measures)
            .collect();
        let median = |figure: fn(&Measures) -> f64| {
            let mut values: Vec<f64> = rows.iter().copied().map(figure).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(Measures {
            caller_first_frame_ms: median(|m| m.caller_first_frame_ms)?,
            callee_first_frame_ms: median(|m| m.callee_first_frame_ms)?,
            latency_p50_ms: median(|m| m.latency_p50_ms)?,
            latency_p95_ms: median(|m| m.latency_p95_ms)?,
            latency_p99_ms: median(|m| m.latency_p99_ms)?,
            frames_per_second: median(|m| m.frames_per_second)?,
            height: median(|m| m.height)?,
            cpu_share: median(|m| m.cpu_share)?,
            memory_mb: median(|m| m.memory_mb)?,
        })
    }

    /// The file's content: every call, the medians, and the goals.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut medians = Map::new();
        for content in Content::ALL {
            let vireo = self.medians(Engine::Vireo, content);
            let chromium = self.medians(Engine::Chromium, content);
            let goals: Vec<Value> = goals(vireo.as_ref(), chromium.as_ref())
                .map(|(goal, met)| json!({ "goal": goal, "met": met }))
                .collect();
            let entry = json!({ "vireo": vireo, "chromium": chromium, "goals": goals });
            medians.insert(content.name().to_owned(), entry);
        }
        json!({ "medians": medians, "calls": self.rows })
    }
}

fn goals(
    vireo: Option<&Measures>,
    chromium: Option<&Measures>,
) -> impl Iterator<Item = (&'static str, bool)> {
    let both = vireo.copied().zip(chromium.copied());
    both.into_iter().flat_map(|(vireo, chromium)| {
        GOALS
            .iter()
            .map(move |(goal, met)| (*goal, met(&vireo, &chromium)))
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for content in Content::ALL {
            let vireo = self.medians(Engine::Vireo, content);
            let chromium = self.medians(Engine::Chromium, content);
            writeln!(f, "\n{}: medians, of two sides the mean", content.name())?;
            writeln!(f, "{:44}{:>10}{:>10}", "", "Vireo", "Chromium")?;
            for (name, figure) in FIGURES {
                let cell = |measures: &Option<Measures>| {
                    measures.as_ref().map_or_else(
                        || "–".to_owned(),
                        |measures| format!("{:.1}", figure(measures)),
                    )
                };
                writeln!(f, "{name:44}{:>10}{:>10}", cell(&vireo), cell(&chromium))?;
            }
            for (goal, met) in goals(vireo.as_ref(), chromium.as_ref()) {
                writeln!(f, "  {} {goal}", if met { "met   " } else { "MISSED" })?;
            }
        }
        Ok(())
    }
}

type Figure = (&'static str, fn(&Measures) -> f64);

const FIGURES: [Figure; 9] = [
    ("answer → first frame, caller (ms)", |m| {
        m.caller_first_frame_ms
    }),
    ("acceptance → first frame, callee (ms)", |m| {
        m.callee_first_frame_ms
    }),
    ("latency p50 (ms)", |m| m.latency_p50_ms),
    ("latency p95 (ms)", |m| m.latency_p95_ms),
    ("latency p99 (ms)", |m| m.latency_p99_ms),
    ("frames a second", |m| m.frames_per_second),
    ("rows of the picture", |m| m.height),
    ("processor of a side (% of a core)", |m| m.cpu_share * 100.0),
    ("memory of a side (MB, PSS)", |m| m.memory_mb),
];
