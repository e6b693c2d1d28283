//! The cargo tools that the checks need, compiled from crates.io where they are missing.

use anyhow::Result;

use super::Purpose;
use crate::process;

/// A tool: its crate and program, what it is needed for, and what it does.
const TOOLS: [(&str, Purpose, &str); 3] = [
    (
        "cargo-nextest",
        Purpose::Test,
        "runs the tests, each in a process of its own with a time limit",
    ),
    (
        "tauri-driver",
        Purpose::Window,
        "drives the real application window",
    ),
    (
        "cargo-deny",
        Purpose::Lint,
        "checks licences and bans of the dependencies",
    ),
];

/// Compiles the tools that are missing. They go where cargo keeps its tools, so that every clone finds them.
pub fn ensure(purposes: &[Purpose]) -> Result<()> {
    let missing: Vec<_> = TOOLS
        .iter()
        .filter(|(name, purpose, _)| purposes.contains(purpose) && process::find(name).is_none())
        .collect();
    if missing.is_empty() {
        println!("   nothing is missing");
    }
    for (name, _, why) in missing {
        println!("   Compiling {name} ({why}); once only, it takes some minutes");
        // Built without the costly last optimisations: these tools wait for other programs most of the time.
        process::run(
            process::command("cargo")
                .args(["install", "--locked", "--quiet", name])
                .env("CARGO_PROFILE_RELEASE_LTO", "false")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env_remove("CARGO_TARGET_DIR"),
        )?;
    }
    Ok(())
}
