//! The distribution's kernel, fetched once into the build folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::packages::Archive;

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
        let folder = Archive::with(unpacked_packages)?;
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

fn unpacked_packages(archive: &Archive) -> anyhow::Result<PathBuf> {
    let packages = packages(archive)?;
    let name = packages.first().context("a kernel has a package")?;
    archive.unpacked(name, &packages)
}

/// The kernel's own package first, then those with further modules.
fn packages(archive: &Archive) -> anyhow::Result<Vec<String>> {
    let numbered = |name: &&str| {
        ["linux-image-", "linux-modules-extra-", "linux-modules-"]
            .iter()
            .any(|start| {
                name.strip_prefix(start)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            })
    };
    for meta in META_PACKAGES {
        let listed = archive.read("apt-cache", &["depends", "--important", "--recurse", meta]);
        let mut packages: Vec<String> = listed
            .unwrap_or_default()
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
    bail!("apt knows no kernel ({})", META_PACKAGES.join(", "))
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
