//! What one run of the measurement has found.

use std::fmt;

use serde::Serialize;

use crate::figures::slope;
use crate::load::Outcome;
use crate::phases::{Idle, Setups};

/// Everything that one run has measured. What was not asked for is not there.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Idle connections with TLS.
    pub idle_tls: Option<Idle>,
    /// The same without.
    pub idle_plain: Option<Idle>,
    /// Set-ups at one server.
    pub setups: Option<Setups>,
    /// Set-ups at two servers.
    pub instances: Option<Setups>,
}

impl Report {
    /// How many people were connected without doing anything.
    pub(crate) fn connections(&self) -> Option<f64> {
        let idle = self.idle_tls.as_ref().or(self.idle_plain.as_ref())?;
        Some(idle.connections as f64)
    }

    /// Bytes for each further idle connection with TLS.
    pub(crate) fn bytes_tls(&self) -> Option<f64> {
        bytes_per_connection(self.idle_tls.as_ref())
    }

    /// Bytes for each further idle connection without TLS.
    pub(crate) fn bytes_plain(&self) -> Option<f64> {
        bytes_per_connection(self.idle_plain.as_ref())
    }

    /// The highest rate of set-ups that one server sustains.
    pub(crate) fn per_second(&self) -> Option<f64> {
        per_second(self.setups.as_ref())
    }

    /// The same of two servers.
    pub(crate) fn per_second_of_two(&self) -> Option<f64> {
        per_second(self.instances.as_ref())
    }

    /// How long messages take through one server at half of its highest rate, in milliseconds.
    pub(crate) fn routing_p50(&self) -> Option<f64> {
        Some(self.setups.as_ref()?.half.routing_p50_ms)
    }

    /// The same for the slowest in a hundred.
    pub(crate) fn routing_p99(&self) -> Option<f64> {
        Some(self.setups.as_ref()?.half.routing_p99_ms)
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
