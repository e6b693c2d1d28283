//! The measurement itself works, and at a low rate nothing is lost.

use std::process::Command;

#[test]
fn a_short_measurement_loses_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench_signalling"))
        .arg("--quick")
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complaint}");
}
