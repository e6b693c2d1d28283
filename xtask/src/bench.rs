//! `cargo xtask bench …`: measurements.

mod echo;
mod simulation;
mod sound;

use anyhow::{Context as _, Result};
use clap::Subcommand;

use crate::setup::{FFMPEG, PESQ, Purpose, set_up};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// A two-way video call, beside Chromium's in the same run; writes target/bench/call.json.
    Call {
        /// `--runs N` (5) and `--engine vireo|chromium` (both in turns).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Two-way video calls over bad networks, beside Chromium's over the same; writes target/bench/network.json.
    Network {
        /// `--runs N` (5), `--only NAME` for one link, `--engine vireo|chromium` (both in turns), and `--resume`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// What becomes of pictures at a few bit rates, judged by VMAF and SSIM beside Chromium's; writes target/bench/quality.json.
    Quality {
        /// `--runs N` (5) and `--engine vireo|chromium` (both in turns).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// How soon the application can be used, and what it costs in the tray and in a call; writes target/bench/desktop.json.
    Desktop {
        /// `--runs N` (5).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Idle connections, set-ups of calls and routing of one server; writes target/bench/signalling.json.
    Signalling {
        /// `--runs N` (3), `--quick` to see that it works, `--only idle|setups|instances` for one part.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// How speech survives losses, judged by PESQ; writes target/bench/sound.json.
    Sound,
    /// Echo and double talk in made-up rooms, judged by PESQ; writes target/bench/echo.json.
    Echo,
    /// Sound through virtual devices: echo, double talk, mouth to ear, losses; writes target/bench/devices.json.
    Devices {
        /// `--only echo|mouth-to-ear|loss` for one part.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A call that goes on and on, and whether memory, delay or drift grow; writes target/bench/long.json.
    Long {
        /// `--minutes N` (30).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// How soon a thousand clients are back when their server is, or another one is still there.
    Return,
}

/// Runs the measurement, on programs built with optimisations.
pub fn bench(what: &Bench) -> Result<()> {
    let mut steps = Steps::default();
    match what {
        Bench::Call { arguments } => in_a_window(&mut steps, "bench_call", arguments),
        Bench::Desktop { arguments } => in_a_window(&mut steps, "bench_desktop", arguments),
        Bench::Network { arguments } => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            let packages = ["vireo-server", "vireo-cli", "vireo-tests"];
            measure(&mut steps, &packages, "bench_network", arguments)
        }
        Bench::Quality { arguments } => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            let ffmpeg = steps.run("Set-up: ffmpeg", ffmpeg)?;
            let packages = ["vireo-server", "vireo-cli", "vireo-tests"];
            let arguments = [&["--ffmpeg".to_owned(), ffmpeg][..], arguments].concat();
            measure(&mut steps, &packages, "bench_quality", &arguments)
        }
        Bench::Signalling { arguments } => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            let packages = ["vireo-server", "vireo-signalling"];
            measure(&mut steps, &packages, "bench_signalling", arguments)
        }
        Bench::Sound => sound::measure(&mut steps),
        Bench::Echo => echo::measure(&mut steps),
        Bench::Devices { arguments } => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            let python = steps.run("Set-up: PESQ", || PESQ.ensure())?;
            let packages = ["vireo-server", "vireo-cli", "vireo-tests"];
            let python = ["--python".to_owned(), python.to_string_lossy().into_owned()];
            let arguments = [&python[..], arguments].concat();
            measure(&mut steps, &packages, "bench_devices", &arguments)
        }
        Bench::Long { arguments } => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            let packages = ["vireo-server", "vireo-cli", "vireo-tests"];
            measure(&mut steps, &packages, "bench_long", arguments)
        }
        Bench::Return => {
            set_up(&mut steps, &[Purpose::Build, Purpose::Test])?;
            build(&mut steps, &["vireo-server"])?;
            println!("── Measure");
            process::run(&mut workspace::cargo(&[
                "nextest",
                "run",
                "--release",
                "--package",
                "vireo-tests",
                "--test",
                "faults",
                "--no-capture",
                "within_a_second",
            ]))
        }
    }
}

/// The path of the ffmpeg that PyPI carries.
fn ffmpeg() -> Result<String> {
    let python = FFMPEG.ensure()?;
    let script = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())";
    let path = process::read(&python.to_string_lossy(), &["-c", script]);
    Ok(path
        .context("the ffmpeg from PyPI does not say where it is")?
        .trim()
        .to_owned())
}

/// Runs a program that opens the application's window.
fn in_a_window(steps: &mut Steps, program: &str, arguments: &[String]) -> Result<()> {
    let purposes = [Purpose::Build, Purpose::Run, Purpose::Window, Purpose::Test];
    set_up(steps, &purposes)?;
    run::build_ui(steps)?;
    let packages = [
        "vireo",
        "vireo-server",
        "vireo-echo",
        "vireo-cli",
        "vireo-tests",
    ];
    measure(steps, &packages, program, arguments)
}

/// Builds the programs of these packages and runs one of them.
fn measure(
    steps: &mut Steps,
    packages: &[&str],
    program: &str,
    arguments: &[String],
) -> Result<()> {
    build(steps, packages)?;
    println!("── Measure");
    let program = workspace::program(program, true);
    process::run(
        process::command(&program.to_string_lossy())
            .args(arguments)
            .current_dir(workspace::root()),
    )
}

fn build(steps: &mut Steps, packages: &[&str]) -> Result<()> {
    steps.run(
        "Build with optimisations (the first time takes many minutes)",
        || {
            let mut build = workspace::cargo(&["build", "--release", "--quiet", "--bins"]);
            for package in packages {
                build.args(["--package", package]);
            }
            process::run(&mut build)
        },
    )
}
