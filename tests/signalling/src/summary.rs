//! What all runs of the measurement say together, held against what is to be reached.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::figures::{Spread, spread};
use crate::report::Report;

/// All runs.
#[derive(Debug, Default)]
pub struct Summary {
    /// One after the other.
    pub runs: Vec<Report>,
    /// What bounded the measurement, by name.
    pub limits: Map<String, Value>,
}

impl Summary {
    /// The file's content: medians under the names of the figures, and every run as it was.
    #[must_use]
    pub fn json(&self) -> Value {
        let median = |figure: fn(&Report) -> Option<f64>| self.of(figure).map(|of| of.median);
        json!({
            "idle": {
                "connections": self.of(Report::connections).map(|of| of.least as u64),
                "bytesPerConnectionTls": median(Report::bytes_tls),
                "bytesPerConnectionPlain": median(Report::bytes_plain),
            },
            "setups": {
                "perSecond": median(Report::per_second),
                "perSecondOfTwoServers": median(Report::per_second_of_two),
            },
            "routing": {
                "p50Ms": median(Report::routing_p50),
                "p99Ms": median(Report::routing_p99),
            },
            "limits": self.limits,
            "goals": self.goals().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "runs": self.runs,
        })
    }

    fn of(&self, figure: fn(&Report) -> Option<f64>) -> Option<Spread> {
        let figures: Option<Vec<_>> = self.runs.iter().map(figure).collect();
        spread(figures?)
    }

    fn goals(&self) -> [Goal; 5] {
        let kilobytes = |of: Spread| of.scaled(1e-3);
        let goal = |sentence, limit, figure| Goal {
            sentence,
            limit,
            figure,
        };
        [
            goal(
                "≥ 18,000 idle connections with TLS",
                Limit::AtLeast(18_000.0),
                self.of(Report::connections),
            ),
            goal(
                "≤ 12 KB a connection with TLS",
                Limit::AtMost(12.0),
                self.of(Report::bytes_tls).map(kilobytes),
            ),
            goal(
                "≤ 4 KB a connection without",
                Limit::AtMost(4.0),
                self.of(Report::bytes_plain).map(kilobytes),
            ),
            goal(
                "≥ 1,500 set-ups a second over TLS",
                Limit::AtLeast(1_500.0),
                self.of(Report::per_second),
            ),
            goal(
                "routing p99 ≤ 10 ms at half of the highest rate",
                Limit::AtMost(10.0),
                self.of(Report::routing_p99),
            ),
        ]
    }
}

/// What is to be reached and whether it is, a line each.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (limit, value) in &self.limits {
            writeln!(f, "  {limit}: {value}")?;
        }
        writeln!(f, "\nmedians of {} runs", self.runs.len())?;
        for goal in self.goals() {
            writeln!(f, "  {goal}")?;
        }
        Ok(())
    }
}

/// A figure that is to be reached.
struct Goal {
    sentence: &'static str,
    limit: Limit,
    figure: Option<Spread>,
}

#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = self.sentence;
        let Some(figure) = self.figure else {
            return write!(f, "–      {sentence}: not measured");
        };
        let (met, missed_by) = match self.limit {
            Limit::AtLeast(limit) => (figure.median >= limit, (limit - figure.median) / limit),
            Limit::AtMost(limit) => (figure.median <= limit, (figure.median - limit) / limit),
        };
        match met {
            true => write!(f, "met    {sentence}: {figure}"),
            false => {
                let percent = missed_by * 100.0;
                write!(f, "MISSED {sentence}: {figure}, by {percent:.0} %")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::{Idle, Point};

    fn run(bytes: u64) -> Report {
        let point = |connections: usize| Point {
            connections,
            pss: 1_000_000 + bytes * connections as u64,
            rss: 0,
            connecting_seconds: 1.0,
            connected_per_second: 1.0,
        };
        Report {
            idle_plain: Some(Idle {
                points: vec![point(1_000), point(18_000)],
                connections: 18_000,
                lost: 0,
                server_cores: 0.0,
            }),
            ..Report::default()
        }
    }

    #[test]
    fn a_missed_goal_says_by_how_much_the_median_misses_it() {
        let summary = Summary {
            runs: [4_400, 3_000, 5_000].map(run).into(),
            limits: Map::new(),
        };
        let said = summary.to_string();
        assert!(
            said.contains("MISSED ≤ 4 KB a connection without: 4.40 (3.00–5.00), by 10 %"),
            "{said}"
        );
        assert!(said.contains("with TLS: not measured"), "{said}");
        let median = &summary.json()["idle"]["bytesPerConnectionPlain"];
        assert!((median.as_f64().expect("a number") - 4_400.0).abs() < 1e-6);
    }
}
