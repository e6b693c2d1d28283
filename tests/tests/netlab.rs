//! The emulated link does to real packets what it was told to, within bounds that measurements may rely on; and a call over it
//! is measured.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vireo_testing::link::{Link, Loss};
use vireo_tests::bench::Engine;
use vireo_tests::bench::network::{Row, measure, rows};
use vireo_tests::netlab::{Lab, ONE, OTHER, Way};
use vireo_tests::network::{Computer, Network};
use vireo_tests::traffic::{Seen, Stream, Task, Traffic, at};

/// Two homes and the link between them.
struct Bench {
    one: Computer,
    other: Computer,
    lab: Lab,
    _network: Network,
}

impl Bench {
    async fn start() -> Result<Self> {
        let mut network = Network::isolating()?;
        let (one, other) = (network.home()?, network.home()?);
        Ok(Self {
            lab: Lab::between(&one, &other, 7).await?,
            one,
            other,
            _network: network,
        })
    }

    /// Sends this from the first home to the other one.
    async fn send(&self, stream: Stream) -> Result<Seen> {
        let count = Traffic::start(&self.other, &Task::Count(at(OTHER))).await?;
        let send = Traffic::start(&self.one, &Task::Send(at(OTHER), stream)).await?;
        send.seen().await?;
        count.seen().await
    }
}

#[tokio::test]
async fn a_link_of_fifty_milliseconds_each_way_takes_a_hundred_there_and_back() -> Result<()> {
    let mut bench = Bench::start().await?;
    let link = Link {
        delay: Duration::from_millis(50),
        ..Link::default()
    };
    bench.lab.set(Way::Both, link).await?;
    let stream = Stream {
        packets: 100,
        bytes: 200,
        gap: Duration::from_millis(20),
    };
    // From the other home, so that both ways to and fro are seen to work.
    let _echo = Traffic::start(&bench.one, &Task::Echo(at(ONE))).await?;
    let ping = Traffic::start(&bench.other, &Task::Ping(at(ONE), stream)).await?;
    let mut seen = ping.seen().await?;
    assert_eq!(seen.packets, 100);
    seen.round_trips.sort();
    let median = seen.round_trips[50].as_secs_f64() * 1000.0;
    assert!((100.0..=102.0).contains(&median), "{median} ms");
    Ok(())
}

#[tokio::test]
async fn five_percent_of_the_packets_get_lost_one_way_only() -> Result<()> {
    let mut bench = Bench::start().await?;
    let link = Link {
        loss: Loss::Random(0.05),
        ..Link::default()
    };
    bench.lab.set(Way::There, link).await?;
    let seen = bench.send(Stream::at_rate(2_000, 200, 1_600_000)).await?;
    assert!((1_850..=1_950).contains(&seen.packets), "{seen:?}");
    let counted = bench.lab.count().await?;
    assert_eq!(counted.there.offered, 2_000);
    assert_eq!(counted.there.lost, 2_000 - seen.packets);
    assert_eq!(counted.there.delivered, seen.packets);
    assert_eq!(counted.back.lost, 0);
    Ok(())
}

#[tokio::test]
async fn a_rate_of_500_kbit_a_second_is_that() -> Result<()> {
    let mut bench = Bench::start().await?;
    let link = Link {
        rate: Some(500_000),
        queue: Duration::from_millis(200),
        ..Link::default()
    };
    bench.lab.set(Way::Both, link).await?;
    // Twice as much, for five seconds.
    let seen = bench.send(Stream::at_rate(625, 1_000, 1_000_000)).await?;
    let rate = seen.rate();
    assert!((485_000.0..=515_000.0).contains(&rate), "{rate} bits/s");
    assert!(bench.lab.count().await?.there.overflowed > 250);
    Ok(())
}

#[tokio::test]
async fn a_link_without_limits_carries_50_mbit_a_second_whole() -> Result<()> {
    let mut bench = Bench::start().await?;
    // A real queue's worth in the kernel, as a call needs it; two seconds long.
    let seen = bench
        .send(Stream::at_rate(10_000, 1_250, 50_000_000))
        .await?;
    assert_eq!(seen.packets, 10_000, "{:?}", bench.lab.count().await?);
    let rate = seen.rate();
    assert!(rate > 45_000_000.0, "{rate} bits/s");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_link_is_gone_for_a_second_is_measured() -> Result<()> {
    let row = rows().into_iter().find(|row| row.name == "blackout5");
    let row = row.context("a row of the table")?;
    let gone = Link {
        blackout: true,
        ..row.link.clone()
    };
    let short = Row {
        changes: vec![
            (Duration::from_secs(3), gone),
            (Duration::from_secs(4), row.link.clone()),
        ],
        lasts: Duration::from_secs(8),
        counts_from: Duration::from_secs(1),
        ..row
    };
    let measured = measure(Engine::Vireo, &short, 1).await?;
    ensure!(
        measured.p50_ms > 25.0,
        "quicker than the link: {measured:?}"
    );
    ensure!(measured.longest_gap_ms > 1_000.0, "{measured:?}");
    ensure!(measured.frozen_share > 0.1, "{measured:?}");
    ensure!(measured.fps > 5.0, "{measured:?}");
    let back = measured.recovery_seconds.context("it was gone")?;
    ensure!(back > 0.025 && back < 4.0, "{measured:?}");
    Ok(())
}
