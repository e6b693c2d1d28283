//! What is measured, each part on a server process of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use tokio::time::sleep;

use crate::connection::Target;
use crate::crowd::Crowd;
use crate::instance::{Instance, Settings};
use crate::load::{Load, Outcome};
use crate::people::{self, Person};
use crate::process_tree::Usage;

/// The history is written a little after the calls.
const HISTORY_PATIENCE: Duration = Duration::from_secs(20);

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Scale {
    /// At so many idle connections the memory is read.
    pub connections: Vec<usize>,
    /// How long the server is left alone before that; a round of pings at least.
    pub settle: Duration,
    /// How long all of them stay, so that dead ones would be found.
    pub hold: Duration,
    /// So many pairs of people call each other.
    pub pairs: usize,
    /// Calls a second at first.
    pub first_rate: f64,
    /// Whether the highest rate is looked for; otherwise the first one is taken for it.
    pub search: bool,
    /// How long each rate is tried.
    pub trial: Duration,
    /// How long is measured at the highest rate, and at half of it.
    pub measurement: Duration,
}

impl Scale {
    /// The measurement.
    #[must_use]
    pub fn full() -> Self {
        Self {
            connections: vec![1_000, 5_000, 18_000],
            settle: Duration::from_secs(15),
            hold: Duration::from_secs(35),
            pairs: 3_000,
            first_rate: 400.0,
            search: true,
            trial: Duration::from_secs(6),
            measurement: Duration::from_secs(20),
        }
    }

    /// Enough to see that everything works.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            connections: vec![100, 500],
            settle: Duration::from_secs(1),
            hold: Duration::from_secs(1),
            pairs: 50,
            first_rate: 20.0,
            search: false,
            trial: Duration::from_secs(2),
            measurement: Duration::from_secs(3),
        }
    }
}

/// Memory with so many idle connections.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// How many are connected and have been greeted.
    pub connections: usize,
    /// Proportional set size of the server, in bytes.
    pub pss: u64,
    /// Resident set size, in bytes.
    pub rss: u64,
    /// How long connecting those who came last took.
    pub connecting_seconds: f64,
    /// How many a second that was.
    pub connected_per_second: f64,
}

/// What idle connections cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Idle {
    /// Memory, point by point.
    pub points: Vec<Point>,
    /// How many were connected at the end, after the time in which dead ones are found.
    pub connections: usize,
    /// How many were lost.
    pub lost: usize,
    /// Share of a core that the server used while everybody was idle.
    pub server_cores: f64,
}

/// What set-ups of calls take.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setups {
    /// Every rate that was tried.
    pub trials: Vec<Outcome>,
    /// At the highest rate that is sustained.
    pub highest: Outcome,
    /// At half of it.
    pub half: Outcome,
    /// Calls that became complete, over everything.
    pub completed: u64,
    /// Calls that the history holds as answered and ended well.
    pub in_history: u64,
    /// Connections lost.
    pub lost: usize,
}

/// Connects more and more people who do nothing, and reads the server's memory.
///
/// # Errors
/// When somebody cannot connect.
pub async fn idle(scale: &Scale, settings: &Settings) -> Result<Idle> {
    let most = scale.connections.iter().copied().max().unwrap_or(0);
    let people = prepare(settings, most).await?;
    let server = Instance::start(settings).await?;
    let target = Target::of(&server.url)?;
    let mut crowd = Crowd::default();
    let mut points = Vec::new();
    for &connections in &scale.connections {
        let first = crowd.connected();
        let start = Instant::now();
        crowd
            .join(&target, &people[first..connections], first)
            .await?;
        let took = start.elapsed().as_secs_f64();
        sleep(scale.settle).await;
        let memory = server.memory()?;
        points.push(Point {
            connections: crowd.connected(),
            pss: memory.pss,
            rss: memory.rss,
            connecting_seconds: took,
            connected_per_second: (connections - first) as f64 / took,
        });
    }
    let before = server.usage()?;
    sleep(scale.hold).await;
    Ok(Idle {
        points,
        connections: crowd.connected(),
        lost: crowd.lost(),
        server_cores: server.usage()?.cores_since(&before),
    })
}

/// Looks for the highest rate of set-ups and measures at half of it. With several settings there are as many servers,
/// over the same database.
///
/// # Errors
/// When the servers do not work.
pub async fn setups(scale: &Scale, settings: &[Settings], database: &str) -> Result<Setups> {
    let people = prepare_database(&settings[0], database, 2 * scale.pairs).await?;
    let mut servers = Vec::new();
    for settings in settings {
        servers.push(Instance::start(settings).await?);
    }
    let targets = servers.iter().map(|server| Target::of(&server.url));
    let targets = targets.collect::<Result<Vec<_>>>()?;
    let load = Load::connect(&targets, &people).await?;
    let usage = || {
        let servers = servers.iter().map(Instance::usage);
        let servers = servers.collect::<Result<Vec<_>>>()?;
        let seconds = servers.iter().map(|usage| usage.processor.as_secs_f64());
        let own = Usage::of_process(std::process::id());
        anyhow::Ok([seconds.sum(), own.processor.as_secs_f64()])
    };
    let run = async |rate: f64, lasting: Duration| {
        // What a rate that was too high has left behind.
        sleep(Duration::from_secs(1)).await;
        load.run(rate, lasting, usage).await
    };
    let mut trials = Vec::new();
    let mut rate = scale.first_rate;
    if scale.search {
        rate = search(rate, scale.trial, &run, &mut trials).await?;
    }
    let highest = loop {
        let outcome = run(rate, scale.measurement).await?;
        if outcome.is_sustained() || !scale.search {
            break outcome;
        }
        trials.push(outcome);
        rate *= 0.95;
        ensure!(rate > 1.0, "the server sustains no rate: {trials:?}");
    };
    let half = run(rate / 2.0, scale.measurement).await?;
    let completed = trials.iter().chain([&highest, &half]).map(|o| o.completed);
    let completed = completed.sum();
    Ok(Setups {
        in_history: history(database, completed).await?,
        lost: load.lost(),
        trials,
        highest,
        half,
        completed,
    })
}

/// Goes up until a rate is not sustained, and halves the distance three times.
async fn search(
    first: f64,
    trial: Duration,
    run: &impl AsyncFn(f64, Duration) -> Result<Outcome>,
    trials: &mut Vec<Outcome>,
) -> Result<f64> {
    let (mut sustained, mut rate) = (0.0, first);
    let mut too_high = loop {
        let outcome = run(rate, trial).await?;
        let holds = outcome.is_sustained();
        trials.push(outcome);
        match holds {
            true => sustained = rate,
            false => break rate,
        }
        rate *= 1.5;
    };
    for _ in 0..3 {
        rate = f64::midpoint(sustained, too_high);
        let outcome = run(rate, trial).await?;
        match outcome.is_sustained() {
            true => sustained = rate,
            false => too_high = rate,
        }
        trials.push(outcome);
    }
    ensure!(sustained > 0.0, "the server sustains no rate: {trials:?}");
    Ok(sustained)
}

/// The number of calls in the history, once it holds as many as became complete, or has had its time.
async fn history(database: &str, completed: u64) -> Result<u64> {
    let by = Instant::now() + HISTORY_PATIENCE;
    loop {
        let count = people::completed_calls(database).await?;
        if count >= completed || Instant::now() > by {
            return Ok(count);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn prepare(settings: &Settings, count: usize) -> Result<Vec<Person>> {
    prepare_database(settings, &settings.sqlite(), count).await
}

/// Lets the server make its database, and fills it with people.
async fn prepare_database(
    settings: &Settings,
    database: &str,
    count: usize,
) -> Result<Vec<Person>> {
    let mut server = Instance::start(settings).await?;
    server.kill().await?;
    people::make(database, count)
        .await
        .context("the people cannot be made")
}

/// A server that keeps what is its own in this folder, with TLS or without.
#[must_use]
pub fn settings(folder: &Path, tls: bool) -> Settings {
    let mut settings = Settings::plain(folder);
    if tls {
        // What only this computer reaches is not encrypted.
        settings.listen = "0.0.0.0:0".to_owned();
        let alone = ["--no-turn", "--no-port-mapping"].map(str::to_owned);
        settings.arguments.extend(alone);
    }
    settings
}
