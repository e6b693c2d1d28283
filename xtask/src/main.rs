//! `cargo xtask …`: everything there is to do with this repository, one command each.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks to its terminal"
)]

mod bench;
mod demo;
mod fuzz;
mod lint;
mod package;
mod platforms;
mod process;
mod run;
mod setup;
mod steps;
mod test;
mod ui;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Everything there is to do with Vireo's repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Install what is missing, build Vireo and open it with a server of its own on this computer.
    Run {
        /// Build with optimisations: slower to build, lighter to run.
        #[arg(long)]
        release: bool,
        /// Arguments for the application, after `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Two application windows on this machine call each other.
    ///
    /// Without a display they run under Xvfb and leave screenshots and statistics in target/demo/.
    Demo {
        /// Run under Xvfb even where there is a display.
        #[arg(long)]
        headless: bool,
    },
    /// Every check: lints, tests of every crate, tests of the whole system, other platforms.
    Test,
    /// Formatting, clippy, licences and the checks of the user interface.
    Lint,
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Give nonsense to whatever reads what comes from outside; crashes are left in target/fuzz-crashes/.
    Fuzz {
        /// One of fuzz/targets/; without it, all of them, one after the other.
        target: Option<String>,
        /// How long each.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Add what was found to the corpus in the repository.
        #[arg(long)]
        keep: bool,
    },
    /// Type-check the workspace for Windows and macOS on this machine.
    CheckPlatforms,
    /// Build the installable packages of this system (.deb on Debian and Ubuntu).
    Package,
    /// Install the .deb of the development build beside the system, open it, and remove it without leftovers.
    CheckPackage,
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Run { release, arguments } => run::run(release, &arguments),
        Command::Demo { headless } => demo::demo(headless),
        Command::Test => test::test(),
        Command::Lint => lint::command(),
        Command::Bench(what) => bench::bench(&what),
        Command::Fuzz {
            target,
            seconds,
            keep,
        } => fuzz::command(target.as_deref(), seconds, keep),
        Command::CheckPlatforms => platforms::command(),
        Command::Package => package::package(),
        Command::CheckPackage => package::check::command(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
