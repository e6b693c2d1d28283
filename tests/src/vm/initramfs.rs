//! The machine's whole system: an archive that the kernel unpacks into memory.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{self, Stdio};

use anyhow::{Context, ensure};

use super::Kernel;

const BUSYBOX: [&str; 2] = ["/bin/busybox", "/usr/bin/busybox"];

/// What the machine is there for. The arguments are plain words.
pub(super) struct Command<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [&'a str],
}

/// Writes the archive. Its first program loads the modules, runs the command, prints `end` and switches the machine off.
pub(super) fn build(
    image: &Path,
    command: &Command<'_>,
    kernel: &Kernel,
    modules: &[&str],
    end: &str,
) -> anyhow::Result<()> {
    let program = command.program;
    let root = tempfile::tempdir()?;
    for folder in ["bin", "dev", "proc", "sys", "tmp", "modules"] {
        fs::create_dir(root.path().join(folder))?;
    }
    let busybox = BUSYBOX.into_iter().find(|path| Path::new(path).is_file());
    fs::copy(
        busybox.context("busybox is not there (package busybox-static)")?,
        root.path().join("bin/busybox"),
    )?;
    let stripped = process::Command::new("strip")
        .arg("-o")
        .arg(root.path().join("bin/program"))
        .arg(program)
        .status();
    ensure!(
        stripped.is_ok_and(|status| status.success()),
        "strip failed on {}",
        program.display()
    );
    copy_libraries(program, root.path())?;
    let mut init = String::from(
        "#!/bin/busybox sh\nPATH=/bin\nexport RUST_BACKTRACE=1\n/bin/busybox mount -t proc none /proc\n\
         /bin/busybox mount -t sysfs none /sys\n/bin/busybox mount -t devtmpfs none /dev\n",
    );
    let mut loaded = Vec::new();
    for wanted in modules {
        let (name, options) = wanted.split_once(' ').unwrap_or((wanted, ""));
        for (module, content) in kernel.module(name)? {
            if loaded.contains(&module) {
                continue;
            }
            fs::write(root.path().join("modules").join(&module), content)?;
            let options = if module == name { options } else { "" };
            writeln!(init, "/bin/busybox insmod /modules/{module} {options}")?;
            loaded.push(module);
        }
    }
    ensure!(!loaded.is_empty(), "the kernel has none of {modules:?}");
    writeln!(
        init,
        "/bin/program {}\necho\necho {end}\n/bin/busybox poweroff -f",
        command.arguments.join(" ")
    )?;
    fs::write(root.path().join("init"), init)?;
    fs::set_permissions(root.path().join("init"), Permissions::from_mode(0o755))?;
    pack(root.path(), image)
}

/// Every library that the program loads at its start, at the place where it looks for it.
fn copy_libraries(program: &Path, root: &Path) -> anyhow::Result<()> {
    let output = process::Command::new("ldd")
        .arg(program)
        .output()
        .context("ldd")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    for path in listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let target = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(target.parent().context("a library lies in a folder")?)?;
        fs::copy(path, &target).with_context(|| path.to_owned())?;
    }
    Ok(())
}

fn pack(root: &Path, image: &Path) -> anyhow::Result<()> {
    let names = process::Command::new("find")
        .args([".", "-print0"])
        .current_dir(root)
        .output()?;
    let mut cpio = process::Command::new("cpio")
        .args([
            "--null",
            "--create",
            "--format=newc",
            "--owner=0:0",
            "--quiet",
        ])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(fs::File::create(image)?)
        .spawn()
        .context("cpio is not there (package cpio)")?;
    std::io::Write::write_all(
        &mut cpio.stdin.take().context("the input is piped")?,
        &names.stdout,
    )?;
    ensure!(cpio.wait()?.success(), "cpio failed");
    Ok(())
}
