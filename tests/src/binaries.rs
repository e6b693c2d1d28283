//! Where the programs under test are.

use std::path::PathBuf;

use anyhow::{Context, ensure};

/// The program of this name, built in the same profile as the running test.
///
/// # Errors
/// When it has not been built.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?; // target/PROFILE/deps/TEST-HASH
    let profile = test
        .ancestors()
        .nth(2)
        .context("the test does not lie in a target folder")?;
    let path = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        path.is_file(),
        "{} is not there: build the programs first with `cargo build --workspace --bins`",
        path.display()
    );
    Ok(path)
}
