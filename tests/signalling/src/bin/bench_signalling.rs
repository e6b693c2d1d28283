//! `cargo xtask bench signalling`: how many idle people a server holds and what each costs, how many calls a second are
//! set up and how quickly messages get through. This process is all of the people; each part has a server process of its own.
//! Prints a table of each run and the medians of all, and writes `target/bench/signalling.json`. `--runs N` says how often all
//! of it is measured (3); `--quick` shows only that everything works, `--only idle|setups|instances` measures one part and
//! writes nothing.

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use vireo_signalling::phases::{self, Scale, Setups};
use vireo_signalling::{Report, Summary};
use vireo_testing::{Durability, Postgres, Redis};

#[tokio::main]
async fn main() -> Result<()> {
    let wanted = Wanted::read()?;
    let mut summary = Summary::default();
    for number in 1..=wanted.runs {
        println!("── Run {number} of {}", wanted.runs);
        let run = measure(&wanted).await?;
        println!("{run}");
        if wanted.quick {
            complete(&run)?;
        }
        summary.runs.push(run);
    }
    if wanted.quick {
        return Ok(());
    }
    summary
        .limits
        .insert("files a process may open".to_owned(), json!(open_files()?));
    summary.limits.insert(
        "the server's settings".to_owned(),
        json!("as shipped, but without relay and router (--no-turn --no-port-mapping)"),
    );
    println!("{summary}");
    match &wanted.only {
        Some(part) => println!("nothing is written, as only a part was measured: {part}"),
        None => write(&summary)?,
    }
    Ok(())
}

/// Everything that is wanted, once, each part with a data directory of its own.
async fn measure(wanted: &Wanted) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let data = |name: &str| folder.path().join(name);
    let mut report = Report::default();
    if wanted.measures("idle") {
        println!("── Idle connections with TLS");
        let settings = phases::settings(&data("idle-tls"), true);
        report.idle_tls = Some(phases::idle(&wanted.scale, &settings).await?);
        println!("── Idle connections without TLS");
        let settings = phases::settings(&data("idle-plain"), false);
        report.idle_plain = Some(phases::idle(&wanted.scale, &settings).await?);
    }
    if wanted.measures("setups") {
        println!("── Set-ups of calls, one server with TLS and SQLite");
        let settings = phases::settings(&data("setups"), true);
        let database = settings.sqlite();
        let setups = phases::setups(&wanted.scale, &[settings], &database).await?;
        report.setups = Some(setups);
    }
    if wanted.measures("instances") {
        println!("── Set-ups of calls, two servers with TLS, PostgreSQL and Redis");
        let (postgres, redis) = (Postgres::start(Durability::Full)?, Redis::start()?);
        let database = postgres.database()?;
        let settings = ["one", "two"].map(|name| {
            let mut settings = phases::settings(&data(name), true);
            let shared = ["--database", &database, "--bus", &redis.address()];
            settings.arguments.extend(shared.map(str::to_owned));
            settings
        });
        let setups = phases::setups(&wanted.scale, &settings, &database).await?;
        report.instances = Some(setups);
    }
    Ok(report)
}

fn write(summary: &Summary) -> Result<()> {
    let folder = Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    let file = folder.join("signalling.json");
    std::fs::write(file, serde_json::to_vec_pretty(&summary.json())?)?;
    println!("written to target/bench/signalling.json");
    Ok(())
}

/// Nobody may lose a connection, no call may fail, no message may be missing, and the history holds every call.
fn complete(report: &Report) -> Result<()> {
    for idle in [&report.idle_tls, &report.idle_plain].into_iter().flatten() {
        ensure!(idle.lost == 0, "{} idle connections were lost", idle.lost);
    }
    for setups in [&report.setups, &report.instances].into_iter().flatten() {
        let Setups {
            highest,
            half,
            completed,
            in_history,
            lost,
            ..
        } = setups;
        for outcome in [highest, half] {
            ensure!(
                outcome.begun > 0 && outcome.nothing_is_lost(),
                "{outcome:?}"
            );
        }
        ensure!(
            completed == in_history,
            "{in_history} of {completed} calls are in the history"
        );
        ensure!(*lost == 0, "{lost} connections were lost");
    }
    Ok(())
}

/// How many files this process, and so each that it starts, may open.
fn open_files() -> Result<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    soft.context("no limit of open files")?
        .parse()
        .context("no number")
}

/// What is asked for on the command line.
struct Wanted {
    scale: Scale,
    runs: usize,
    quick: bool,
    only: Option<String>,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self {
            scale: Scale::full(),
            runs: 3,
            quick: false,
            only: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--quick" => {
                    wanted.quick = true;
                    wanted.runs = 1;
                    wanted.scale = Scale::quick();
                }
                "--runs" => {
                    let runs = arguments.next().and_then(|runs| runs.parse().ok());
                    wanted.runs = runs
                        .filter(|&runs| runs > 0)
                        .context("--runs needs a number")?;
                }
                "--only" => wanted.only = arguments.next(),
                _ => bail!(
                    "unknown argument {option}; there are --runs N, --quick and --only idle|setups|instances"
                ),
            }
        }
        Ok(wanted)
    }

    fn measures(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }
}
