//! The package managers that the set-up knows.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;

/// A system's package manager.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
}

impl Manager {
    /// The one that this system uses.
    pub fn of_this_system() -> Option<Self> {
        [Self::Apt, Self::Dnf, Self::Pacman, Self::Brew]
            .into_iter()
            .find(|manager| process::find(manager.program()).is_some())
    }

    /// The program's name.
    pub fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
        }
    }

    /// Those of the names that are not installed. Asks the package database once.
    pub fn missing<'a>(self, names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let names: Vec<_> = names.collect();
        let installed: BTreeSet<String> = match self {
            Self::Apt => query(
                "dpkg-query",
                &["-W", "-f=${db:Status-Abbrev} ${Package}\n"],
                &names,
            )
            .lines()
            .filter_map(|line| Some(line.strip_prefix("ii")?.trim().to_owned()))
            .collect(),
            Self::Dnf => {
                return names
                    .into_iter()
                    .filter(|name| !rpm_has(name))
                    .map(str::to_owned)
                    .collect();
            }
            Self::Pacman => {
                return query("pacman", &["-T"], &names)
                    .lines()
                    .map(str::to_owned)
                    .collect();
            }
            Self::Brew => query("brew", &["list", "-1"], &[])
                .lines()
                .map(str::to_owned)
                .collect(),
        };
        names
            .into_iter()
            .filter(|name| !installed.contains(*name))
            .map(str::to_owned)
            .collect()
    }

    /// Whether the manager could install all of these. Only apt can say so cheaply; the others are taken at their word.
    pub fn all_known<'a>(self, names: impl Iterator<Item = &'a str>) -> bool {
        let missing = self.missing(names.flat_map(str::split_whitespace));
        if self != Self::Apt || missing.is_empty() {
            return true;
        }
        let known = |name: &String| {
            process::read("apt-cache", &["policy", name]).is_some_and(|text| {
                text.contains("Candidate:") && !text.contains("Candidate: (none)")
            })
        };
        missing.iter().all(known)
            || (!lists_are_fresh() && self.refresh().is_ok() && missing.iter().all(known))
    }

    /// Brings the list of what can be installed up to date, where that does not happen by itself.
    pub fn refresh(self) -> Result<()> {
        if self != Self::Apt {
            return Ok(());
        }
        run_shown(self.as_root().args(["update", "-q"]))
            .context("the list of packages could not be refreshed")
    }

    /// Whether these can be installed without taking anything away. Only apt can say so; the others are taken at their word.
    pub fn can_install(self, names: &str) -> bool {
        let simulate = [
            "install",
            "--simulate",
            "--no-remove",
            "--no-install-recommends",
        ];
        self != Self::Apt
            || Command::new(self.program())
                .args(simulate)
                .args(names.split_whitespace())
                .output()
                .is_ok_and(|output| output.status.success())
    }

    /// Installs the packages. Nothing is removed for them.
    pub fn install(self, names: &BTreeSet<String>) -> Result<()> {
        let arguments: &[&str] = match self {
            Self::Apt => &["install", "--yes", "--no-install-recommends", "--no-remove"],
            Self::Dnf => &["install", "--assumeyes", "--setopt=install_weak_deps=False"],
            Self::Pacman => &["-Sy", "--needed", "--noconfirm"],
            Self::Brew => &["install"],
        };
        let mut command = self.as_root();
        command.args(arguments).args(names);
        run_shown(&mut command).context("the system packages could not be installed; install them by hand and run this command again")
    }

    /// The manager's program, through sudo where it needs rights that this user does not have.
    fn as_root(self) -> Command {
        let root = process::read("id", &["-u"]).is_some_and(|id| id.trim() == "0");
        let mut command = Command::new(if root || self == Self::Brew {
            self.program()
        } else {
            "sudo"
        });
        if command.get_program() == "sudo" {
            println!("   (administrator rights are needed: sudo may ask for your password)");
            // The environment does not pass through sudo, so that `env` sets it inside.
            command.args(["env", "DEBIAN_FRONTEND=noninteractive", self.program()]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }
}

/// Whether apt's list of packages was refreshed within a day.
pub fn lists_are_fresh() -> bool {
    let refreshed = std::fs::metadata("/var/lib/apt/lists").and_then(|lists| lists.modified());
    let age = refreshed.ok().and_then(|at| at.elapsed().ok());
    age.is_some_and(|age| age < Duration::from_secs(24 * 60 * 60))
}

/// Runs with the terminal's input, which sudo's question for the password needs; package managers are asked to be quiet.
fn run_shown(command: &mut Command) -> Result<()> {
    let log = std::env::temp_dir().join(format!("vireo-set-up-{}.log", std::process::id()));
    let file = std::fs::File::create(&log)?;
    // sudo asks for the password on the terminal itself, not on either output.
    let status = command.stderr(file.try_clone()?).stdout(file).status()?;
    if !status.success() {
        println!("{}", std::fs::read_to_string(&log).unwrap_or_default());
    }
    let _ = std::fs::remove_file(&log);
    anyhow::ensure!(
        status.success(),
        "{} failed ({status})",
        command.get_program().to_string_lossy()
    );
    Ok(())
}

/// What a query prints, whether or not it found everything.
fn query(program: &str, arguments: &[&str], names: &[&str]) -> String {
    let output = Command::new(program).args(arguments).args(names).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn rpm_has(name: &str) -> bool {
    process::read("rpm", &["-q", "--whatprovides", name]).is_some()
}
