//! A call that goes on and on, and whether anything grows meanwhile.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use vireo_media::video::unix_ms_now;

use super::Limit::AtMost;
use super::{Content, FORMAT, Goal, MAX_BITRATE, Outcome, mean, percentile};
use crate::binaries::binary;
use crate::cli::Cli;
use crate::process_tree::Usage;
use crate::pulse::Pulse;
use crate::server::{Account, Server};

/// How often it is looked at: in half an hour once a minute.
const READINGS: u32 = 30;

const GOALS: [Goal<Report>; 3] = [
    Goal::new(
        AtMost(2.0),
        "memory of a side grows by ≤ 2 MB",
        |report, _| report.growth(|reading| reading.memory_mb),
    ),
    Goal::new(
        AtMost(10.0),
        "the picture's delay grows by ≤ 10 ms",
        |report, _| report.growth(|reading| reading.picture_ms),
    ),
    Goal::new(
        AtMost(10.0),
        "the sound's delay grows by ≤ 10 ms",
        |report, _| report.growth(|reading| reading.sound_ms),
    ),
];

/// What was seen since the reading before; of two sides the mean.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Since the call was connected.
    pub seconds: f64,
    /// Proportional set size, in MB.
    pub memory_mb: f64,
    /// The median age of a picture when it is decoded, in milliseconds.
    pub picture_ms: f64,
    /// The median age of a sound when it is given to the speaker, with what waits there, in milliseconds.
    pub sound_ms: f64,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.seconds / 60.0;
        write!(f, "{minutes:5.1} min: {:6.1} MB, ", self.memory_mb)?;
        write!(f, "picture {:5.1} ms, ", self.picture_ms)?;
        write!(f, "sound {:5.1} ms", self.sound_ms)
    }
}

/// A whole call.
#[derive(Debug, Serialize)]
pub struct Report {
    readings: Vec<Reading>,
}

impl Report {
    /// From the second third's median to the last one's. In the first, everything starts and fills.
    fn growth(&self, figure: fn(&Reading) -> f64) -> Option<f64> {
        let third = self.readings.len() / 3;
        let median = |readings: &[Reading]| {
            percentile(&mut readings.iter().map(figure).collect::<Vec<_>>(), 0.5)
        };
        let second = self.readings.get(third..2 * third)?;
        let last = self.readings.get(2 * third..)?;
        Some(median(last) - median(second))
    }

    /// Of the speaker's clock against that of the computer, as far as the sound's delay follows it: microseconds a second.
    fn drift(&self) -> Option<f64> {
        let last = self.readings.last()?.seconds;
        Some(self.growth(|reading| reading.sound_ms)? * 1000.0 / (last / 3.0))
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcomes = GOALS.iter().map(|goal| goal.outcome(self, None));
        outcomes.flatten().collect()
    }

    /// The file's content.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "readings": self.readings, "driftPpm": self.drift(), "goals": self.outcomes() })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for reading in &self.readings {
            writeln!(f, "{reading}")?;
        }
        if let Some(drift) = self.drift() {
            writeln!(f, "sound drifts by {drift:.1} ppm")?;
        }
        for outcome in self.outcomes() {
            writeln!(f, "{outcome}")?;
        }
        Ok(())
    }
}

/// Makes a call of so many minutes; `told` hears of its memory while it goes on.
///
/// # Errors
/// When the call does not come about or does not last.
pub async fn measure(minutes: u32, told: impl Fn(&str)) -> Result<Report> {
    ensure!(minutes > 0, "a call lasts a minute at least");
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let speakers = [Pulse::start()?, Pulse::start()?];
    let mut callee = start(&server, &speakers[1], &bob, &["answer", "--once"])?;
    callee.event("ready").await?;
    let mut caller = start(&server, &speakers[0], &ann, &["call", "Bob"])?;
    caller.event("connected").await?;
    let gone = "a side has ended";
    let roots = [caller.id().context(gone)?, callee.id().context(gone)?];
    let (connected, connected_ms) = (Instant::now(), unix_ms_now());
    let mut memory = Vec::new();
    for number in 1..=READINGS {
        let after = Duration::from_secs(60 * u64::from(minutes)) * number / READINGS;
        sleep_until(connected + after).await;
        let megabytes = mean(roots.map(|root| Usage::of(root).pss as f64 / 1e6));
        ensure!(megabytes > 0.0, gone);
        memory.push((after.as_secs_f64(), megabytes));
        told(&format!(
            "{:5.1} min: {megabytes:6.1} MB",
            after.as_secs_f64() / 60.0
        ));
    }
    caller.interrupt().await?;
    for side in [caller, callee] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "a side ended badly: {}", ended.stderr);
    }
    let ages = |what| {
        anyhow::Ok([
            ages(&file(server.folder(), &ann, what), connected_ms)?,
            ages(&file(server.folder(), &bob, what), connected_ms)?,
        ])
    };
    let (pictures, sounds) = (ages("frames")?, ages("sounds")?);
    let mut from = 0.0;
    let readings = memory.into_iter().map(|(seconds, memory_mb)| {
        let median = |sides: &[Vec<(f64, f64)>; 2]| {
            mean(sides.each_ref().map(|ages| median(ages, from, seconds)))
        };
        let (picture_ms, sound_ms) = (median(&pictures), median(&sounds));
        from = seconds;
        Reading {
            seconds,
            memory_mb,
            picture_ms,
            sound_ms,
        }
    });
    Ok(Report {
        readings: readings.collect(),
    })
}

fn median(ages: &[(f64, f64)], from: f64, to: f64) -> f64 {
    let inside = ages.iter().filter(|(at, _)| (from..to).contains(at));
    percentile(&mut inside.map(|(_, age)| *age).collect::<Vec<_>>(), 0.5)
}

/// Seconds since the call was connected, and milliseconds of age.
fn ages(path: &Path, connected_ms: f64) -> Result<Vec<(f64, f64)>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("nothing came: {}", path.display()))?;
    let line = |line: &str| {
        let mut numbers = line.split(',').map(str::parse::<f64>);
        let (at, age) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(((at - connected_ms) / 1000.0, age))
    };
    Ok(text.lines().skip(1).filter_map(line).collect())
}

fn file(folder: &Path, account: &Account, what: &str) -> PathBuf {
    folder.join(format!("{}.{what}.csv", account.name))
}

fn start(server: &Server, pulse: &Pulse, account: &Account, call: &[&str]) -> Result<Cli> {
    let mut command = tokio::process::Command::new(binary("vireo-cli")?);
    command
        .envs(pulse.environment())
        .env("VIREO_PATTERN", Content::TalkingHead.name());
    let path = |what| file(server.folder(), account, what);
    let media = [
        "--camera=pattern".to_owned(),
        "--microphone=pattern".to_owned(),
        "--speaker=device".to_owned(),
        format!("--size={}x{}", FORMAT.width, FORMAT.height),
        format!("--fps={}", FORMAT.frame_rate),
        "--codec=h264".to_owned(),
        format!("--max-bitrate={MAX_BITRATE}"),
        format!("--frames={}", path("frames").display()),
        format!("--sounds={}", path("sounds").display()),
    ];
    let arguments: Vec<&str> = call
        .iter()
        .copied()
        .chain(media.iter().map(String::as_str))
        .collect();
    Cli::start_with(command, &server.url, account, &arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sound_ms: impl Fn(f64) -> f64) -> Report {
        let reading = |number: u32| {
            let seconds = f64::from(number) * 60.0;
            Reading {
                seconds,
                memory_mb: 40.0,
                picture_ms: 10.0,
                sound_ms: sound_ms(seconds),
            }
        };
        Report {
            readings: (1..=READINGS).map(reading).collect(),
        }
    }

    #[test]
    fn what_drifts_is_told() {
        // A clock that is slow by 100 ppm, and nobody does anything about it.
        let drifting = report(|seconds| 50.0 + seconds * 0.1);
        let drift = drifting.drift().expect("readings");
        assert!((drift - 100.0).abs() < 1.0, "{drift}");
        assert!(drifting.outcomes().iter().any(|outcome| !outcome.met));
        let steady = report(|seconds| if seconds < 300.0 { 90.0 } else { 50.0 });
        assert!(steady.outcomes().iter().all(|outcome| outcome.met));
    }
}
