//! `cargo xtask fuzz`: whatever reads what comes from outside gets nonsense, chosen by how far it gets (libFuzzer).
//!
//! The stable compiler can count where a program goes; only its own checks (overflow, bounds, assertions) judge what happens
//! there, as nearly nothing that is read here is read by unsafe code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::{fs, io, thread};

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{Purpose, set_up};
use crate::steps::Steps;
use crate::{process, workspace};

/// As `cargo fuzz` has them, without a sanitizer.
const COUNT_WHERE_IT_GOES: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0 --cfg fuzzing";

/// The program that finds out whether any of this works.
const PROOF: &str = "proof";

/// The command: this target, or all of them, each for so long.
pub fn command(target: Option<&str>, seconds: u32, keep: bool) -> Result<()> {
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build])?;
    let targets = match target {
        Some(target) => vec![target.to_owned()],
        None => targets()?,
    };
    fuzz(&mut steps, &targets, seconds, keep)?;
    steps.finish()
}

/// Every target for so long, as one of many checks.
pub fn all(steps: &mut Steps, seconds: u32) -> Result<()> {
    fuzz(steps, &targets()?, seconds, false)
}

fn fuzz(steps: &mut Steps, targets: &[String], seconds: u32, keep: bool) -> Result<()> {
    let name = format!("Fuzz {} targets for {seconds} s each", targets.len());
    if !cfg!(any(target_os = "linux", target_os = "macos")) {
        steps.check(&name, || Ok(()));
        steps.not_done("the fuzz targets were NOT run: libFuzzer runs on Linux and macOS");
        return Ok(());
    }
    let programs = steps.run("Build the fuzz targets", build)?;
    steps.run("Prove that fuzzing finds something", || prove(&programs))?;
    steps.check(&name, || {
        side_by_side(targets, |target| {
            run(&programs, target, seconds)?;
            match keep {
                true => keep_finds(&programs, target),
                false => Ok(()),
            }
        })
    });
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("fuzz")
}

/// The targets, by the files that hold them.
fn targets() -> Result<Vec<String>> {
    let files = fs::read_dir(folder().join("src/bin"))?.collect::<io::Result<Vec<_>>>()?;
    let mut names: Vec<_> = files
        .iter()
        .filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != PROOF)
        .collect();
    names.sort();
    Ok(names)
}

/// Builds every target; gives the folder of the programs.
fn build() -> Result<PathBuf> {
    let compiler = process::read("rustc", &["-vV"]).context("rustc does not say what it is")?;
    let host = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say what it builds for")?;
    let build = build_folder();
    process::run(
        process::command("cargo")
            // With a target given, programs that run while others are built are left as they are.
            .args(["build", "--release", "--quiet", "--target", host])
            .current_dir(folder())
            .env("RUSTFLAGS", COUNT_WHERE_IT_GOES)
            // The profile says what is built step by step.
            .env_remove("CARGO_INCREMENTAL")
            .env("CARGO_TARGET_DIR", &build),
    )?;
    Ok(build.join(host).join("release"))
}

fn build_folder() -> PathBuf {
    workspace::build_folder().join("fuzz")
}

/// As many at a time as the machine has cores, and all of them whatever becomes of the others.
fn side_by_side(targets: &[String], run: impl Fn(&str) -> Result<()> + Sync) -> Result<()> {
    let rest = Mutex::new(targets.iter());
    let failures = Mutex::new(Vec::new());
    let next = || rest.lock().expect("nobody panics with it").next();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let Err(error) = run(target) {
                        let mut failures = failures.lock().expect("nobody panics with it");
                        failures.push(format!("{error:#}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("nobody panicked with it");
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// A target's program, with a folder of its own for what it writes meanwhile.
fn program(programs: &Path, target: &str) -> Result<(Command, PathBuf)> {
    let program = programs.join(target);
    ensure!(
        program.exists(),
        "there is no target {target} in fuzz/src/bin"
    );
    let temporary = build_folder().join("tmp").join(target);
    fs::create_dir_all(&temporary)?;
    let mut command = process::command(&program.display().to_string());
    command.env("TMPDIR", &temporary);
    Ok((command, temporary))
}

/// Runs it to its end; what it has written meanwhile is of no use to anybody.
fn output((mut command, temporary): (Command, PathBuf)) -> Result<(Output, String)> {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    fs::remove_dir_all(temporary)?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output, log))
}

/// Wants what [`PROOF`] hides to be found, which chance alone would not in a lifetime.
fn prove(programs: &Path) -> Result<()> {
    let (mut command, temporary) = program(programs, PROOF)?;
    command
        .args(["-runs=20000000", "-max_len=8", "-artifact_prefix="])
        .current_dir(&temporary);
    let (output, log) = output((command, temporary))?;
    let found = !output.status.success() && log.contains("found");
    ensure!(found, "it found nothing:\n{}", last_lines(&log));
    Ok(())
}

/// Where new finds go, so that later runs begin with them.
fn finds(target: &str) -> Result<PathBuf> {
    let finds = build_folder().join("corpus").join(target);
    fs::create_dir_all(&finds)?;
    Ok(finds)
}

fn run(programs: &Path, target: &str, seconds: u32) -> Result<()> {
    let crashes = workspace::target().join("fuzz-crashes").join(target);
    fs::create_dir_all(&crashes)?;
    let (mut command, temporary) = program(programs, target)?;
    command
        .arg(finds(target)?)
        .arg(folder().join("corpus").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=70000"])
        .args(["-len_control=20", "-print_final_stats=1"]);
    let (output, log) = output((command, temporary))?;
    if !output.status.success() {
        bail!(
            "{target} does not stand this; the input lies in {}:\n{}",
            crashes.display(),
            last_lines(&log)
        );
    }
    println!(
        "   {target}: {} inputs tried, {} new ones kept",
        told(&log, "number_of_executed_units"),
        told(&log, "new_units_added")
    );
    Ok(())
}

/// A number that libFuzzer prints at its end.
fn told<'a>(log: &'a str, name: &str) -> &'a str {
    let line = log.lines().find(|line| line.contains(name));
    line.and_then(|line| line.split_whitespace().last())
        .unwrap_or("?")
}

/// Adds to the repository's corpus what reaches code that nothing in it reaches.
fn keep_finds(programs: &Path, target: &str) -> Result<()> {
    let (mut command, temporary) = program(programs, target)?;
    command
        .arg("-merge=1")
        .arg(folder().join("corpus").join(target))
        .arg(finds(target)?);
    let (output, log) = output((command, temporary))?;
    ensure!(output.status.success(), "{}", last_lines(&log));
    Ok(())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
