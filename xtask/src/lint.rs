//! `cargo xtask lint`: what can be said about the sources without running them.

use anyhow::{Context, Result};

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, ui, workspace};

/// The command.
pub fn command() -> Result<()> {
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build, Purpose::Lint])?;
    run::build_ui(&mut steps)?;
    lint(&mut steps);
    steps.finish()
}

/// Every lint, each told even when an earlier one failed.
pub fn lint(steps: &mut Steps) {
    steps.check("Format", || {
        process::run(&mut workspace::cargo(&["fmt", "--all", "--check"]))
    });
    for (script, name) in ui::CHECKS {
        steps.check(name, || {
            process::run_quietly(&mut ui::npm(&["run", script]))
        });
    }
    steps.check("Licences, bans and sources of the dependencies", || {
        deny(&["licenses", "bans", "sources"])
    });
    advisories(steps);
    steps.check("Clippy", || {
        process::run(&mut workspace::cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "--deny",
            "warnings",
        ]))
    });
}

fn deny(what: &[&str]) -> Result<()> {
    let mut arguments = vec![
        "deny",
        "--log-level",
        "error",
        "check",
        "--hide-inclusion-graph",
    ];
    arguments.extend(what);
    process::run(&mut workspace::cargo(&arguments))
}

/// Known weaknesses of the dependencies. The database comes from the network; without it this says so and goes on.
fn advisories(steps: &mut Steps) {
    let mut unreachable = false;
    steps.check("Known weaknesses of the dependencies", || {
        let output = workspace::cargo(&["deny", "check", "--hide-inclusion-graph", "advisories"])
            .output()
            .context("cargo-deny could not be started")?;
        let text = String::from_utf8_lossy(&output.stderr);
        unreachable = text.contains("failed to fetch advisory database");
        if !output.status.success() && !unreachable {
            print!("{text}");
            anyhow::bail!("cargo-deny found advisories (above)");
        }
        Ok(())
    });
    if unreachable {
        steps.not_done("the database of known weaknesses could not be fetched: the dependencies were NOT checked against it");
    }
}
