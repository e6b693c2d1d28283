//! The table and the file that a measurement leaves.

use std::fmt;

use serde_json::{Value, json};

use crate::figures::slope;
use crate::load::Outcome;
use crate::phases::{Idle, Setups};

/// A figure that is to be reached.
struct Goal {
    sentence: &'static str,
    limit: Limit,
    figure: Option<f64>,
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
            return writeln!(f, "  –      {sentence}: not measured");
        };
        let (met, missed_by) = match self.limit {
            Limit::AtLeast(limit) => (figure >= limit, (limit - figure) / limit),
            Limit::AtMost(limit) => (figure <= limit, (figure - limit) / limit),
        };
        match met {
            true => writeln!(f, "  met    {sentence}: {figure:.2}"),
            false => writeln!(
                f,
                "  MISSED {sentence}: {figure:.2}, by {:.0} %",
                missed_by * 100.0
            ),
        }
    }
}

/// Everything measured.
#[derive(Debug, Default)]
pub struct Report {
    /// Idle connections with TLS.
    pub idle_tls: Option<Idle>,
    /// The same without.
    pub idle_plain: Option<Idle>,
    /// Set-ups at one server.
    pub setups: Option<Setups>,
    /// Set-ups at two servers.
    pub instances: Option<Setups>,
    /// What bounded the measurement, by name.
    pub limits: serde_json::Map<String, Value>,
}

impl Report {
    /// The file's content.
    #[must_use]
    pub fn json(&self) -> Value {
        let connections = self.idle_tls.as_ref().or(self.idle_plain.as_ref());
        let half = self.setups.as_ref().map(|setups| &setups.half);
        json!({
            "idle": {
                "connections": connections.map(|idle| idle.connections),
                "bytesPerConnectionTls": bytes_per_connection(self.idle_tls.as_ref()),
                "bytesPerConnectionPlain": bytes_per_connection(self.idle_plain.as_ref()),
                "tls": self.idle_tls,
                "plain": self.idle_plain,
            },
            "setups": {
                "perSecond": per_second(self.setups.as_ref()),
                "oneInstance": self.setups,
                "twoInstances": self.instances,
            },
            "routing": {
                "p50Ms": half.map(|half| half.routing_p50_ms),
                "p99Ms": half.map(|half| half.routing_p99_ms),
            },
            "limits": self.limits,
            "goals": self.goals().iter().map(|goal| goal.to_string().trim().to_owned()).collect::<Vec<_>>(),
        })
    }

    /// What is to be reached, and whether it is: a line each.
    #[must_use]
    pub fn verdict(&self) -> String {
        self.goals().iter().map(Goal::to_string).collect()
    }

    fn goals(&self) -> [Goal; 5] {
        let kilobytes = |idle: &Option<Idle>| bytes_per_connection(idle.as_ref()).map(|b| b / 1e3);
        let tls = self.idle_tls.as_ref();
        let half = self.setups.as_ref().map(|setups| &setups.half);
        let goal = |sentence, limit, figure| Goal {
            sentence,
            limit,
            figure,
        };
        [
            goal(
                "≥ 18,000 idle connections with TLS",
                Limit::AtLeast(18_000.0),
                tls.map(|idle| idle.connections as f64),
            ),
            goal(
                "≤ 12 KB a connection with TLS",
                Limit::AtMost(12.0),
                kilobytes(&self.idle_tls),
            ),
            goal(
                "≤ 4 KB a connection without",
                Limit::AtMost(4.0),
                kilobytes(&self.idle_plain),
            ),
            goal(
                "≥ 1,500 set-ups a second over TLS",
                Limit::AtLeast(1_500.0),
                per_second(self.setups.as_ref()),
            ),
            goal(
                "routing p99 ≤ 10 ms at half of the highest rate",
                Limit::AtMost(10.0),
                half.map(|half| half.routing_p99_ms),
            ),
        ]
    }
}

/// How much memory each further connection takes, from the slope over all points.
fn bytes_per_connection(idle: Option<&Idle>) -> Option<f64> {
    let points = idle?.points.iter();
    let points: Vec<_> = points
        .map(|point| (point.connections as f64, point.pss as f64))
        .collect();
    slope(&points)
}

fn per_second(setups: Option<&Setups>) -> Option<f64> {
    setups.map(|setups| setups.highest.completed_per_second)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = [("with TLS", &self.idle_tls), ("without", &self.idle_plain)];
        for (how, idle) in idle
            .iter()
            .filter_map(|(how, idle)| Some((how, idle.as_ref()?)))
        {
            writeln!(f, "\nidle connections {how}")?;
            let head = ["connections", "PSS (MB)", "RSS (MB)", "a second"];
            writeln!(
                f,
                "{:>14}{:>12}{:>12}{:>12}",
                head[0], head[1], head[2], head[3]
            )?;
            for point in &idle.points {
                writeln!(
                    f,
                    "{:>14}{:>12.1}{:>12.1}{:>12.0}",
                    point.connections,
                    point.pss as f64 / 1e6,
                    point.rss as f64 / 1e6,
                    point.connected_per_second
                )?;
            }
            let (lost, share) = (idle.lost, idle.server_cores * 100.0);
            writeln!(
                f,
                "  {lost} lost; idle, the server uses {share:.1} % of a core"
            )?;
        }
        let setups = [
            ("one server", &self.setups),
            ("two servers", &self.instances),
        ];
        for (where_, setups) in setups
            .iter()
            .filter_map(|(at, setups)| Some((at, setups.as_ref()?)))
        {
            writeln!(f, "\nset-ups of calls, {where_}")?;
            writeln!(
                f,
                "{:>10}{:>11}{:>9}{:>13}{:>13}{:>12}{:>10}{:>12}",
                "asked/s",
                "complete/s",
                "failed",
                "routing p50",
                "routing p99",
                "set-up p99",
                "server",
                "generator"
            )?;
            for outcome in setups.trials.iter().chain([&setups.highest, &setups.half]) {
                show(f, outcome)?;
            }
            writeln!(
                f,
                "  {} calls complete, {} in the history, {} connections lost",
                setups.completed, setups.in_history, setups.lost
            )?;
        }
        writeln!(f)?;
        for (limit, value) in &self.limits {
            writeln!(f, "  {limit}: {value}")?;
        }
        Ok(())
    }
}

/// One line: milliseconds, and processor time as % of a core.
fn show(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    writeln!(
        f,
        "{:>10.0}{:>11.0}{:>9}{:>13.2}{:>13.2}{:>12.2}{:>9.0}%{:>11.0}%{}",
        outcome.asked_per_second,
        outcome.completed_per_second,
        outcome.failed.values().sum::<u64>(),
        outcome.routing_p50_ms,
        outcome.routing_p99_ms,
        outcome.setup_p99_ms,
        outcome.server_cores * 100.0,
        outcome.generator_cores * 100.0,
        if outcome.is_sustained() {
            ""
        } else {
            "  not sustained"
        },
    )
}
