//! `cargo xtask test`: every check there is. Continuous integration runs exactly this.

use anyhow::Result;

use crate::setup::{APT, KOSOKU, NAMESPACES, Purpose, set_up};
use crate::steps::Steps;
use crate::{fuzz, lint, package, platforms, process, run, workspace};

/// Each fuzz target gets so many seconds; `cargo xtask fuzz` gives them more.
const FUZZING: u32 = 5;

/// The command.
pub fn test() -> Result<()> {
    let mut steps = Steps::default();
    workspace::limit_build_folder();
    let purposes = [
        Purpose::Build,
        Purpose::Run,
        Purpose::Window,
        Purpose::Test,
        Purpose::Lint,
    ];
    let mut lacking = set_up(&mut steps, &purposes)?;
    if cfg!(unix) {
        steps.run("Set-up: WebSocket test suite", || KOSOKU.ensure())?;
    }
    if !may_make_networks() {
        lacking.push(&NAMESPACES);
    }
    if cfg!(target_os = "linux") && !APT.is_found() {
        lacking.push(&APT);
    }
    run::build_ui(&mut steps)?;
    lint::lint(&mut steps);
    // Programs and tests in one go: Cargo would choose other features for the programs alone and compile nearly everything twice.
    steps.run("Build every program and test", || {
        process::run(&mut workspace::cargo(&[
            "build",
            "--workspace",
            "--all-targets",
            "--quiet",
        ]))
    })?;
    platforms::check(&mut steps);
    steps.check("Tests", || {
        let mut tests = workspace::cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--profile",
            "ci",
            "--cargo-quiet",
        ]);
        if !lacking.is_empty() {
            let left_out: Vec<_> = lacking.iter().map(|optional| optional.tests).collect();
            tests.args(["--filterset", &format!("not ({})", left_out.join(" | "))]);
        }
        process::run(&mut tests)
    });
    if package::check::is_possible() {
        package::check::check(&mut steps);
    }
    steps.check("Tests of the server on PostgreSQL", || {
        process::run(
            workspace::cargo(&[
                "nextest",
                "run",
                // The whole workspace, as above: for one package alone Cargo would choose other features and compile it anew.
                "--workspace",
                "--filterset",
                "package(vireo-server) & kind(test)",
                "--profile",
                "ci",
                "--cargo-quiet",
            ])
            .env("VIREO_TEST_DATABASE", "postgres"),
        )
    });
    fuzz::all(&mut steps, FUZZING)?;
    for optional in lacking {
        steps.warn(optional.why);
    }
    steps.finish()
}

/// Whether this user may make networks for the tests; where there is no such thing, those tests are not compiled either.
fn may_make_networks() -> bool {
    let namespace = ["--user", "--map-root-user", "--net", "true"];
    !cfg!(target_os = "linux") || process::read("unshare", &namespace).is_some()
}
