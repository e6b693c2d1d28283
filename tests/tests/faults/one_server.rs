//! One server, which keeps everything in SQLite.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;
use vireo_tests::site::Site;

use crate::FAULT;
use crate::crowd::{Crowd, back_in_time};
use crate::writers::Writers;

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
async fn what_was_confirmed_is_there_after_kills() -> Result<()> {
    let mut site = Site::one().await?;
    let writers = Writers::start(&site.servers[0].url);
    for _ in 0..4 {
        sleep(Duration::from_secs(2)).await;
        site.servers[0].kill().await?;
        site.servers[0].start_again().await?;
    }
    writers.all_is_kept(&site.database()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_are_back_back_in_time() -> Result<()> {
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
