//! Starting other programs.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// The search path of the programs started from here, where the set-up has put something before this process's own.
static PATH: OnceLock<OsString> = OnceLock::new();

/// Puts a search path in the place of this process's own for every program started afterwards.
pub fn set_path(path: OsString) {
    // The first one stays: the set-up finds the same tools each time it is asked.
    let _ = PATH.set(path);
}

fn path() -> Option<OsString> {
    PATH.get().cloned().or_else(|| env::var_os("PATH"))
}

/// A command that finds the programs that the set-up has brought.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    if let Some(path) = PATH.get() {
        command.env("PATH", path);
    }
    command
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command with this terminal's output; anything but success is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command whose output matters only when it fails.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` could not be started", shown(command)))?;
    if !output.status.success() {
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    Ok(())
}

/// The standard output of a command, or nothing where it is missing or fails.
pub fn read(program: &str, arguments: &[&str]) -> Option<String> {
    let output = command(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Where the search path finds a program.
pub fn find(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path()?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}
