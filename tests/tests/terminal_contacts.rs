//! Contacts, presence and several devices of one person, with real programs over a real server.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vireo_tests::cli::Cli;
use vireo_tests::server::{Account, Server};

const NOTHING: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

/// A command with neither camera nor microphone nor speaker.
fn bare(server: &Server, who: &Account, command: &[&str]) -> Result<Cli> {
    server.cli(who, &[command, &NOTHING].concat())
}

/// How the other one stands in the list.
async fn seen(server: &Server, viewer: &Account, name: &str) -> Result<Value> {
    let list = server.run(viewer, &["contacts", "list"]).await?;
    let found = list.into_iter().find(|contact| contact["name"] == name);
    Ok(found.unwrap_or(Value::Null))
}

/// A command of `contacts` about somebody. Returns the line it writes.
async fn contacts(server: &Server, who: &Account, command: &str, name: &str) -> Result<Value> {
    let mut lines = server.run(who, &["contacts", command, name]).await?;
    lines.pop().context("a line")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_and_people_blocked_and_removed() -> Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    let bob = server.register("Bob").await?;
    contacts(&server, &ann, "add", "Bob").await?;
    let declined = contacts(&server, &bob, "decline", "ann").await?;
    ensure!(declined["event"] == "removed", "{declined}");
    contacts(&server, &ann, "add", "Bob").await?;
    let accepted = contacts(&server, &bob, "accept", "Ann").await?;
    ensure!(accepted["status"] == "contact", "{accepted}");

    let blocked = contacts(&server, &ann, "block", "Bob").await?;
    ensure!(blocked["status"] == "blocked", "{blocked}");
    let _there = bare(&server, &ann, &["answer"])?;
    let refused = bare(&server, &bob, &["call", "Ann"])?.end().await?;
    ensure!(refused.status == 3, "as if offline: {refused:?}");
    let unblocked = contacts(&server, &ann, "unblock", "Bob").await?;
    ensure!(unblocked["status"] == "contact", "{unblocked}");

    let removed = contacts(&server, &bob, "remove", "Ann").await?;
    ensure!(removed["event"] == "removed", "{removed}");
    ensure!(seen(&server, &ann, "Bob").await?.is_null(), "in both lists");
    let nobody = server
        .cli(&bob, &["contacts", "block", "Ann"])?
        .end()
        .await?;
    ensure!(nobody.status == 7, "{nobody:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_seen_and_so_is_when_somebody_left() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    for status in ["away", "do-not-disturb"] {
        let mut shown = server.cli(&bob, &["status", status])?;
        shown.event("status").await?;
        // Said, and not yet carried out: the list is asked for until it says so.
        while seen(&server, &ann, "Bob").await?["presence"] != status {}
        shown.interrupt().await?;
        let ended = shown.end().await?;
        ensure!(ended.status == 0, "{ended:?}");
    }
    while seen(&server, &ann, "Bob").await?["lastSeenAt"].is_null() {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_on_every_device_and_stops_on_all_when_one_takes_it() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    for (decline, reason, status) in [
        (false, "answeredElsewhere", 0),
        (true, "declinedElsewhere", 6),
    ] {
        let patient = ["answer", "--once", "--after", "600000"];
        let mut others = [
            bare(&server, &bob, &patient)?,
            bare(&server, &bob, &patient)?,
        ];
        for other in &mut others {
            other.event("ready").await?;
        }
        let mut takes = vec!["answer", "--once", "--after", "500"];
        takes.extend(decline.then_some("--decline"));
        let mut taking = bare(&server, &bob, &takes)?;
        taking.event("ready").await?;
        let calling = bare(&server, &ann, &["call", "Bob", "--for", "1"])?;
        for other in others {
            let ended = other.end().await?;
            ensure!(ended.event("ringing").is_some(), "{ended:?}");
            let end = ended.event("ended").context("an end")?;
            ensure!(end["reason"] == reason, "{end}");
        }
        let ended = calling.end().await?;
        ensure!(ended.status == status, "{ended:?}");
        ensure!(taking.end().await?.status == 0, "it did what it was to do");
    }
    Ok(())
}
