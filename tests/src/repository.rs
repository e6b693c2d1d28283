//! Where the repository lies.

use std::path::{Path, PathBuf};

/// The repository's root.
///
/// Cargo says at run time where this package lies. What it said when the program was compiled is older: a build folder
/// that several clones share hands on programs that another clone has compiled.
#[must_use]
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map(Path::to_owned).unwrap_or(package)
}
