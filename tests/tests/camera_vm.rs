//! The way from a kernel's cameras to coded pictures, in a small virtual machine: the kernel's own test camera (`vivid`), and
//! USB cameras that the program in the machine is itself, are captured by nokhwa, go through the send chain and its H.264
//! encoder, and are decoded again.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use vireo_tests::{binaries::binary, vm};

/// Without hardware's help every instruction is emulated; 10 to 20 s on an idle computer.
const TIMEOUT: Duration = Duration::from_secs(200);

/// What the USB cameras see in their corners: upper left, upper right, lower left, lower right.
const CORNERS: [[i64; 3]; 4] = [[81, 90, 240], [145, 54, 34], [41, 240, 110], [210, 16, 146]];

/// By so much codecs may change a colour.
const TOLERANCE: i64 = 12;

const USB: &[&str] = &["vhci-hcd", "uvcvideo"];

/// What the program in the machine reports.
fn report(of: &str, modules: &[&str]) -> anyhow::Result<Value> {
    let console = vm::run(&binary("camera_probe")?, &[of], modules, TIMEOUT)?;
    let line = console
        .lines()
        .find_map(|line| line.split_once("CAMERA-PROBE "));
    let (_, report) = line.with_context(|| format!("the program printed no report:\n{console}"))?;
    let report: Value = serde_json::from_str(report)?;
    ensure!(report["problem"].is_null(), "{console}");
    #[allow(clippy::print_stdout, reason = "shown beside the test when it fails")]
    {
        println!("{report}");
    }
    Ok(report)
}

/// Whether these are the corners' colours, in this order.
fn are_corners(seen: &Value, order: [usize; 4]) -> bool {
    let expected = order.map(|number| CORNERS[number]);
    let near = |seen: &Value, expected: &[i64; 3]| {
        expected.iter().enumerate().all(|(plane, value)| {
            seen[plane]
                .as_i64()
                .is_some_and(|seen| (seen - value).abs() <= TOLERANCE)
        })
    };
    (0..4).all(|corner| near(&seen[corner], &expected[corner]))
}

#[test]
fn pictures_of_the_kernels_camera_go_through_the_encoder() -> anyhow::Result<()> {
    let report = report("kernels", &["vivid n_devs=1 node_types=0x1"])?;
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
    assert_eq!(report["sent"], json!([12, 12]), "{report}");
    Ok(())
}

#[test]
fn of_a_usb_cameras_formats_the_fitting_one_is_taken_and_shows_what_the_camera_sees()
-> anyhow::Result<()> {
    let report = report("formats", USB)?;
    let taken = report["taken"].as_array().context("it reports them")?;
    let chosen: Vec<_> = taken
        .iter()
        .map(|one| json!([one["encoding"], one["width"], one["height"], one["rate"]]))
        .collect();
    assert_eq!(
        chosen,
        [
            // In its full size and rate it comes as JPEG alone …
            json!(["MJPEG", 1280, 720, 30]),
            // … and smaller as it is, which is cheaper.
            json!(["YUYV", 640, 360, 30]),
            json!(["NV12", 640, 360, 30]),
            // What is cheap and too slow is not taken.
            json!(["MJPEG", 640, 360, 30]),
        ]
    );
    for one in taken {
        assert!(are_corners(&one["corners"], [0, 1, 2, 3]), "{one}");
        assert!(one["moving"].as_u64() >= Some(2), "{one}");
    }
    Ok(())
}

#[test]
fn cameras_change_come_and_go_turn_and_get_slow_during_a_call() -> anyhow::Result<()> {
    let report = report("in-a-call", USB)?;
    let gap = |of: &str| report["gapsMs"][of].as_u64().unwrap_or(u64::MAX);
    // Emulated, the machine itself makes pictures late now and then, also where nothing changes.
    let quiet = gap("quiet");
    assert!(gap("changed") <= 200.max(2 * quiet), "{report}");
    // One that is pulled out is noticed when it gives an error, and the other one has to be opened then.
    assert!(gap("lost") <= 2_000, "{report}");
    assert!(gap("back") <= 200.max(2 * quiet), "{report}");
    let told = report["toldMeanwhile"].to_string();
    assert!(!told.contains("Lost"), "there was always a camera: {told}");
    let all_lost = report["allLost"].to_string();
    assert!(all_lost.contains("camera"), "{all_lost}");

    assert!(are_corners(&report["upright"], [0, 1, 2, 3]), "{report}");
    let turned = &report["turned"];
    assert!(are_corners(&turned["corners"], [2, 0, 3, 1]), "{turned}");
    assert_eq!(
        turned["size"],
        json!([192, 320]),
        "as many pixels as before"
    );
    assert!(
        are_corners(&report["headOverHeels"], [3, 2, 1, 0]),
        "{report}"
    );

    // A third of what it gave before, or of 15 where the machine itself is slower.
    let rate = |number: usize| report["rates"][number].as_f64().unwrap_or_default();
    assert!(rate(0) > 1.3 * rate(1), "{report}");
    assert!((3.0..=5.5).contains(&rate(1)), "{report}");
    assert_eq!(report["toldInTheDark"], json!([]), "{report}");
    Ok(())
}
