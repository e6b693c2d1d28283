//! Who speaks in a call, from one person's voice to the other one's screen.
#![cfg(target_os = "linux")]

use std::process::Command;

use anyhow::ensure;
use serde_json::Value;
use vireo_tests::{cli::Cli, server::Server};

/// Ann says a sentence and falls silent; both sides are told, and Bob has said nothing.
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_told_who_speaks() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (sentence, statistics) = (
        folder.path().join("sentence.wav"),
        folder.path().join("stats.jsonl"),
    );
    let status = Command::new("espeak-ng")
        .arg("-w")
        .arg(&sentence)
        .arg("I have something to tell you, and it takes a little while to say it.")
        .status()?;
    ensure!(status.success(), "espeak-ng says nothing");
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let silent = ["--camera", "none", "--speaker", "none", "--microphone"];
    let answer = [&["answer", "--once"], &silent[..], &["none"]].concat();
    let mut answer = Cli::start(&server.url, &bob, &answer)?;
    answer.event("ready").await?;
    let (voice, figures) = (
        format!("file:{}", sentence.display()),
        statistics.display().to_string(),
    );
    let call = [
        &["call", "Bob", "--stats", &figures],
        &silent[..],
        &[&voice],
    ]
    .concat();
    let mut call = Cli::start(&server.url, &ann, &call)?;
    call.event("connected").await?;
    let (here, there) = (
        call.event("speaking").await?,
        answer.event("speaking").await?,
    );
    ensure!(here["local"] == true && here["remote"] == false, "{here}");
    ensure!(
        there["local"] == false && there["remote"] == true,
        "{there}"
    );
    call.interrupt().await?;
    let ended = call.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    let lines = std::fs::read_to_string(&statistics)?;
    let seconds = lines.lines().map(serde_json::from_str::<Value>);
    for second in seconds {
        let second = second?;
        ensure!(second["audio"]["in"]["speaking"] == false, "{second}");
        ensure!(second["audio"]["out"]["speaking"].is_boolean(), "{second}");
    }
    Ok(())
}
