//! `cargo xtask package`: the installable packages of this system.

use anyhow::Result;

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// The version of Tauri's command line tool, which npm carries ready-made.
const TAURI_CLI: &str = "@tauri-apps/cli@2";

/// Builds them and says where they lie.
pub fn package() -> Result<()> {
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build])?;
    run::build_ui(&mut steps)?;
    steps.run("Fetch Tauri's bundler", fetch_bundler)?;
    steps.run("Build with optimisations and bundle", || {
        let tauri = workspace::tools().join("tauri/node_modules/.bin/tauri");
        let mut bundle = process::command(&tauri.to_string_lossy());
        bundle
            .args(["build", "--ci", "--bundles", bundles()])
            .current_dir(workspace::root());
        process::run(bundle.env("CARGO_TARGET_DIR", workspace::build_folder()))
    })?;
    println!(
        "The packages are in {}",
        workspace::build_folder().join("release/bundle").display()
    );
    Ok(())
}

/// What each system installs. Those that the bundler must download tools for are made where that is possible.
fn bundles() -> &'static str {
    match std::env::consts::OS {
        "macos" => "app,dmg",
        "windows" => "nsis",
        _ => "deb,rpm",
    }
}

fn fetch_bundler() -> Result<()> {
    let folder = workspace::tools().join("tauri");
    if folder.join("node_modules/.bin/tauri").exists() {
        println!("   it is there");
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    process::run_quietly(
        process::command("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-save", TAURI_CLI])
            .current_dir(&folder),
    )
}
