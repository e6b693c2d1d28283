//! `cargo xtask bench …`: measurements.

use anyhow::{Result, bail};
use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// A two-way video call, beside Chromium's in the same run.
    Call,
}

/// Runs the measurement.
pub fn bench(_what: &Bench) -> Result<()> {
    bail!("the measurement is not ready yet")
}
