//! `cargo xtask bench desktop`: how soon the application's window can be used, what it costs in the tray and in a call.
//! Prints a table and writes `target/bench/desktop.json`. `--runs N` sets how often (5).

#![allow(clippy::print_stdout, reason = "the table is what the program is for")]

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    use anyhow::{Context as _, bail};
    use vireo_tests::bench::desktop::{Report, Stage};

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runs = match arguments.as_slice() {
        [] => 5,
        [option, runs] if option == "--runs" => runs.parse().context("--runs takes a number")?,
        _ => bail!("there is nothing but --runs N"),
    };
    let stage = Stage::set().await?;
    let mut report = Report::default();
    for run in 1..=runs {
        let measures = stage.measure().await?;
        println!("run {run} of {runs}: {measures:?}");
        report.add(measures);
    }
    println!("{report}");
    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder)?;
    std::fs::write(
        folder.join("desktop.json"),
        serde_json::to_vec_pretty(&report.json())?,
    )?;
    println!("written to target/bench/desktop.json");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("only Linux has the display that needs no screen");
}
