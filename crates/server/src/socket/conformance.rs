//! Whether connections as the server configures them keep to RFC 6455, by the cases of the Autobahn test suite.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::upgrade::{Socket, Upgrade};
use crate::queue::queue;
use crate::wire::{Wire, unreadable};

/// Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, and what one frame may be split into. Left out: 9,
/// which measures speed with messages longer than any here, and 12 and 13, which are about a compression not offered.
const CASES: [&str; 8] = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];

/// Answers each message with itself, until there is one that cannot be read.
async fn echo(mut socket: Socket) {
    while let Some(message) = socket.next().await {
        let sent = match message {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => socket.send(message).await,
            Ok(_) => Ok(()),
            Err(error) => {
                if let Some(close) = unreadable(&error) {
                    Wire::new(socket, queue().1).close(close).await;
                }
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// A server that echoes. Returns its address.
async fn serve() -> String {
    let upgrade = async |upgrade: Upgrade| {
        upgrade.grant(|socket| {
            tokio::spawn(echo(socket));
        })
    };
    let router = Router::new().route("/", get(upgrade));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ws://{address}")
}

/// The program that `cargo xtask test` fetches.
fn suite() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test");
    let program = Path::new(&package).join("../../target/tools/kosoku/bin/kosoku");
    assert!(
        program.exists(),
        "{} is missing; `cargo xtask test` fetches it, and so do `python3 -m venv target/tools/kosoku` and \
         `target/tools/kosoku/bin/pip install kosoku==0.1.0`",
        program.display()
    );
    program
}

/// The cases that were run, and those among them whose verdict is not good enough.
fn verdicts(report: &Value) -> (usize, Vec<String>) {
    let agents = report.as_object().expect("a server for each entry");
    let cases = agents.values().flat_map(|cases| {
        let cases = cases.as_object().expect("a verdict for each case");
        cases.iter()
    });
    let good = |verdict: &Value| verdict == "OK" || verdict == "INFORMATIONAL";
    let mut count = 0;
    let mut bad = Vec::new();
    for (case, verdict) in cases {
        count += 1;
        let (behavior, close) = (&verdict["behavior"], &verdict["behaviorClose"]);
        if !good(behavior) || !good(close) {
            bad.push(format!("{case}: {behavior}, closed {close}"));
        }
    }
    (count, bad)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_keep_to_the_rules_of_websocket() {
    let reports = tempfile::tempdir().expect("a temporary directory");
    let address = serve().await;
    let mut suite = Command::new(suite());
    suite.args(["--parallelism", "8", "--outdir"]);
    suite.arg(reports.path()).arg(address);
    for case in CASES {
        suite.args(["--include", case]);
    }
    let output = suite.kill_on_drop(true).output().await.expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = std::fs::read_to_string(reports.path().join("index.json"));
    let report = report.unwrap_or_else(|error| panic!("no report ({error}): {said}"));
    let (count, bad) = verdicts(&serde_json::from_str(&report).expect("JSON"));
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(count > 200, "only {count} cases were run: {said}");
}

#[test]
fn a_bad_verdict_is_named() {
    let report = serde_json::json!({"server": {
        "1.1.1": {"behavior": "OK", "behaviorClose": "INFORMATIONAL"},
        "1.1.2": {"behavior": "NON-STRICT", "behaviorClose": "OK"},
        "1.1.3": {"behavior": "OK", "behaviorClose": "UNCLEAN"},
        "1.1.4": {"behavior": "FAILED", "behaviorClose": "OK"},
    }});
    let (count, bad) = verdicts(&report);
    let cases: Vec<_> = bad.iter().map(|line| &line[..5]).collect();
    assert_eq!((count, cases), (4, vec!["1.1.2", "1.1.3", "1.1.4"]));
}
