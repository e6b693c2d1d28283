//! `cargo xtask bench network`: two-way 720p30 H.264 calls over bad networks, Vireo ↔ Vireo and Chromium ↔ Chromium in turns.
//! Prints a table and writes `target/bench/network.json`. `--runs N` sets how often (5), `--only NAME` measures one link,
//! `--engine vireo|chromium` one side alone; `--resume` goes on where a measurement of the same program was cut off.

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    use std::path::Path;

    use anyhow::Context as _;
    use vireo_tests::bench::network::{Report, SERVE_PAGES, measure, serve_pages};

    if std::env::args().nth(1).as_deref() == Some(SERVE_PAGES) {
        return serve_pages().await;
    }
    let wanted = wanted::Wanted::read()?;
    let folder = Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    let file = folder.join("network.json");
    let mut report = Report::on(wanted.rows)?;
    if wanted.resume {
        let earlier = std::fs::read(&file).context("there is nothing to resume")?;
        report.resume(&serde_json::from_slice(&earlier)?)?;
    }
    for run in 1..=wanted.runs {
        for number in 0..report.rows().count() {
            for &engine in &wanted.engines {
                if report.has(run, number, engine) {
                    continue;
                }
                let row = report.rows().nth(number).context("counted")?;
                let call = format!("run {run} of {}: {}, {engine:?}", wanted.runs, row.name);
                match measure(engine, row, u64::from(run)).await {
                    Ok(measures) => {
                        println!("{call}: {measures:?}");
                        report.add(run, number, engine, measures);
                    }
                    Err(why) => {
                        println!("FAILED {call}: {why:#}");
                        report.add_failure(format!("{call}: {why:#}"));
                    }
                }
                // All of it takes hours: what has been measured is kept, whatever comes.
                std::fs::write(&file, serde_json::to_vec_pretty(&report.json())?)?;
            }
        }
    }
    println!("{report}");
    println!("written to {}", file.display());
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux has the network namespaces that the links are between");
}

#[cfg(target_os = "linux")]
mod wanted {
    use anyhow::{Context as _, Result, bail, ensure};
    use vireo_tests::bench::Engine;
    use vireo_tests::bench::network::{Row, rows};

    /// What is asked for on the command line.
    pub struct Wanted {
        pub runs: u32,
        pub engines: Vec<Engine>,
        pub rows: Vec<Row>,
        pub resume: bool,
    }

    impl Wanted {
        pub fn read() -> Result<Self> {
            let mut wanted = Self {
                runs: 5,
                engines: vec![Engine::Vireo, Engine::Chromium],
                rows: rows(),
                resume: false,
            };
            let names: Vec<&str> = wanted.rows.iter().map(|row| row.name).collect();
            let mut arguments = std::env::args().skip(1);
            while let Some(option) = arguments.next() {
                if option == "--resume" {
                    wanted.resume = true;
                    continue;
                }
                let value = arguments.next().unwrap_or_default();
                match (option.as_str(), value.as_str()) {
                    ("--runs", number) => {
                        wanted.runs = number.parse().context("--runs takes a number")?;
                    }
                    ("--engine", "vireo") => wanted.engines = vec![Engine::Vireo],
                    ("--engine", "chromium") => wanted.engines = vec![Engine::Chromium],
                    ("--only", name) => wanted.rows.retain(|row| row.name == name),
                    _ => bail!(
                        "unknown argument {option} {value}; there are --runs N, --only NAME, --engine vireo|chromium and --resume"
                    ),
                }
            }
            ensure!(
                !wanted.rows.is_empty(),
                "there is no such link; there are {}",
                names.join(", ")
            );
            Ok(wanted)
        }
    }
}
