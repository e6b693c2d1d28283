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
    // Programs and tests in one go: Cargo would choose other features for the programs alone and compile nearly everything twice.
    steps.run("Build every program and test", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--workspace",
            "--all-targets",
            "--quiet",
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
