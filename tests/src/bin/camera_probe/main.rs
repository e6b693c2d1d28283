//! Runs inside the virtual machine of `camera_vm`: captures from cameras through the product's own way of a picture, decodes
//! what comes out, and prints what it saw as one line of JSON.
#![allow(clippy::print_stdout)] // The serial console is read by the test.

mod formats;
mod in_a_call;
mod jpeg;
mod kernels;
mod scene;
mod usb;

use std::time::Duration;

use anyhow::bail;
use serde_json::json;

/// The machine is emulated instruction by instruction.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let report = report().unwrap_or_else(|problem| json!({ "problem": format!("{problem:#}") }));
    println!("CAMERA-PROBE {report}");
}

fn report() -> anyhow::Result<serde_json::Value> {
    match std::env::args().nth(1).as_deref() {
        Some("kernels") => kernels::probe(),
        Some("formats") => formats::probe(),
        Some("in-a-call") => in_a_call::probe(),
        other => bail!("nothing is called {other:?}"),
    }
}
