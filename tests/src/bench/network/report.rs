//! The table and the file that the measurement leaves.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Measures, Row};
use crate::bench::{Engine, Outcome};
use crate::binaries::binary;

/// All calls of a measurement.
pub struct Report {
    /// What of Vireo is measured: a fingerprint of its program.
    program: String,
    rows: Vec<(Row, Vec<Call>)>,
    failures: Vec<String>,
}

/// One call.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Call {
    run: u32,
    engine: Engine,
    #[serde(flatten)]
    measures: Measures,
}

impl Report {
    /// A report on these rows, without any call yet.
    ///
    /// # Errors
    /// When the program that is to be measured cannot be read.
    pub fn on(rows: Vec<Row>) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        std::fs::read(binary("vireo-cli")?)?.hash(&mut hasher);
        Ok(Self {
            program: format!("{:016x}", hasher.finish()),
            rows: rows.into_iter().map(|row| (row, Vec::new())).collect(),
            failures: Vec::new(),
        })
    }

    /// Takes over the calls that an earlier measurement of the same program has left in its file.
    ///
    /// # Errors
    /// When it was another program's.
    pub fn resume(&mut self, earlier: &Value) -> Result<()> {
        ensure!(
            earlier["program"] == self.program.as_str(),
            "Vireo has been built anew since; measure without --resume"
        );
        for (row, calls) in &mut self.rows {
            let earlier = earlier["links"][row.name]["calls"].clone();
            *calls = serde_json::from_value::<Option<_>>(earlier)?.unwrap_or_default();
        }
        Ok(())
    }

    /// Whether this call has been measured already.
    #[must_use]
    pub fn has(&self, run: u32, row: usize, engine: Engine) -> bool {
        let mut calls = self.rows[row].1.iter();
        calls.any(|call| (call.run, call.engine) == (run, engine))
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|(row, _)| row)
    }

    /// Adds a call to a row, by its number.
    pub fn add(&mut self, run: u32, row: usize, engine: Engine, measures: Measures) {
        let call = Call {
            run,
            engine,
            measures,
        };
        self.rows[row].1.push(call);
    }

    /// Notes a call that did not come about, and why. It is in no median.
    pub fn add_failure(&mut self, why: String) {
        self.failures.push(why);
    }

    /// The file's content: of each link the medians, the goals and every call.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut links = Map::new();
        for (row, calls) in &self.rows {
            let [vireo, chromium] = both(calls);
            let goals = outcomes(row, vireo.as_ref(), chromium.as_ref());
            let entry = json!({
                "link": row.title, "vireo": vireo, "chromium": chromium, "goals": goals, "calls": calls,
            });
            links.insert(row.name.to_owned(), entry);
        }
        json!({ "program": self.program, "links": links, "failures": self.failures })
    }
}

fn both(calls: &[Call]) -> [Option<Measures>; 2] {
    [Engine::Vireo, Engine::Chromium].map(|engine| medians(calls, engine))
}

fn medians(calls: &[Call], engine: Engine) -> Option<Measures> {
    let of_engine = || calls.iter().filter(move |call| call.engine == engine);
    let optional = |figure: fn(&Measures) -> Option<f64>| {
        let mut values: Vec<f64> = of_engine()
            .filter_map(|call| figure(&call.measures))
            .collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    Some(Measures {
        p50_ms: optional(|m| Some(m.p50_ms))?,
        p95_ms: optional(|m| Some(m.p95_ms))?,
        fps: optional(|m| Some(m.fps))?,
        frozen_share: optional(|m| Some(m.frozen_share))?,
        utilisation: optional(|m| m.utilisation),
        height: optional(|m| Some(m.height))?,
        recovery_seconds: optional(|m| m.recovery_seconds),
        longest_gap_ms: optional(|m| Some(m.longest_gap_ms))?,
        cpu_share: optional(|m| Some(m.cpu_share))?,
        least_share: optional(|m| m.least_share),
    })
}

fn outcomes(row: &Row, vireo: Option<&Measures>, chromium: Option<&Measures>) -> Vec<Outcome> {
    let Some(vireo) = vireo else {
        return Vec::new();
    };
    let goals = row.goals.iter();
    goals
        .filter_map(|goal| goal.outcome(vireo, chromium))
        .collect()
}

/// A column: its heading, and what stands in it.
type Column = (&'static str, fn(&Measures) -> Option<f64>, usize);

/// The last number is that of decimals.
const COLUMNS: [Column; 10] = [
    ("p50 ms", |m| Some(m.p50_ms), 0),
    ("p95 ms", |m| Some(m.p95_ms), 0),
    ("fps", |m| Some(m.fps), 1),
    ("frozen %", |m| Some(m.frozen_share * 100.0), 1),
    ("used %", |m| m.utilisation.map(|share| share * 100.0), 0),
    ("rows", |m| Some(m.height), 0),
    ("back s", |m| m.recovery_seconds, 1),
    ("gap ms", |m| Some(m.longest_gap_ms), 0),
    ("cpu %", |m| Some(m.cpu_share * 100.0), 0),
    ("least %", |m| m.least_share.map(|share| share * 100.0), 0),
];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{:11}", "medians")?;
        for (heading, _, _) in COLUMNS {
            write!(f, "{heading:>9}")?;
        }
        writeln!(f)?;
        for (row, calls) in &self.rows {
            let [vireo, chromium] = both(calls);
            writeln!(f, "{}", row.title)?;
            line(f, "Vireo", vireo.as_ref())?;
            line(f, "Chromium", chromium.as_ref())?;
            for outcome in outcomes(row, vireo.as_ref(), chromium.as_ref()) {
                writeln!(f, "{outcome}")?;
            }
        }
        for why in &self.failures {
            writeln!(f, "FAILED {why}")?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, who: &str, measures: Option<&Measures>) -> fmt::Result {
    let Some(measures) = measures else {
        return Ok(());
    };
    write!(f, "  {who:9}")?;
    for (_, figure, decimals) in COLUMNS {
        match figure(measures) {
            Some(figure) => write!(f, "{figure:>9.decimals$}")?,
            None => write!(f, "{:>9}", "–")?,
        }
    }
    writeln!(f)
}
