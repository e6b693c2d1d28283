//! Set-up: brings what a command needs and the machine lacks, says what and why, and repeats nothing.

mod cargo_tools;
mod manager;
mod node;
mod packages;
mod python_tools;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

pub use packages::{APT, NAMESPACES, Optional, Purpose};
pub use python_tools::{FFMPEG, KOSOKU, PESQ, ZIG};

use crate::process;
use crate::steps::Steps;
use manager::{Manager, lists_are_fresh};
use packages::{PACKAGES, Package};

/// Brings everything that the given purposes need; gives what this system cannot have.
pub fn set_up(steps: &mut Steps, purposes: &[Purpose]) -> Result<Vec<&'static Optional>> {
    let lacking = steps.run("Set-up: system packages", || system_packages(purposes))?;
    steps.run("Set-up: Node.js for the user interface", node::ensure)?;
    steps.run("Set-up: cargo tools", || cargo_tools::ensure(purposes))?;
    Ok(lacking)
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

fn system_packages(purposes: &[Purpose]) -> Result<Vec<&'static Optional>> {
    if cfg!(windows) {
        return windows().map(|()| Vec::new());
    }
    let mut wanted: Vec<&Package> = PACKAGES
        .iter()
        .filter(|package| purposes.contains(&package.purpose) && !package.is_a_program_found())
        .collect();
    let Some(manager) = Manager::of_this_system() else {
        println!(
            "   No package manager known here (apt, dnf, pacman or brew). Please install, with your system's tools:"
        );
        for package in wanted {
            println!("     {} ({})", package.name_or_program(), package.why);
        }
        return Ok(Vec::new());
    };
    wanted.retain(|package| package.name_for(manager).is_some());
    if missing(manager, &wanted).is_empty() {
        println!("   nothing is missing");
        return Ok(Vec::new());
    }
    let musts: Vec<_> = wanted
        .iter()
        .copied()
        .filter(|package| package.optional().is_none())
        .collect();
    if !missing(manager, &musts).is_empty() {
        manager.refresh()?;
    } else if !lists_are_fresh() && manager.refresh().is_err() {
        println!("   the list of packages could not be refreshed; going by the old one");
    }
    let lacking = leave_out(manager, &mut wanted);
    let missing = missing(manager, &wanted);
    if !missing.is_empty() {
        announce(manager, &wanted, &missing);
        manager.install(&missing)?;
    }
    Ok(lacking)
}

fn missing(manager: Manager, wanted: &[&Package]) -> BTreeSet<String> {
    let names = wanted
        .iter()
        .filter_map(|package| package.name_for(manager));
    manager.missing(names.flat_map(str::split_whitespace))
}

/// Takes out what can be done without and cannot be installed here.
fn leave_out(manager: Manager, wanted: &mut Vec<&Package>) -> Vec<&'static Optional> {
    let mut lacking = Vec::new();
    wanted.retain(|package| {
        let names = package.name_for(manager).unwrap_or_default();
        let left_out = package.optional().filter(|_| !manager.can_install(names));
        lacking.extend(left_out);
        left_out.is_none()
    });
    lacking
}

/// Says what is about to be installed, and why.
fn announce(manager: Manager, wanted: &[&Package], missing: &BTreeSet<String>) {
    println!("   Installing with {}:", manager.program());
    for package in wanted {
        let names = package.name_for(manager).unwrap_or_default();
        let lacking: Vec<_> = names
            .split_whitespace()
            .filter(|name| missing.contains(*name))
            .collect();
        if !lacking.is_empty() {
            println!("     {} ({})", lacking.join(" "), package.why);
        }
    }
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
