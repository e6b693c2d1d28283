//! `cargo xtask demo`: two application windows on this machine call each other.

use anyhow::{Result, ensure};

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// Sets up, builds and runs the demonstration, which is a program of the tests' package: it drives the windows as they do.
pub fn demo(headless: bool) -> Result<()> {
    ensure!(
        cfg!(target_os = "linux"),
        "the demonstration drives its windows through WebKitGTK's driver, which only Linux has. Open two yourself: \
         `cargo xtask run -- --profile one`, and the same with `--profile two --server URL`, where one/server-url holds the URL"
    );
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build, Purpose::Run, Purpose::Window])?;
    run::build_ui(&mut steps)?;
    steps.run("Build (the first time takes some minutes)", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--workspace",
            "--bins",
            "--tests",
            "--quiet",
        ]))
    })?;
    println!("── Two windows");
    let mut windows = process::command(&workspace::program("demo", false).to_string_lossy());
    if headless {
        windows.arg("--headless");
    }
    process::run(&mut windows)
}
