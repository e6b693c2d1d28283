//! The user interface: its libraries, its build and its checks. Nothing is repeated that is still good.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{process, workspace};

/// The checks, in the order of their cost: a script of ui/package.json each, and what it is.
pub const CHECKS: [(&str, &str); 3] = [
    ("lint", "UI: eslint and prettier"),
    ("check", "UI: svelte-check"),
    ("test", "UI: vitest"),
];

fn folder() -> PathBuf {
    workspace::root().join("ui")
}

/// `npm` in the folder of the user interface.
pub fn npm(arguments: &[&str]) -> Command {
    let mut command = process::command("npm");
    command.args(arguments).current_dir(folder());
    command
}

/// Fetches the libraries, unless those of this lock file are there.
pub fn fetch_libraries() -> Result<()> {
    let lock = fs::read_to_string(folder().join("package-lock.json"))?;
    let stamp = folder().join("node_modules/.fetched-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == lock) {
        println!("   they are there");
        return Ok(());
    }
    process::run_quietly(&mut npm(&["ci", "--no-audit", "--no-fund"]))
        .context("the user interface's libraries could not be fetched")?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// Builds the user interface, unless the build of these sources is there.
pub fn build() -> Result<()> {
    let sources = fingerprint(&folder())?;
    let stamp = workspace::target().join("ui-built-from");
    let built = folder().join("dist/assets");
    if built.exists() && fs::read_to_string(&stamp).is_ok_and(|from| from == sources) {
        println!("   it is built");
        return Ok(());
    }
    process::run_quietly(&mut npm(&["run", "build"]))
        .context("the user interface could not be built")?;
    fs::create_dir_all(workspace::target())?;
    fs::write(stamp, sources)?;
    Ok(())
}

/// A number that changes with any source file of the user interface.
fn fingerprint(folder: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in files(folder)? {
        path.hash(&mut hasher);
        fs::read(&path)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The files of a folder and of those below it, but not what was fetched or built.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else {
            found.insert(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_follows_the_sources_only() {
        let folder = std::env::temp_dir().join(format!("vireo-xtask-{}", std::process::id()));
        fs::create_dir_all(folder.join("src")).expect("a folder");
        fs::create_dir_all(folder.join("dist")).expect("a folder");
        fs::write(folder.join("src/a.ts"), "one").expect("a file");
        let first = fingerprint(&folder).expect("a fingerprint");
        fs::write(folder.join("dist/a.js"), "built").expect("a file");
        assert_eq!(first, fingerprint(&folder).expect("a fingerprint"));
        fs::write(folder.join("src/a.ts"), "two").expect("a file");
        assert_ne!(first, fingerprint(&folder).expect("a fingerprint"));
        fs::remove_dir_all(folder).expect("the folder is ours");
    }
}
