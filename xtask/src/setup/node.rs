//! Node.js, which builds the user interface.
//!
//! Debian 12 and Ubuntu 24.04 bring Node.js 18, whose time has passed: ever more libraries refuse it. Where the system's is too old, a
//! newer one is installed as the npm package that carries its binary, for this repository alone.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// The oldest version that the interface's tools run on (`engines` in ui/package.json says the same).
const OLDEST: (u32, u32) = (20, 19);

/// The version that is brought where the system's is too old.
const BROUGHT: &str = "22";

/// Makes sure that a new enough Node.js is the first on the path of every program started from here.
pub fn ensure() -> Result<()> {
    if let Some(version) = version_of(Path::new("node"))
        && is_new_enough(version)
    {
        println!("   node {}.{} of this system", version.0, version.1);
        return Ok(());
    }
    let folder = brought_folder();
    if version_of(&folder.join("node")).is_none_or(|version| !is_new_enough(version)) {
        install()?;
    }
    let version =
        version_of(&folder.join("node")).context("the Node.js just installed does not run")?;
    println!(
        "   node {}.{} in {}",
        version.0,
        version.1,
        folder.display()
    );
    put_first_on_path(&folder)
}

fn install() -> Result<()> {
    let package = package_name()?;
    println!(
        "   Installing the npm package {package}@{BROUGHT} into target/tools (this system's Node.js is too old for the interface's tools)"
    );
    let folder = workspace::tools().join("node");
    fs::create_dir_all(&folder)?;
    // npm installs beside the nearest package.json; with one here it is this folder.
    fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    process::run_quietly(
        process::command("npm")
            .args(["install", "--no-audit", "--no-fund", "--no-save"])
            .arg(format!("{package}@{BROUGHT}"))
            .current_dir(&folder),
    )
    .context("Node.js could not be brought: install Node.js 22 or newer and run this command again")
}

fn brought_folder() -> PathBuf {
    let package = package_name().unwrap_or_default();
    workspace::tools()
        .join("node/node_modules")
        .join(package)
        .join("bin")
}

/// The npm package with the binary for this machine.
fn package_name() -> Result<String> {
    let system = match env::consts::OS {
        "linux" => "linux",
        "macos" => "darwin",
        other => bail!(
            "no Node.js can be brought for {other}: install Node.js 22 or newer and run this command again"
        ),
    };
    let processor = match env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!(
            "no Node.js can be brought for {other}: install Node.js 22 or newer and run this command again"
        ),
    };
    Ok(format!("node-{system}-{processor}"))
}

/// Major and minor version of a Node.js.
fn version_of(node: &Path) -> Option<(u32, u32)> {
    let text = process::read(node.to_str()?, &["--version"])?;
    parse(&text)
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn is_new_enough(version: (u32, u32)) -> bool {
    version >= OLDEST
}

fn put_first_on_path(folder: &Path) -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(folder.to_owned()).chain(env::split_paths(&path)))?;
    process::set_path(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(parse("v18.20.4\n"), Some((18, 20)));
        assert_eq!(parse("nonsense"), None);
        for (version, expected) in [
            ((18, 20), false),
            ((20, 18), false),
            ((20, 19), true),
            ((22, 0), true),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version:?}");
        }
    }
}
