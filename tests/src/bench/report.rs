//! The table and the file that a measurement leaves.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::goal::Limit::{AtLeast, AtMost};
use super::goal::{Goal, Outcome};
use super::{Application, Content, Engine, Measures};

const GOALS: [Goal<Measures>; 8] = [
    Goal::new(
        AtMost(80.0),
        "answer → first remote frame, caller, p50 ≤ 80 ms",
        |vireo, _| Some(vireo.caller_first_frame_ms),
    ),
    Goal::new(
        AtMost(80.0),
        "acceptance → first remote frame, callee, p50 ≤ 80 ms",
        |vireo, _| Some(vireo.callee_first_frame_ms),
    ),
    Goal::new(AtMost(12.0), "latency p50 ≤ 12 ms", |vireo, _| {
        Some(vireo.latency_p50_ms)
    }),
    Goal::new(AtMost(20.0), "latency p95 ≤ 20 ms", |vireo, _| {
        Some(vireo.latency_p95_ms)
    }),
    Goal::new(AtLeast(28.0), "≥ 28 frames a second", |vireo, _| {
        Some(vireo.frames_per_second)
    }),
    Goal::new(AtLeast(720.0), "720 rows", |vireo, _| Some(vireo.height)),
    Goal::new(
        AtMost(0.5),
        "processor ≤ 0.5 × Chromium's",
        |vireo, chromium| Some(vireo.cpu_share / chromium?.cpu_share),
    ),
    Goal::new(
        AtMost(80.0),
        "memory of the engine ≤ 80 MB",
        |vireo, _| Some(vireo.memory_mb),
    ),
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
    applications: Vec<(Engine, Application)>,
}

impl Report {
    /// Adds a call.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds what an application took as a whole.
    pub fn add_application(&mut self, engine: Engine, application: Application) {
        self.applications.push((engine, application));
    }

    fn application(&self, engine: Engine) -> Option<Application> {
        let of_engine = || {
            let rows = self.applications.iter();
            rows.filter(|row| row.0 == engine).map(|row| row.1)
        };
        Some(Application {
            cpu_share: median(of_engine().map(|row| row.cpu_share))?,
            memory_mb: median(of_engine().map(|row| row.memory_mb))?,
        })
    }

    fn medians(&self, engine: Engine, content: Content) -> Option<Measures> {
        let rows: Vec<&Measures> = self
            .rows
            .iter()
            .filter(|row| row.engine == engine && row.content == content)
            .map(|row| &row.measures)
            .collect();
        let median = |figure: fn(&Measures) -> f64| median(rows.iter().copied().map(figure));
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
            let goals = outcomes(vireo.as_ref(), chromium.as_ref());
            let entry = json!({ "vireo": vireo, "chromium": chromium, "goals": goals });
            medians.insert(content.name().to_owned(), entry);
        }
        let vireo = self.application(Engine::Vireo);
        let application = json!({
            "vireo": vireo,
            "chromium": self.application(Engine::Chromium),
            "goals": vireo.as_ref().and_then(application_outcome).as_slice(),
        });
        json!({ "medians": medians, "application": application, "calls": self.rows })
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Of the whole application in a call.
fn application_outcome(vireo: &Application) -> Option<Outcome> {
    const GOAL: Goal<Application> = Goal::new(
        AtMost(350.0),
        "memory of the application ≤ 350 MB",
        |vireo, _| Some(vireo.memory_mb),
    );
    GOAL.outcome(vireo, None)
}

fn outcomes(vireo: Option<&Measures>, chromium: Option<&Measures>) -> Vec<Outcome> {
    let Some(vireo) = vireo else {
        return Vec::new();
    };
    GOALS
        .iter()
        .filter_map(|goal| goal.outcome(vireo, chromium))
        .collect()
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
            for outcome in outcomes(vireo.as_ref(), chromium.as_ref()) {
                writeln!(f, "{outcome}")?;
            }
        }
        self.show_applications(f)
    }
}

impl Report {
    fn show_applications(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (vireo, chromium) = (
            self.application(Engine::Vireo),
            self.application(Engine::Chromium),
        );
        let row = |f: &mut fmt::Formatter<'_>, name: &str, figure: fn(&Application) -> f64| {
            let cell = |one: &Option<Application>| {
                one.as_ref()
                    .map_or_else(|| "–".to_owned(), |one| format!("{:.1}", figure(one)))
            };
            writeln!(f, "{name:44}{:>10}{:>10}", cell(&vireo), cell(&chromium))
        };
        writeln!(
            f,
            "\nthe whole application, one side of a talking-head call that is shown: medians"
        )?;
        writeln!(f, "{:44}{:>10}{:>10}", "", "Vireo", "Chromium")?;
        row(f, "processor (% of a core)", |one| one.cpu_share * 100.0)?;
        row(f, "memory (MB, PSS)", |one| one.memory_mb)?;
        match vireo.as_ref().and_then(application_outcome) {
            Some(outcome) => writeln!(f, "{outcome}"),
            None => Ok(()),
        }
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
