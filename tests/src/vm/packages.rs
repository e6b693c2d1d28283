//! Packages of the distribution that are unpacked into the build folder and not installed: nothing of the system changes,
//! no rights are needed, and what is installed cannot stand in the way.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::repository;

/// The distribution's archive, as apt sees it.
#[derive(Debug)]
pub(super) struct Archive {
    options: Vec<String>,
}

impl Archive {
    /// Does something with the archive; with a list of packages of our own where the system's is missing or too old for it.
    ///
    /// # Errors
    /// When it fails with both lists.
    pub(super) fn with<T>(work: impl Fn(&Self) -> anyhow::Result<T>) -> anyhow::Result<T> {
        // Work as whoever we are: apt's own user may not write into the build folder.
        let system = Self {
            options: vec!["APT::Sandbox::User=root".to_owned()],
        };
        work(&system).or_else(|problem| {
            let fresh = system.refreshed().with_context(|| problem.to_string())?;
            work(&fresh)
        })
    }

    fn refreshed(&self) -> anyhow::Result<Self> {
        let lists = cache()?.join("lists");
        fs::create_dir_all(lists.join("partial"))?;
        let mut options = self.options.clone();
        options.push(format!("Dir::State::lists={}", lists.display()));
        // These files belong to the system's lists.
        options.push("Dir::Cache::pkgcache=".to_owned());
        options.push("Dir::Cache::srcpkgcache=".to_owned());
        let fresh = Self { options };
        fresh.read("apt-get", &["update", "-q"])?;
        Ok(fresh)
    }

    /// What a program of apt's prints.
    ///
    /// # Errors
    /// When it cannot be started or fails; the message holds what it said.
    pub(super) fn read(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(program).args(arguments).output();
        let output = output.with_context(|| {
            format!("{program} cannot be started: the virtual machine comes from apt")
        })?;
        ensure!(
            output.status.success(),
            "{program} {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The folder with what the packages hold. It is made once under this name.
    ///
    /// # Errors
    /// When one cannot be downloaded or unpacked.
    pub(super) fn unpacked(&self, name: &str, packages: &[String]) -> anyhow::Result<PathBuf> {
        let cache = cache()?;
        let folder = cache.join(name);
        // Of several tests at once, one downloads.
        let lock = File::create(cache.join("lock"))?;
        lock.lock()?;
        if folder.join("complete").is_file() {
            return Ok(folder);
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let downloaded = self
            .command("apt-get")
            .args(["download", "-q"])
            .args(packages)
            .current_dir(&folder)
            .status()?;
        ensure!(
            downloaded.success(),
            "apt-get download {} failed",
            packages.join(" ")
        );
        unpack_all(&folder)?;
        fs::write(folder.join("complete"), "")?;
        Ok(folder)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }
}

fn cache() -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository::root().join("target"), PathBuf::from)
        .join("vm");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn unpack_all(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let archive = entry.path();
        if archive
            .extension()
            .is_none_or(|extension| extension != "deb")
        {
            continue;
        }
        let unpacked = Command::new("dpkg-deb")
            .arg("-x")
            .args([&archive, folder])
            .status()?;
        ensure!(
            unpacked.success(),
            "{} cannot be unpacked",
            archive.display()
        );
        fs::remove_file(archive)?;
    }
    Ok(())
}
