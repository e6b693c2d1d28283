//! One server, which keeps everything in SQLite.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tokio::time::sleep;
use vireo_signalling::people;
use vireo_tests::cli::Cli;
use vireo_tests::site::Site;

use crate::callers::Callers;
use crate::crowd::{Crowd, back_in_time};
use crate::writers::Writers;
use crate::{FAULT, WORK};

const NOTHING: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_whatever_becomes_of_the_server() -> Result<()> {
    let mut site = Site::one().await?;
    let couple = site.couple("Ann", "Bob").await?;
    let call = site.call(&couple).await?;
    site.servers[0].signal("STOP").await?;
    sleep(FAULT).await;
    site.servers[0].signal("CONT").await?;
    sleep(FAULT).await;
    site.servers[0].kill().await?;
    sleep(FAULT).await;
    site.servers[0].start_again().await?;
    sleep(FAULT).await;
    site.untouched(call).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_rings_when_the_server_dies_ends_with_a_sentence_and_the_next_gets_through()
-> Result<()> {
    let mut site = Site::one().await?;
    let couple = site.couple("Ann", "Bob").await?;
    let [ann, bob] = &couple;
    let url = site.servers[0].url.clone();
    let patient = ["answer", "--once", "--after", "600000"];
    let mut answers = Cli::start(&url, bob, &[&patient[..], &NOTHING].concat())?;
    answers.event("ready").await?;
    let mut calls = Cli::start(&url, ann, &[&["call", "Bob"][..], &NOTHING].concat())?;
    calls.event("ringing").await?;
    answers.event("ringing").await?;
    // Long enough for the history to know of it.
    sleep(FAULT).await;
    site.servers[0].kill().await?;
    for side in [calls, answers] {
        let ended = side.end().await?;
        let end = ended.event("ended").context("an end")?;
        ensure!(end["reason"] == "serverUnreachable", "{ended:?}");
        ensure!(ended.stderr.contains("server"), "{ended:?}");
    }
    site.servers[0].start_again().await?;
    // Nobody is still busy with the call before.
    let next = site.call(&couple).await?;
    sleep(FAULT).await;
    site.untouched(next).await?;
    let calls = people::calls(&site.database()).await?;
    let all_ended = calls.len() == 2 && calls.values().all(|call| call.ended);
    ensure!(all_ended, "{calls:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_is_there_whatever_becomes_of_the_server() -> Result<()> {
    let mut site = Site::one().await?;
    let people = site.people(6).await?;
    let writers = Writers::start(&site.servers[0].url);
    let callers = Callers::start([&site.servers[0].url; 2], &people);
    for _ in 0..3 {
        sleep(WORK).await;
        site.servers[0].kill().await?;
        site.servers[0].start_again().await?;
    }
    sleep(WORK).await;
    site.servers[0].signal("STOP").await?;
    sleep(FAULT).await;
    site.servers[0].signal("CONT").await?;
    sleep(WORK).await;
    writers.all_is_kept(&site.database()).await?;
    callers.all_is_kept(&site.database()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_are_back_within_a_second() -> Result<()> {
    let mut site = Site::one().await?;
    let people = site.people(1000).await?;
    let crowd = Crowd::connect(&[&site.servers[0].url], &people).await?;

    // It dies, and comes back after a while.
    site.servers[0].kill().await?;
    crowd.until_gone().await?;
    sleep(FAULT).await;
    site.servers[0].start_again().await?;
    back_in_time(
        "after a kill",
        crowd.times_until_online(Instant::now()).await?,
    )?;

    // It stands still for a while; nobody need connect anew.
    site.servers[0].signal("STOP").await?;
    sleep(FAULT).await;
    site.servers[0].signal("CONT").await?;
    let times = crowd.times_until_answered(Instant::now()).await?;
    back_in_time("after standing still", times)
}
