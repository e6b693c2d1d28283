//! What ARCHITECTURE.md promises about the shape of the code, as far as a program can check it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;
use vireo_tests::repository::root;

/// Each package, and the packages of this workspace that it may know. An arrow that is not here is not meant to be.
const MAY_KNOW: [(&str, &[&str]); 12] = [
    ("vireo-protocol", &[]),
    ("vireo-media", &[]),
    ("vireo-call", &["vireo-protocol", "vireo-media"]),
    (
        "vireo-client",
        &["vireo-protocol", "vireo-media", "vireo-call"],
    ),
    ("vireo-server", &["vireo-protocol"]),
    (
        "vireo-echo",
        &[
            "vireo-protocol",
            "vireo-media",
            "vireo-call",
            "vireo-client",
        ],
    ),
    (
        "vireo-cli",
        &[
            "vireo-protocol",
            "vireo-media",
            "vireo-call",
            "vireo-client",
        ],
    ),
    (
        "vireo",
        &[
            "vireo-protocol",
            "vireo-media",
            "vireo-call",
            "vireo-client",
            "vireo-server",
            "vireo-echo",
        ],
    ),
    ("vireo-testing", &[]),
    (
        "vireo-tests",
        &[
            "vireo-protocol",
            "vireo-media",
            "vireo-testing",
            "vireo-signalling",
        ],
    ),
    ("vireo-signalling", &["vireo-protocol", "vireo-testing"]),
    ("xtask", &[]),
];

/// Crates of others that must not even be reached through somebody else.
const MUST_NOT_REACH: [(&str, &[&str]); 5] = [
    (
        "vireo-protocol",
        &["tokio", "tauri", "webrtc", "axum", "sqlx"],
    ),
    (
        "vireo-media",
        &[
            "tokio",
            "tauri",
            "webrtc",
            "rtc",
            "axum",
            "reqwest",
            "tokio-tungstenite",
        ],
    ),
    (
        "vireo-call",
        &[
            "tauri",
            "axum",
            "reqwest",
            "tokio-tungstenite",
            "tungstenite",
        ],
    ),
    ("vireo-client", &["tauri", "axum", "sqlx"]),
    (
        "vireo-server",
        &[
            "webrtc",
            "rtc",
            "cpal",
            "nokhwa",
            "openh264-sys2",
            "opus",
            "env-libvpx-sys",
            "tauri",
        ],
    ),
];

/// The longest source file; a longer one wants to be two.
const LONGEST_FILE: usize = 550;

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the program starts");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?} failed: {complaint}"
    );
    String::from_utf8(output.stdout).expect("its output is text")
}

fn metadata() -> Value {
    let text = output(
        env!("CARGO"),
        &[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ],
    );
    serde_json::from_str(&text).expect("cargo prints JSON")
}

/// The paths that git tracks, from the root, with `/` between their parts.
fn tracked() -> Vec<String> {
    output("git", &["ls-files", "-z"])
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect()
}

fn text(path: &str) -> String {
    fs::read(root().join(path))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The lines of Rust code, without comments, with their numbers.
fn code(path: &str) -> Vec<(usize, String)> {
    let strip = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text(path)
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, strip(line)))
        .collect()
}

fn is_rust_source(path: &&String) -> bool {
    path.ends_with(".rs") && (path.starts_with("crates/") || path.starts_with("src-tauri/"))
}

#[test]
fn packages_know_only_what_they_may() {
    let allowed: BTreeMap<_, _> = MAY_KNOW.into_iter().collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let known = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is new: say in MAY_KNOW what it may know"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().expect("a name");
            let ours = dependency["path"].is_string();
            let for_tests = dependency["kind"] == "dev";
            assert!(
                !ours || for_tests || known.contains(&other),
                "{name} must not know {other}"
            );
        }
    }
}

#[test]
fn packages_do_not_reach_what_they_must_not() {
    for (package, banned) in MUST_NOT_REACH {
        let arguments = [
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--offline",
        ];
        for line in output(env!("CARGO"), &arguments).lines() {
            let reached = line.split_whitespace().next().unwrap_or_default();
            assert!(
                !banned.contains(&reached),
                "{package} reaches {reached}, see `cargo tree -p {package} -i {reached}`"
            );
        }
    }
}

#[test]
fn every_package_takes_the_workspace_lints() {
    for manifest in tracked().iter().filter(|path| path.ends_with("Cargo.toml")) {
        assert!(
            text(manifest).contains("[lints]\nworkspace = true"),
            "{manifest} has lints of its own"
        );
    }
}

#[test]
fn only_the_peer_connection_names_webrtc() {
    for path in tracked().iter().filter(is_rust_source) {
        if path.starts_with("crates/call/src/peer") {
            continue;
        }
        for (at, line) in code(path) {
            let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let named = words.any(|word| word.starts_with("webrtc::") || word.starts_with("rtc::"));
            assert!(
                !named,
                "{path}:{at} names the WebRTC library; only call::peer may"
            );
        }
    }
}

#[test]
fn the_state_machine_has_no_clock_and_no_runtime() {
    let first = text("crates/call/src/machine/mod.rs");
    // clippy.toml lists the clocks.
    let asked = "#![deny(clippy::disallowed_methods)]";
    assert!(
        first.contains(asked),
        "the state machine must ask for {asked}"
    );
    let machine = |path: &String| path.starts_with("crates/call/src/machine");
    for path in tracked().into_iter().filter(machine) {
        for (at, line) in code(&path) {
            let io = line.contains("tokio::") || line.contains("std::thread");
            assert!(!io, "{path}:{at}: the state machine is sans-IO");
        }
    }
}

#[test]
fn unsafe_code_stays_where_foreign_code_is_called() {
    let allowed = [
        "crates/media/src/codec/",
        // One marker trait on a foreign type.
        "crates/call/src/peer/media/goog_cc.rs",
        "crates/media/src/video/camera",
        "crates/media/src/audio/device",
        "src-tauri/src/windows/memory_linux.rs",
    ];
    for path in tracked().iter().filter(is_rust_source) {
        let allows = code(path)
            .iter()
            .any(|(_, line)| line.contains("allow(") && line.contains("unsafe_code"));
        let may = allowed.iter().any(|folder| path.starts_with(folder));
        assert!(
            !allows || may,
            "{path} allows unsafe code outside the modules that call foreign code"
        );
    }
}

#[test]
fn files_are_of_a_readable_length() {
    let written = |path: &&String| {
        [".rs", ".ts", ".svelte", ".css"]
            .iter()
            .any(|end| path.ends_with(end))
            && !path.contains("/bindings/")
    };
    let long: Vec<_> = tracked()
        .iter()
        .filter(written)
        .map(|path| (text(path).lines().count(), path.clone()))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LONGEST_FILE} lines: {long:?}"
    );
}

#[test]
fn no_file_holds_a_path_of_somebodys_machine() {
    // Written in two parts, so that this file does not find itself.
    let homes = [["/ro", "ot/"], ["/wo", "rk/"]];
    let homes: Vec<_> = homes.iter().map(|parts| parts.concat()).collect();
    for path in tracked() {
        for (at, line) in text(&path).lines().enumerate() {
            let found = homes.iter().find(|home| {
                line.match_indices(home.as_str()).any(|(start, _)| {
                    // The start of a path, not a folder within one or a word of an address.
                    let before = line[..start].chars().next_back();
                    before.is_none_or(|c| !(c.is_alphanumeric() || "._-/})$".contains(c)))
                })
            });
            assert!(found.is_none(), "{path}:{}: {line}", at + 1);
        }
    }
}

#[test]
fn the_map_shows_every_package() {
    let map = text("ARCHITECTURE.md");
    for manifest in tracked()
        .iter()
        .filter(|path| path.ends_with("/Cargo.toml"))
    {
        let folder = manifest.trim_end_matches("Cargo.toml");
        assert!(
            map.contains(&format!("`{folder}`")),
            "ARCHITECTURE.md does not show {folder}"
        );
    }
}
