//! `cargo xtask bench …`: measurements.

use anyhow::Result;
use clap::Subcommand;

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// A two-way video call, beside Chromium's in the same run; writes target/bench/call.json.
    Call {
        /// `--runs N` (5) and `--engine vireo|chromium` (both in turns).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Runs the measurement, on programs built with optimisations.
pub fn bench(what: &Bench) -> Result<()> {
    let Bench::Call { arguments } = what;
    let mut steps = Steps::default();
    let purposes = [Purpose::Build, Purpose::Run, Purpose::Window, Purpose::Test];
    set_up(&mut steps, &purposes)?;
    run::build_ui(&mut steps)?;
    steps.run(
        "Build with optimisations (the first time takes many minutes)",
        || {
            let mut build = workspace::cargo(&["build", "--release", "--quiet"]);
            for package in [
                "vireo",
                "vireo-server",
                "vireo-echo",
                "vireo-cli",
                "vireo-tests",
            ] {
                build.args(["--package", package]);
            }
            process::run(build.arg("--bins"))
        },
    )?;
    println!("── Measure");
    let program = workspace::program("bench_call", true);
    process::run(
        process::command(&program.to_string_lossy())
            .args(arguments)
            .current_dir(workspace::root()),
    )
}
