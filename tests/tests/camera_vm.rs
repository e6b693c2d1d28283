//! The way from a kernel's camera to coded pictures, in a small virtual machine: the kernel's own test camera (`vivid`) is
//! captured by nokhwa, goes through the send chain and its H.264 encoder, and is decoded again.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::time::Duration;

use anyhow::Context;
use vireo_tests::{binaries::binary, vm};

/// Without hardware's help every instruction is emulated; 10 s on an idle computer.
const TIMEOUT: Duration = Duration::from_secs(200);

#[test]
fn pictures_of_the_kernels_camera_go_through_the_encoder() -> anyhow::Result<()> {
    let console = vm::run(
        &binary("camera_probe")?,
        &["vivid n_devs=1 node_types=0x1"],
        TIMEOUT,
    )?;
    let line = console
        .lines()
        .find_map(|line| line.split_once("CAMERA-PROBE "));
    let (_, report) = line.with_context(|| format!("the program printed no report:\n{console}"))?;
    let report: serde_json::Value = serde_json::from_str(report)?;
    assert_eq!(report["problem"], serde_json::Value::Null, "{console}");
    assert_eq!(
        report["cameras"].as_array().map(Vec::len),
        Some(1),
        "{report}"
    );
    let name = report["cameras"][0]["name"].as_str().unwrap_or_default();
    assert!(name.starts_with("vivid"), "{report}");
    let missing = report["missing"].as_str().unwrap_or_default();
    assert!(
        missing.contains("No Such Camera") && missing.contains(name),
        "{missing}"
    );
    assert_eq!(
        (&report["width"], &report["height"]),
        (&640.into(), &360.into()),
        "{report}"
    );
    assert!(report["frameRate"].as_u64() >= Some(25), "{report}");
    assert_eq!(report["captured"], 20);
    assert!(
        report["moving"].as_u64() >= Some(10) && report["contrast"].as_u64() > Some(40),
        "{report}"
    );
    assert_eq!(report["sent"], serde_json::json!([12, 12]), "{report}");
    Ok(())
}
