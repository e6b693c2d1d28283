//! The distribution's kernel, fetched once into the build folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::repository;

/// Packages that stand for the newest kernel: Debian's, Ubuntu's.
const META_PACKAGES: [&str; 2] = ["linux-image-amd64", "linux-image-generic"];

/// An unpacked kernel.
#[derive(Debug)]
pub struct Kernel {
    /// What is booted.
    pub image: PathBuf,
    modules: PathBuf,
}

impl Kernel {
    /// The distribution's current kernel, downloaded when it is not there yet.
    ///
    /// # Errors
    /// When there is none, or it cannot be downloaded or unpacked.
    pub fn fetch() -> anyhow::Result<Self> {
        let packages = packages()?;
        let name = packages.first().context("a kernel has a package")?;
        let folder = cache()?.join(name);
        if !folder.join("complete").is_file() {
            download(&packages, &folder)?;
            fs::write(folder.join("complete"), "")?;
        }
        let image = find(&folder.join("boot"), &|name| name.starts_with("vmlinuz-"))?
            .context("the kernel's package holds no kernel")?;
        let modules = folder.join("lib/modules");
        let modules = if modules.is_dir() {
            modules
        } else {
            folder.join("usr/lib/modules")
        };
        Ok(Self { image, modules })
    }

    /// The files of a module and of those it needs, in the order of loading.
    ///
    /// # Errors
    /// When one is missing or cannot be read.
    pub fn module(&self, name: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut ordered = Vec::new();
        self.collect(name, &mut BTreeSet::new(), &mut ordered)?;
        Ok(ordered)
    }

    fn collect(
        &self,
        name: &str,
        seen: &mut BTreeSet<String>,
        ordered: &mut Vec<(String, Vec<u8>)>,
    ) -> anyhow::Result<()> {
        let name = name.replace('-', "_");
        if !seen.insert(name.clone()) {
            return Ok(());
        }
        let is_it = |file: &str| {
            file.split(".ko")
                .next()
                .is_some_and(|stem| stem.replace('-', "_") == name)
        };
        // What is built into the kernel has no file.
        let Some(path) = find(&self.modules, &|file| file.contains(".ko") && is_it(file))? else {
            return Ok(());
        };
        let content = unpacked(&path)?;
        for needed in dependencies(&content) {
            self.collect(&needed, seen, ordered)?;
        }
        ordered.push((name, content));
        Ok(())
    }
}

/// The kernel's own package first, then those with further modules.
fn packages() -> anyhow::Result<Vec<String>> {
    for meta in META_PACKAGES {
        let output = Command::new("apt-cache")
            .args(["depends", "--important", "--recurse", meta])
            .output();
        let output = output.context(
            "apt-cache cannot be started: the kernel for the camera's machine comes from apt",
        )?;
        let listed = String::from_utf8_lossy(&output.stdout);
        let numbered = |name: &&str| {
            ["linux-image-", "linux-modules-extra-", "linux-modules-"]
                .iter()
                .any(|start| {
                    name.strip_prefix(start)
                        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
                })
        };
        let mut packages: Vec<String> = listed
            .lines()
            .filter(|line| !line.starts_with(' '))
            .filter(numbered)
            .map(str::to_owned)
            .collect();
        packages.sort_by_key(|name| !name.starts_with("linux-image-"));
        packages.dedup();
        if !packages.is_empty() {
            return Ok(packages);
        }
    }
    bail!(
        "apt knows no kernel ({}): run `apt-get update`",
        META_PACKAGES.join(", ")
    )
}

fn cache() -> anyhow::Result<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository::root().join("target"), PathBuf::from)
        .join("vm");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn download(packages: &[String], folder: &Path) -> anyhow::Result<()> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    // As whoever we are: apt's own user may not write here.
    let status = Command::new("apt-get")
        .args(["download", "-q", "-o", "APT::Sandbox::User=root"])
        .args(packages)
        .current_dir(folder)
        .status()?;
    ensure!(
        status.success(),
        "apt-get download {} failed",
        packages.join(" ")
    );
    for entry in fs::read_dir(folder)?.flatten() {
        let archive = entry.path();
        if archive
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            let status = Command::new("dpkg-deb")
                .arg("-x")
                .args([&archive, folder])
                .status()?;
            ensure!(status.success(), "{} cannot be unpacked", archive.display());
            fs::remove_file(archive)?;
        }
    }
    Ok(())
}

fn find(folder: &Path, matches: &dyn Fn(&str) -> bool) -> anyhow::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let found = if entry.file_type()?.is_dir() {
            find(&entry.path(), matches)?
        } else {
            matches(&entry.file_name().to_string_lossy()).then(|| entry.path())
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn unpacked(path: &Path) -> anyhow::Result<Vec<u8>> {
    let program = match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        Some("gz") => "gzip",
        _ => return Ok(fs::read(path)?),
    };
    let output = Command::new(program)
        .arg("-dc")
        .arg(path)
        .output()
        .with_context(|| program.to_owned())?;
    ensure!(
        output.status.success(),
        "{} cannot be unpacked",
        path.display()
    );
    Ok(output.stdout)
}

/// A module names those it needs in a string of its own.
fn dependencies(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let value = &module[at + KEY.len()..];
    let value = &value[..value.iter().position(|&byte| byte == 0).unwrap_or(0)];
    String::from_utf8_lossy(value)
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
