//! `cargo xtask run`: from a fresh clone to the open application.

use anyhow::Result;

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, ui, workspace};

/// Sets up, builds and opens Vireo with the server inside it.
pub fn run(release: bool, arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build, Purpose::Run])?;
    build_ui(&mut steps)?;
    // Of the whole workspace, as the demonstration builds it: with other features of the libraries all of them would be
    // compiled a second time.
    let mut build = vec!["build", "--workspace", "--bin", "vireo"];
    if release {
        build.push("--release");
    }
    steps.run("Build Vireo (the first time takes some minutes)", || {
        process::run(&mut workspace::cargo(&build))
    })?;
    let application = workspace::program("vireo", release);
    println!("── Open Vireo");
    process::run(process::command(&application.to_string_lossy()).args(arguments))
}

/// The user interface, ready to be built into the application.
pub fn build_ui(steps: &mut Steps) -> Result<()> {
    steps.run("Fetch the user interface's libraries", ui::fetch_libraries)?;
    steps.run("Build the user interface", ui::build)
}
