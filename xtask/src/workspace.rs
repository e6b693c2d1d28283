//! Where things lie in the repository, and `cargo` as every step calls it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::process;

/// The repository's root. Cargo says at run time where this package lies; another clone may have compiled it.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .parent()
        .expect("xtask is a folder of the repository")
        .to_owned()
}

/// The repository's own `target/`: what a person looks at afterwards (screenshots, statistics, tools) is always here.
pub fn target() -> PathBuf {
    root().join("target")
}

/// Tools that the set-up brings for this repository alone.
pub fn tools() -> PathBuf {
    target().join("tools")
}

/// Above this size the build folder that is kept between runs is emptied before it is used again.
const LARGEST_KEPT_BUILD_GB: u64 = 24;

/// The folder that cargo builds into.
///
/// Continuous integration clones the repository anew for each run; there the build folder lies in the user's cache
/// instead, so that the dependencies are compiled once and not with every run.
pub fn build_folder() -> PathBuf {
    if let Some(chosen) = env::var_os("CARGO_TARGET_DIR") {
        return root().join(chosen);
    }
    if env::var_os("CI").is_none_or(|value| value.is_empty() || value == "false") {
        return target();
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cache")));
    cache.map_or_else(target, |cache| cache.join("vireo").join("target"))
}

/// Empties the kept build folder once the leftovers of many runs have grown it too large.
pub fn limit_build_folder() {
    let folder = build_folder();
    if folder != target() && size(&folder) > LARGEST_KEPT_BUILD_GB << 30 {
        println!(
            "{} has grown over {LARGEST_KEPT_BUILD_GB} GB: starting afresh.",
            folder.display()
        );
        let _ = fs::remove_dir_all(&folder);
    }
}

/// Bytes in the files of a folder and of those below it.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// `cargo` in the repository's root, building into [`build_folder`].
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::command("cargo");
    command.args(arguments).current_dir(root());
    if build_folder() != target() {
        command.env("CARGO_TARGET_DIR", build_folder());
        // Nothing is compiled twice from one clone, so that what incremental builds remember would only fill the disk.
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// A program that [`cargo`] has built.
pub fn program(name: &str, release: bool) -> PathBuf {
    let profile = if release { "release" } else { "debug" };
    build_folder()
        .join(profile)
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}
