//! `cargo xtask bench call`: two-way 720p30 H.264 at 2 Mbit/s, Vireo ↔ Vireo and Chromium ↔ Chromium in turns.
//! Prints a table and writes `target/bench/call.json`. `--runs N` sets how often (5), `--engine vireo|chromium` measures one alone.

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

use anyhow::{Context as _, Result};
use vireo_tests::bench::{Content, Engine, Report, Row, measure, measure_application};

#[tokio::main]
async fn main() -> Result<()> {
    let Wanted { runs, engines } = Wanted::read()?;
    let mut report = Report::default();
    for run in 1..=runs {
        for content in Content::ALL {
            for &engine in &engines {
                let measures = measure(engine, content)
                    .await
                    .with_context(|| format!("{engine:?}, {content:?}"))?;
                println!("run {run} of {runs}: {engine:?}, {content:?}: {measures:?}");
                report.add(Row {
                    engine,
                    content,
                    measures,
                });
            }
        }
        for &engine in &engines {
            let application = measure_application(engine)
                .await
                .with_context(|| format!("{engine:?}, shown"))?;
            println!("run {run} of {runs}: {engine:?}, shown: {application:?}");
            report.add_application(engine, application);
        }
    }
    println!("{report}");
    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("call.json"),
        serde_json::to_vec_pretty(&report.json())?,
    )?;
    println!("written to target/bench/call.json");
    Ok(())
}

/// What is asked for on the command line.
struct Wanted {
    runs: u32,
    engines: Vec<Engine>,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self {
            runs: 5,
            engines: vec![Engine::Vireo, Engine::Chromium],
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            match (option.as_str(), value.as_str()) {
                ("--runs", number) => {
                    wanted.runs = number.parse().context("--runs takes a number")?
                }
                ("--engine", "vireo") => wanted.engines = vec![Engine::Vireo],
                ("--engine", "chromium") => wanted.engines = vec![Engine::Chromium],
                _ => anyhow::bail!(
                    "unknown argument {option} {value}; there are --runs N and --engine vireo|chromium"
                ),
            }
        }
        Ok(wanted)
    }
}
