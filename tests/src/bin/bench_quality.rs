//! `cargo xtask bench quality`: what two-way 720p30 H.264 calls make of a picture at a few bit rates, Vireo ↔ Vireo and
//! Chromium ↔ Chromium in turns, judged by VMAF and SSIM. Prints a table and writes `target/bench/quality.json`.
//! `--ffmpeg PATH` names an ffmpeg with libvmaf, `--runs N` sets how often (5), `--engine vireo|chromium` measures one alone.

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use vireo_tests::bench::Engine;
use vireo_tests::bench::quality::{Report, measure, scenes};

#[tokio::main]
async fn main() -> Result<()> {
    let Wanted {
        runs,
        engines,
        ffmpeg,
    } = Wanted::read()?;
    let mut report = Report::default();
    for run in 1..=runs {
        for scene in scenes() {
            for &engine in &engines {
                let call = format!("run {run} of {runs}: {engine:?}, {scene:?}");
                let measures = measure(engine, scene, &ffmpeg)
                    .await
                    .with_context(|| call.clone())?;
                println!("{call}: {measures:?}");
                report.add(scene, engine, measures);
            }
        }
    }
    println!("{report}");
    let folder = Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("quality.json"),
        serde_json::to_vec_pretty(&report.json())?,
    )?;
    println!("written to target/bench/quality.json");
    Ok(())
}

/// What is asked for on the command line.
struct Wanted {
    runs: u32,
    engines: Vec<Engine>,
    ffmpeg: PathBuf,
}

impl Wanted {
    fn read() -> Result<Self> {
        let mut wanted = Self {
            runs: 5,
            engines: vec![Engine::Vireo, Engine::Chromium],
            ffmpeg: PathBuf::from("ffmpeg"),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(option) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            match (option.as_str(), value.as_str()) {
                ("--runs", number) => {
                    wanted.runs = number.parse().context("--runs takes a number")?;
                }
                ("--ffmpeg", path) => wanted.ffmpeg = path.into(),
                ("--engine", "vireo") => wanted.engines = vec![Engine::Vireo],
                ("--engine", "chromium") => wanted.engines = vec![Engine::Chromium],
                _ => bail!(
                    "unknown argument {option} {value}; there are --runs N, --ffmpeg PATH and --engine vireo|chromium"
                ),
            }
        }
        Ok(wanted)
    }
}
