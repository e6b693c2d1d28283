//! What a call leaves in the log, which people send to others.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, ensure};
use vireo_tests::cli::Cli;
use vireo_tests::server::Server;

/// Neither camera nor microphone nor speaker.
const SILENT: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

/// The first word of a log that is an address, with or without a port.
fn address_in(log: &str) -> Option<&str> {
    let words = log.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == ':'));
    let mut words = words.map(|word| word.trim_end_matches(['.', ':']));
    words.find(|word| word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_reaches_the_log_of_a_call() -> Result<()> {
    let server = Server::start(&[]).await?;
    let annabel = server.register("Annabel").await?;
    let edgar = server.register("Edgar").await?;
    server.befriend(&annabel, &edgar).await?;
    let answer = [&["answer", "--once"][..], &SILENT].concat();
    let mut answer = Cli::start_logging(&server.url, &edgar, &answer)?;
    answer.event("ready").await?;
    let call = [&["call", "Edgar", "--for=1"][..], &SILENT].concat();
    let call = Cli::start_logging(&server.url, &annabel, &call)?;
    for ended in [call.end().await?, answer.end().await?] {
        ensure!(ended.status == 0, "{ended:?}");
        let log = ended.stderr;
        ensure!(log.contains("after=\"connected\""), "no log: {log}");
        for personal in ["Annabel", "Edgar", "secret", "candidate:", "fingerprint"] {
            ensure!(!log.contains(personal), "“{personal}”: {log}");
        }
        ensure!(address_in(&log).is_none(), "{:?}: {log}", address_in(&log));
    }
    Ok(())
}

#[test]
fn an_address_in_a_log_is_found() {
    for log in [
        "to 192.0.2.7.",
        "at=127.0.0.1:80 now",
        "from [2001:db8::1]:443",
    ] {
        assert!(address_in(log).is_some(), "{log}");
    }
    let harmless = "2026-11-21T12:11:39.770619Z INFO vireo_call::machine: version 0.1.0";
    assert_eq!(address_in(harmless), None);
}
