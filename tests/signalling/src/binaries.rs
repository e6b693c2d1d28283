//! Where the programs under test are.

use std::path::PathBuf;

use anyhow::{Context, ensure};

/// The program of this name, built in the same profile as the running test or program.
///
/// # Errors
/// When it has not been built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?; // target/PROFILE/deps/TEST-HASH, or target/PROFILE/PROGRAM
    let folder = program.parent().context("the program lies nowhere")?;
    let profile = match folder.parent() {
        Some(profile) if folder.ends_with("deps") => profile,
        _ => folder,
    };
    let path = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        path.is_file(),
        "{} is not there: build the programs first with `cargo build --workspace --bins`",
        path.display()
    );
    Ok(path)
}
