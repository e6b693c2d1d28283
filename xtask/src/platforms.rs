//! `cargo xtask check-platforms`: type-checks the workspace for Windows and macOS on this machine.
//!
//! Where rustup has a target's standard library, the ordinary toolchain does it. Otherwise Debian's `rust-web` toolchain, which brings
//! the library's sources, builds the library first. C, C++ and Objective-C parts are compiled too: for Windows by MinGW, for macOS by Zig.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::setup::{Purpose, ZIG, set_up, try_packages};
use crate::steps::Steps;
use crate::{process, run, workspace};

/// A system that Vireo must keep compiling for.
struct Platform {
    name: &'static str,
    target: &'static str,
    /// What the C parts of this target are compiled with.
    prepare: fn(&mut Command) -> Result<()>,
}

const PLATFORMS: [Platform; 2] = [
    Platform {
        name: "Windows",
        target: "x86_64-pc-windows-gnu",
        prepare: with_mingw,
    },
    Platform {
        name: "macOS",
        target: "aarch64-apple-darwin",
        prepare: with_zig,
    },
];

/// Packages that are only about this machine: the tests of the whole system use what only Linux has.
const NOT_CHECKED: [&str; 4] = ["vireo-signalling", "vireo-testing", "vireo-tests", "xtask"];

/// The toolchain that can check a target.
enum Toolchain {
    /// rustup's, with the target's library installed.
    Rustup,
    /// Debian's, which builds the library from source.
    Debian,
}

/// The command.
pub fn command() -> Result<()> {
    let mut steps = Steps::default();
    set_up(&mut steps, &[Purpose::Build])?;
    run::build_ui(&mut steps)?;
    check(&mut steps);
    steps.finish()
}

/// Checks every platform; says loudly which ones it could not.
pub fn check(steps: &mut Steps) {
    for platform in PLATFORMS {
        let name = format!("Type-check for {}", platform.name);
        let mut checked = true;
        steps.check(&name, || match toolchain(platform.target)? {
            Some(toolchain) => check_one(&platform, &toolchain),
            None => {
                checked = false;
                Ok(())
            }
        });
        if !checked {
            let target = platform.target;
            steps.not_done(format!(
                "{} was NOT type-checked: it needs `rustup target add {target}`, or Debian's packages rustc-web, cargo-web and rust-web-src; and the C compilers mingw-w64 and python3-venv (for Zig)",
                platform.name
            ));
        }
    }
}

fn toolchain(target: &str) -> Result<Option<Toolchain>> {
    let installed = process::read("rustup", &["target", "list", "--installed"]).unwrap_or_default();
    let by_rustup = installed.lines().any(|line| line.trim() == target);
    if !by_rustup && !try_packages(Purpose::PlatformLibrary)? {
        return Ok(None);
    }
    let compilers = try_packages(Purpose::Platforms)?;
    Ok(match (compilers, by_rustup) {
        (false, _) => None,
        (true, true) => Some(Toolchain::Rustup),
        (true, false) => Some(Toolchain::Debian),
    })
}

fn check_one(platform: &Platform, toolchain: &Toolchain) -> Result<()> {
    let mut check = match toolchain {
        Toolchain::Rustup => workspace::cargo(&["check"]),
        Toolchain::Debian => debian_cargo(),
    };
    check.args([
        "--workspace",
        "--lib",
        "--bins",
        "--quiet",
        "--target",
        platform.target,
    ]);
    for package in NOT_CHECKED {
        check.args(["--exclude", package]);
    }
    // Nothing of this runs, so that nothing needs to be optimised, as it otherwise is (Cargo.toml).
    for codec in ["openh264-sys2", "opusic-sys", "ring"] {
        check.arg(format!("--config=profile.dev.package.{codec}.opt-level=0"));
    }
    // A folder of its own: another compiler must not throw away what the ordinary one has built.
    check.env(
        "CARGO_TARGET_DIR",
        workspace::build_folder().join("platforms"),
    );
    (platform.prepare)(&mut check)?;
    process::run(&mut check)
}

/// Debian's cargo with Debian's compiler. Only the system's search path: rustup's programs of the same names must not come in.
fn debian_cargo() -> Command {
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .args(["check", "-Zbuild-std=std,panic_unwind"])
        .current_dir(workspace::root())
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", "/usr/bin/rustc");
    for ours in [
        "CARGO",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_HOME",
        "RUSTC_WRAPPER",
        "RUSTDOC",
        "RUST_RECURSION_COUNT",
    ] {
        cargo.env_remove(ours);
    }
    cargo
}

fn with_mingw(_check: &mut Command) -> Result<()> {
    anyhow::ensure!(
        process::find("x86_64-w64-mingw32-gcc").is_some(),
        "the C compiler x86_64-w64-mingw32-gcc is missing"
    );
    Ok(())
}

/// Zig compiles for macOS without Apple's kit, but for its own names of the targets: a small script translates.
fn with_zig(check: &mut Command) -> Result<()> {
    let python = ZIG.ensure()?;
    check
        .env("CC_aarch64_apple_darwin", wrapper(&python, "cc")?)
        .env("CXX_aarch64_apple_darwin", wrapper(&python, "c++")?)
        .env("AR_aarch64_apple_darwin", wrapper(&python, "ar")?)
        .env("RANLIB_aarch64_apple_darwin", wrapper(&python, "ranlib")?)
        .env("CMAKE_TRY_COMPILE_TARGET_TYPE", "STATIC_LIBRARY");
    Ok(())
}

/// A script that calls Zig with the arguments it understands.
fn wrapper(python: &Path, tool: &str) -> Result<PathBuf> {
    let zig = format!("exec '{}' -m ziglang {tool}", python.display());
    let body = match tool {
        "ar" | "ranlib" => format!("{zig} \"$@\"\n"),
        _ => format!(
            "for argument do\n  shift\n  case \"$argument\" in\n    --target=* | -mmacosx-version-min=*) ;;\n    \
             *) set -- \"$@\" \"$argument\" ;;\n  esac\ndone\n{zig} -target aarch64-macos \"$@\"\n"
        ),
    };
    let script = workspace::tools().join("zig").join(format!("macos-{tool}"));
    let text = format!("#!/bin/sh\n{body}");
    // Written only when it changes: a newer compiler would have everything compiled again.
    if fs::read_to_string(&script).is_ok_and(|written| written == text) {
        return Ok(script);
    }
    fs::write(&script, text)?;
    make_executable(&script)?;
    Ok(script)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o755),
    )?)
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<()> {
    Ok(())
}
