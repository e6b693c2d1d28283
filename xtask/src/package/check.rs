//! `cargo xtask check-package`: the .deb is what it should be: it installs, the application in it opens, `vireo://` is its own,
//! and nothing stays behind when it is removed.
//!
//! It holds the development build that the tests have made anyway, without its debugging symbols: bundling and everything
//! around it are the same for the optimised one, which would take a quarter of an hour more. It is installed in a root of
//! its own, beside the system and with its list of packages, so that nothing of the system changes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::{bundler, dependencies, fetch_bundler};
use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// What Debian calls the package.
const NAME: &str = "vireo";

/// The command.
pub fn command() -> Result<()> {
    ensure!(is_possible(), "only Debian and its like have .deb packages");
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build, Purpose::Run, Purpose::Window])?;
    run::build_ui(&mut steps)?;
    steps.run("Build", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--workspace",
            "--bins",
            "--tests",
            "--quiet",
        ]))
    })?;
    check(&mut steps);
    steps.finish()
}

/// Whether this system has packages of this kind.
pub fn is_possible() -> bool {
    cfg!(target_os = "linux") && process::find("dpkg").is_some()
}

/// Checks the package of the programs that have been built.
pub fn check(steps: &mut Steps) {
    steps.check("Package: install, open, remove", || {
        let folder = workspace::target().join("package-check");
        // A new one each time.
        let _ = fs::remove_dir_all(&folder);
        fetch_bundler()?;
        let package = bundle(&folder)?;
        let root = Root::make(&folder)?;
        let before = root.content()?;
        root.dpkg("--install", &package.to_string_lossy())?;
        root.looks_right()?;
        opens(&root.files.join("usr/bin/vireo"))?;
        root.dpkg("--purge", NAME)?;
        let left: Vec<_> = root.content()?.difference(&before).cloned().collect();
        ensure!(left.is_empty(), "left behind: {left:?}");
        fs::remove_dir_all(&folder).context("the root cannot be removed")
    });
}

/// Bundles a copy of the development build.
fn bundle(folder: &Path) -> Result<PathBuf> {
    let programs = folder.join("debug");
    fs::create_dir_all(&programs)?;
    let built = workspace::program("vireo", false);
    process::run_quietly(
        process::command("strip")
            .arg("-o")
            .arg(programs.join("vireo"))
            .arg(built),
    )?;
    process::run_quietly(
        bundler()
            .args(["bundle", "--debug", "--ci", "--bundles", "deb"])
            .args(["--config", &dependencies()?.to_string()])
            .current_dir(workspace::root())
            .env("CARGO_TARGET_DIR", folder),
    )?;
    let bundles = fs::read_dir(programs.join("bundle/deb"))?;
    let paths = bundles.filter_map(|entry| Some(entry.ok()?.path()));
    let mut packages = paths.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    packages.next().context("there is no package")
}

/// The application opens and shows its first screen.
fn opens(application: &Path) -> Result<()> {
    let probe = workspace::program("window_probe", false);
    process::run_quietly(process::command(&probe.to_string_lossy()).arg(application))
}

/// A place to install into, which has the system's packages by name only.
struct Root {
    files: PathBuf,
    database: PathBuf,
}

impl Root {
    fn make(folder: &Path) -> Result<Self> {
        let root = Self {
            files: folder.join("root"),
            database: folder.join("dpkg"),
        };
        fs::create_dir_all(&root.files)?;
        for part in ["info", "updates", "triggers"] {
            fs::create_dir_all(root.database.join(part))?;
        }
        // What dpkg itself leaves there.
        fs::write(root.database.join("info/format"), "1\n")?;
        fs::copy("/var/lib/dpkg/status", root.database.join("status"))?;
        Ok(root)
    }

    fn dpkg(&self, what: &str, package: &str) -> Result<()> {
        let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let mut dpkg = as_administrator();
        dpkg.arg("dpkg")
            .arg(option("instdir", &self.files))
            .arg(option("admindir", &self.database))
            .arg(option("log", &self.database.join("log")))
            // Where the path of whoever does this lacks the administrator's programs; and so that nothing is written slowly.
            .args(["--force-bad-path", "--force-unsafe-io", what, package]);
        process::run_quietly(&mut dpkg)
    }

    /// Every file and folder, and what the package manager keeps of the package.
    fn content(&self) -> Result<BTreeSet<String>> {
        let mut paths = BTreeSet::new();
        for folder in [self.files.clone(), self.database.join("info")] {
            list(&folder, &mut paths)?;
        }
        Ok(paths)
    }

    /// The menu's entry offers the application, and for `vireo://`.
    fn looks_right(&self) -> Result<()> {
        let mut paths = BTreeSet::new();
        list(&self.files, &mut paths)?;
        for end in [
            "/usr/bin/vireo",
            "/usr/share/icons/hicolor/128x128/apps/vireo.png",
        ] {
            ensure!(paths.iter().any(|path| path.ends_with(end)), "no {end}");
        }
        let entries = self.files.join("usr/share/applications");
        let mut entries = paths
            .iter()
            .filter(|path| Path::new(path).parent() == Some(&entries));
        let (Some(entry), None) = (entries.next(), entries.next()) else {
            bail!("there is to be one entry in the menu");
        };
        let entry = fs::read_to_string(entry)?;
        let value = |key: &str| {
            let mut lines = entry.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        };
        ensure!(value("Name") == Some("Vireo"), "{entry}");
        ensure!(value("Icon") == Some("vireo"), "{entry}");
        let types = value("MimeType").unwrap_or_default();
        let opens_links = types
            .split(';')
            .any(|kind| kind == "x-scheme-handler/vireo");
        ensure!(opens_links, "vireo:// is not the application's: {entry}");
        let command = value("Exec").unwrap_or_default();
        let hands_over = ["%u", "%U"].iter().any(|gap| command.ends_with(gap));
        ensure!(hands_over, "it is not told the link: {entry}");
        Ok(())
    }
}

/// Whoever installs gives files to the administrator; elsewhere that is one of a namespace.
fn as_administrator() -> Command {
    let is_administrator = process::read("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    let mut command = process::command(if is_administrator { "env" } else { "unshare" });
    if !is_administrator {
        command.args(["--user", "--map-root-user"]);
    }
    command
}

fn list(folder: &Path, paths: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        paths.insert(entry.path().to_string_lossy().into_owned());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), paths)?;
        }
    }
    Ok(())
}
