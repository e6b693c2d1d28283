//! `cargo xtask demo`: two application windows on this machine call each other.

use anyhow::{Result, bail};

/// Sets up, builds and runs the demonstration.
pub fn demo(_headless: bool) -> Result<()> {
    bail!("the demonstration is not ready yet")
}
