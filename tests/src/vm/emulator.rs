//! The program that is the machine: the system's own where it is installed, else one that is fetched and not installed.
//! QEMU's packages want each other in the very same version, so that one of them from another source keeps the rest out.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::packages::Archive;

const PROGRAM: &str = "qemu-system-x86_64";
const PACKAGE: &str = "qemu-system-x86";

/// QEMU, ready to be given its arguments.
///
/// # Errors
/// When it is not installed and cannot be fetched either.
pub(super) fn command() -> anyhow::Result<Command> {
    if is_installed() {
        return Ok(Command::new(PROGRAM));
    }
    let root = Archive::with(fetch)?;
    let mut command = Command::new(root.join("usr/bin").join(PROGRAM));
    command.env("LD_LIBRARY_PATH", libraries(&root)?);
    for firmware in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
        command.arg("-L").arg(root.join(firmware));
    }
    Ok(command)
}

fn is_installed() -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(PROGRAM).is_file())
    })
}

fn fetch(archive: &Archive) -> anyhow::Result<PathBuf> {
    // What an installation would bring is just what this system lacks, in versions that fit each other.
    let plan = archive.read(
        "apt-get",
        &["install", "--simulate", "--no-install-recommends", PACKAGE],
    )?;
    let (packages, version) = planned(&plan).context("apt's plan names no QEMU")?;
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || letter == '.' {
            letter
        } else {
            '-'
        }
    };
    let version: String = version.chars().map(plain).collect();
    archive.unpacked(&format!("{PACKAGE}-{version}"), &packages)
}

/// The packages of a simulated installation, and QEMU's version among them.
fn planned(plan: &str) -> Option<(Vec<String>, String)> {
    let mut packages = Vec::new();
    let mut qemu = None;
    for line in plan.lines() {
        // `Inst name [version that is there] (version to come, and where from)`
        let Some((name, rest)) = line
            .strip_prefix("Inst ")
            .and_then(|line| line.split_once(' '))
        else {
            continue;
        };
        if name == PACKAGE {
            let (_, version) = rest.split_once('(')?;
            qemu = version.split_whitespace().next().map(str::to_owned);
        }
        // The C library has to be that of the loader, which is the system's.
        if name != "libc6" {
            packages.push(name.to_owned());
        }
    }
    Some((packages, qemu?))
}

/// Where the loader finds the libraries that came along.
fn libraries(root: &Path) -> anyhow::Result<std::ffi::OsString> {
    let folders = ["usr/lib", "lib"].map(|folder| root.join(folder).join("x86_64-linux-gnu"));
    std::env::join_paths(folders).context("the build folder's path has a colon in it")
}

#[cfg(test)]
mod tests {
    use super::planned;

    #[test]
    fn the_plan_of_an_installation_names_what_is_lacking() {
        let plan = "Reading package lists...\n\
            Remv qemu-utils [1:10.0]\n\
            Inst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])\n\
            Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])\n\
            Inst qemu-system-x86 (1:7.2+dfsg-7 Debian:12.15/oldstable [amd64])\n\
            Conf libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])\n";
        let (packages, version) = planned(plan).expect("it names QEMU");
        assert_eq!(packages, ["libfdt1", "qemu-system-x86"]);
        assert_eq!(version, "1:7.2+dfsg-7");
        assert!(planned("Inst libfdt1 (1.6.1-4+b1 Debian [amd64])").is_none());
    }
}
