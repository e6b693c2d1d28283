//! `cargo xtask bench signalling`: how many idle people a server holds and what each costs, how many calls a second are
//! set up and how quickly messages get through. This process is all of the people; each part has a server process of its own.
//! Prints a table and writes `target/bench/signalling.json`. `--quick` shows only that everything works, `--only
//! idle|setups|instances` measures one part and writes nothing.

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use vireo_signalling::Report;
use vireo_signalling::phases::{self, Scale, Setups};
use vireo_testing::{Durability, Postgres, Redis};

#[tokio::main]
async fn main() -> Result<()> {
    let wanted = Wanted::read()?;
    let folder = tempfile::tempdir()?;
    let mut report = Report::default();
    report
        .limits
        .insert("files a process may open".to_owned(), json!(open_files()?));
    report.limits.insert(
        "the server's settings".to_owned(),
        json!("as shipped, but without relay and router (--no-turn --no-port-mapping)"),
    );
    let data = |name: &str| folder.path().join(name);
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
    println!("{report}");
    if wanted.quick {
        return complete(&report);
    }
    println!("{}", report.verdict());
    if let Some(part) = &wanted.only {
        println!("nothing is written, as only a part was measured: {part}");
        return Ok(());
    }
    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    let file = folder.join("signalling.json");
    std::fs::write(file, serde_json::to_vec_pretty(&report.json())?)?;
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
    quick: bool,
    only: Option<String>,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self {
            scale: Scale::full(),
            quick: false,
            only: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--quick" => {
                    wanted.quick = true;
                    wanted.scale = Scale::quick();
                }
                "--only" => wanted.only = arguments.next(),
                _ => bail!(
                    "unknown argument {option}; there are --quick and --only idle|setups|instances"
                ),
            }
        }
        Ok(wanted)
    }

    fn measures(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }
}
