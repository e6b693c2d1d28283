//! Set-up: brings what a command needs and the machine lacks, says what and why, and repeats nothing.

mod cargo_tools;
mod manager;
mod node;
mod packages;

use anyhow::{Result, bail};

pub use packages::Purpose;

use crate::process;
use crate::steps::Steps;
use manager::Manager;
use packages::PACKAGES;

/// Brings everything that the given purposes need.
pub fn set_up(steps: &mut Steps, purposes: &[Purpose]) -> Result<()> {
    steps.run("Set-up: system packages", || system_packages(purposes))?;
    steps.run("Set-up: Node.js for the user interface", node::ensure)?;
    if purposes.contains(&Purpose::Test) {
        steps.run("Set-up: cargo tools", cargo_tools::ensure)?;
    }
    Ok(())
}

/// Installs the system packages of one purpose, where the system's package manager has them all; says whether it does.
pub fn try_packages(purpose: Purpose) -> Result<bool> {
    let Some(manager) = Manager::of_this_system() else {
        return Ok(false);
    };
    let wanted: Vec<_> = PACKAGES
        .iter()
        .filter(|package| package.purpose == purpose)
        .collect();
    if wanted
        .iter()
        .any(|package| package.name_for(manager).is_none())
    {
        return Ok(false);
    }
    let names = wanted
        .iter()
        .filter_map(|package| package.name_for(manager));
    if !manager.all_known(names) {
        return Ok(false);
    }
    system_packages(&[purpose])?;
    Ok(true)
}

fn system_packages(purposes: &[Purpose]) -> Result<()> {
    if cfg!(windows) {
        return windows();
    }
    let wanted = PACKAGES
        .iter()
        .filter(|package| purposes.contains(&package.purpose) && !package.is_a_program_found());
    let Some(manager) = Manager::of_this_system() else {
        println!(
            "   No package manager known here (apt, dnf, pacman or brew). Please install, with your system's tools:"
        );
        for package in wanted {
            println!("     {} ({})", package.name_or_program(), package.why);
        }
        return Ok(());
    };
    let wanted: Vec<_> = wanted
        .filter_map(|package| Some((package.name_for(manager)?, package.why)))
        .collect();
    let missing = manager.missing(
        wanted
            .iter()
            .flat_map(|(names, _)| names.split_whitespace()),
    );
    if missing.is_empty() {
        println!("   nothing is missing");
        return Ok(());
    }
    println!("   Installing with {}:", manager.program());
    for (names, why) in wanted {
        let lacking: Vec<_> = names
            .split_whitespace()
            .filter(|name| missing.contains(*name))
            .collect();
        if !lacking.is_empty() {
            println!("     {} ({why})", lacking.join(" "));
        }
    }
    manager.install(&missing)
}

/// Windows brings its web view with it; only the compiler and Node.js are for the person to install.
fn windows() -> Result<()> {
    let mut lacking = Vec::new();
    for (program, what) in [
        ("cmake", "CMake (builds Opus)"),
        ("nasm", "NASM (fast H.264)"),
        ("node", "Node.js 22 or newer (builds the user interface)"),
    ] {
        if process::find(program).is_none() {
            lacking.push(what);
        }
    }
    if !lacking.is_empty() {
        bail!(
            "please install {} and make sure that a new terminal finds it; then run this command again",
            lacking.join(", ")
        );
    }
    println!("   nothing is missing");
    Ok(())
}
