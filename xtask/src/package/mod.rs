//! `cargo xtask package`: the installable packages of this system.

pub mod check;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

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
        let mut bundle = bundler();
        bundle
            .args(["build", "--ci", "--bundles", bundles()])
            .current_dir(workspace::root());
        if cfg!(target_os = "linux") {
            bundle.args(["--config", &dependencies()?.to_string()]);
        }
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

fn bundler() -> Command {
    let tauri = workspace::tools().join("tauri/node_modules/.bin/tauri");
    process::command(&tauri.to_string_lossy())
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

/// Libraries that the program is linked with and whose packages are called differently from one system to the next.
/// Tauri's bundler adds those of the window by itself.
const LIBRARIES: [&str; 2] = ["libvpx", "libasound"];

/// The configuration's dependencies and these libraries, as they are on this system: where the package is built, it fits.
fn dependencies() -> Result<Value> {
    let file = fs::read_to_string(workspace::root().join("tauri.conf.json"))?;
    let configuration: Value = serde_json::from_str(&file)?;
    let with = |format: &str, libraries: Vec<String>| {
        let named = &configuration["bundle"]["linux"][format]["depends"];
        let mut names = named.as_array().cloned().unwrap_or_default();
        names.extend(libraries.into_iter().map(Value::from));
        json!({ "depends": names })
    };
    let mut packages = Vec::new();
    let mut names = Vec::new();
    for library in LIBRARIES {
        let path = library_file(library)?;
        let owner = process::read("dpkg", &["-S", &path]);
        packages.extend(owner.and_then(|owner| Some(owner.split(':').next()?.to_owned())));
        names.extend(soname(&path).map(|name| format!("{name}()(64bit)")));
    }
    let linux = json!({ "deb": with("deb", packages), "rpm": with("rpm", names) });
    Ok(json!({ "bundle": { "linux": linux } }))
}

/// The file of a library that the linker finds, behind its development package's link.
fn library_file(library: &str) -> Result<String> {
    let link = process::read("cc", &[&format!("-print-file-name={library}.so")])
        .context("the C compiler does not say where its libraries are")?;
    let path =
        fs::canonicalize(link.trim()).with_context(|| format!("{library} is not installed"))?;
    Ok(path.to_string_lossy().into_owned())
}

/// What programs ask for that are linked with this file: `libvpx.so.7` of `…/libvpx.so.7.1.0`.
fn soname(path: &str) -> Option<String> {
    let (name, version) = path.rsplit('/').next()?.split_once(".so.")?;
    Some(format!("{name}.so.{}", version.split('.').next()?))
}

#[cfg(test)]
mod tests {
    use super::soname;

    #[test]
    fn a_library_is_asked_for_by_its_first_number() {
        let name = soname("/usr/lib/x86_64-linux-gnu/libvpx.so.7.1.0");
        assert_eq!(name.as_deref(), Some("libvpx.so.7"));
        assert_eq!(soname("/usr/lib/libvpx.so"), None);
    }
}
