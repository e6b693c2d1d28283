//! `cargo xtask test`: every check there is. Continuous integration runs exactly this.

use anyhow::Result;

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{lint, platforms, process, run, workspace};

/// The command.
pub fn test() -> Result<()> {
    let mut steps = Steps::default();
    workspace::limit_build_folder();
    set_up(&mut steps, &[Purpose::Build, Purpose::Run, Purpose::Test])?;
    run::build_ui(&mut steps)?;
    lint::lint(&mut steps);
    steps.run("Build every program", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--workspace",
            "--bins",
            "--quiet",
        ]))
    })?;
    steps.run("Build the tests", || {
        process::run(&mut workspace::cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--profile",
            "ci",
            "--no-run",
            "--cargo-quiet",
        ]))
    })?;
    platforms::check(&mut steps);
    steps.check("Tests", || {
        let mut tests = workspace::cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--profile",
            "ci",
            "--cargo-quiet",
        ]);
        process::run(&mut tests)
    });
    steps.finish()
}
