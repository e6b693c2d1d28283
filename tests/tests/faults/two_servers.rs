//! Two servers, which share PostgreSQL and Redis.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::sleep;
use vireo_tests::balancer::Balancer;
use vireo_tests::site::Site;

use crate::callers::Callers;
use crate::crowd::{Crowd, back_in_time};
use crate::writers::Writers;
use crate::{FAULT, WORK};

/// Within so long everything works again after the last fault.
const RECOVERY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_whatever_becomes_of_servers_redis_and_postgresql() -> Result<()> {
    let mut site = Site::two().await?;
    let couple = site.couple("Ann", "Bob").await?;
    let call = site.call(&couple).await?;
    site.servers[0].signal("STOP").await?;
    sleep(FAULT).await;
    site.servers[0].signal("CONT").await?;
    site.servers[1].kill().await?;
    sleep(FAULT).await;
    site.servers[1].start_again().await?;
    let shared = site
        .shared
        .as_mut()
        .context("two servers share something")?;
    shared.redis.signal("STOP")?;
    sleep(FAULT).await;
    shared.redis.signal("CONT")?;
    shared.redis.kill()?;
    sleep(FAULT).await;
    shared.redis.start_again()?;
    shared.postgres.signal("STOP")?;
    sleep(FAULT).await;
    shared.postgres.signal("CONT")?;
    shared.postgres.kill()?;
    sleep(FAULT).await;
    shared.postgres.start_again()?;
    site.untouched(call).await?;
    // What has failed heals by itself: the two can call each other again, from server to server.
    sleep(RECOVERY).await;
    let again = site.call(&couple).await?;
    sleep(FAULT).await;
    site.untouched(again).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_is_there_whatever_becomes_of_servers_redis_and_postgresql() -> Result<()>
{
    let mut site = Site::two().await?;
    let people = site.people(6).await?;
    let [one, other] = [0, 1].map(|number| site.servers[number].url.clone());
    let writers = [Writers::start(&one), Writers::start(&other)];
    let callers = Callers::start([&one, &other], &people);
    for server in 0..2 {
        sleep(WORK).await;
        site.servers[server].kill().await?;
        site.servers[server].start_again().await?;
    }
    sleep(WORK).await;
    site.servers[0].signal("STOP").await?;
    sleep(FAULT).await;
    site.servers[0].signal("CONT").await?;
    let shared = site
        .shared
        .as_mut()
        .context("two servers share something")?;
    sleep(WORK).await;
    shared.postgres.kill()?;
    shared.postgres.start_again()?;
    sleep(WORK).await;
    shared.redis.kill()?;
    shared.redis.start_again()?;
    sleep(WORK).await;
    shared.postgres.signal("STOP")?;
    sleep(FAULT).await;
    shared.postgres.signal("CONT")?;
    sleep(WORK).await;
    shared.redis.signal("STOP")?;
    sleep(FAULT).await;
    shared.redis.signal("CONT")?;
    sleep(RECOVERY).await;
    for writers in writers {
        writers.all_is_kept(&site.database()).await?;
    }
    callers.all_is_kept(&site.database()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_a_server_that_dies_are_at_the_other_within_a_second() -> Result<()> {
    let mut site = Site::two().await?;
    let people = site.people(1000).await?;
    let balancer = Balancer::start(site.servers.iter().map(|server| server.url.as_str())).await?;
    let crowd = Crowd::connect(&[&balancer.url], &people).await?;
    let times = crowd
        .times_until_moved(async || site.servers[0].kill().await)
        .await?;
    // Half of them were there.
    ensure!(times.len() == people.len() / 2, "{} moved", times.len());
    back_in_time("after one of two was killed", times)
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_restarted_one_after_the_other_without_a_lost_call() -> Result<()> {
    let mut site = Site::two().await?;
    let balancer = Balancer::start(site.servers.iter().map(|server| server.url.as_str())).await?;
    let couple = site.couple("Ann", "Bob").await?;
    let others = site.couple("Eve", "Max").await?;
    let call = site.call_through([&balancer.url; 2], &couple).await?;
    for server in 0..site.servers.len() {
        site.servers[server].stop().await?;
        // Meanwhile the other one serves everybody.
        let short = site.call_through([&balancer.url; 2], &others).await?;
        sleep(FAULT).await;
        site.untouched(short).await?;
        site.servers[server].start_again().await?;
    }
    site.untouched(call).await
}
