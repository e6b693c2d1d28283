//! Calls whose network is gone for a while: they come back as soon as it does, and end when one of the two has left.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use vireo_testing::link::Link;
use vireo_tests::cli::Cli;
use vireo_tests::netlab::{Lab, Way};
use vireo_tests::network::{Computer, Network};
use vireo_tests::server::Server;
use vireo_tests::statistics::Statistics;

const SENDS: [&str; 4] = [
    "--camera=pattern",
    "--size=640x360",
    "--microphone=tone:440",
    "--speaker=none",
];

/// Within so long the loss is noticed.
const NOTICED: Duration = Duration::from_secs(5);

/// Sound and picture are back so soon; a second of it is the grain of the statistics.
const BACK: Duration = Duration::from_secs(3);

/// The way that media takes.
enum Route {
    /// Straight to the other one, and the server on another way.
    Link(Box<Lab>),
    /// By the server's relay.
    Relay,
    /// As the internet has it.
    Internet,
}

const NO_RELAY: &str = "nft add table ip outage
     nft add chain ip outage in '{ type filter hook input priority 0; }'
     nft add rule ip outage in udp dport 3478 drop";
const RELAY_AGAIN: &str = "nft delete table ip outage";

/// Ann and Bob in a call.
struct Talk {
    ann: Cli,
    bob: Cli,
    statistics: [PathBuf; 2],
    homes: [Computer; 2],
    route: Route,
    server: Server,
    network: Network,
}

impl Talk {
    async fn over_a_link() -> Result<Self> {
        let mut network = Network::isolating()?;
        let homes = [network.home()?, network.home()?];
        let lab = Lab::between(&homes[0], &homes[1], 5).await?;
        let server = Server::start_in(&network, &[]).await?;
        Self::begin(network, homes, server, Route::Link(Box::new(lab))).await
    }

    async fn over_the_relay() -> Result<Self> {
        let mut network = Network::isolating()?;
        let homes = [
            network.home_behind_firewall()?,
            network.home_behind_firewall()?,
        ];
        let relay = [
            "--turn-listen=0.0.0.0",
            "--turn-port=3478",
            "--public-address=192.0.2.1",
        ];
        let server = Server::start_in(&network, &relay).await?;
        Self::begin(network, homes, server, Route::Relay).await
    }

    async fn over_the_internet() -> Result<Self> {
        let mut network = Network::forwarding()?;
        let homes = [network.home()?, network.home()?];
        let server = Server::start_in(&network, &[]).await?;
        Self::begin(network, homes, server, Route::Internet).await
    }

    /// Ann is behind a router.
    async fn over_a_router() -> Result<Self> {
        let mut network = Network::forwarding()?;
        let homes = [network.home_behind_nat()?, network.home()?];
        let server = Server::start_in(&network, &[]).await?;
        Self::begin(network, homes, server, Route::Internet).await
    }

    async fn begin(
        network: Network,
        homes: [Computer; 2],
        server: Server,
        route: Route,
    ) -> Result<Self> {
        let (ann, bob) = server.two_contacts().await?;
        let statistics = ["ann.jsonl", "bob.jsonl"].map(|name| server.folder().join(name));
        let [ann_writes, bob_writes] = statistics.each_ref().map(|path| path.display().to_string());
        let answers = [&["answer", "--once", "--stats", &bob_writes], &SENDS[..]].concat();
        let mut bob = server.cli_on(&homes[1], &bob, &answers)?;
        bob.event("ready").await?;
        let calls = [&["call", "Bob", "--stats", &ann_writes], &SENDS[..]].concat();
        let mut ann = server.cli_on(&homes[0], &ann, &calls)?;
        ann.event("connected").await?;
        bob.event("connected").await?;
        sleep(Duration::from_secs(3)).await;
        Ok(Self {
            ann,
            bob,
            statistics,
            homes,
            route,
            server,
            network,
        })
    }

    /// Nothing gets through any more, or everything does again. Says when.
    async fn cut(&mut self, gone: bool) -> Result<u128> {
        match &mut self.route {
            Route::Link(lab) => {
                let link = Link {
                    blackout: gone,
                    ..Link::default()
                };
                lab.set(Way::Both, link).await?;
            }
            Route::Relay => {
                let lines = if gone { NO_RELAY } else { RELAY_AGAIN };
                self.network.middle().run(lines)?;
            }
            Route::Internet => bail!("it never goes away as a whole"),
        }
        now_ms()
    }
}

fn now_ms() -> Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())
}

/// The seconds of a call between two times.
fn seconds(statistics: &Statistics, from: u128, to: u128) -> Vec<&Value> {
    let within = |second: &&Value| {
        let t = second["t"].as_u64().map(u128::from);
        t.is_some_and(|t| (from..to).contains(&t))
    };
    statistics.seconds.iter().filter(within).collect()
}

fn reason(ended: &Value) -> &str {
    ended["reason"].as_str().unwrap_or_default()
}

fn comes_back(path: &Path, lost_at: u128, back_at: u128) -> Result<()> {
    let statistics = Statistics::read(path)?;
    let meanwhile = seconds(&statistics, lost_at + NOTICED.as_millis(), back_at);
    ensure!(meanwhile.len() > 30, "{} seconds", meanwhile.len());
    for second in &meanwhile {
        assert_eq!(second["state"], "reconnecting", "{second}");
    }
    let shown = |second: &Value| {
        let shown = second.pointer("/video/in/framesDecoded");
        shown
            .and_then(Value::as_u64)
            .context("a number of pictures")
    };
    let before = shown(meanwhile.last().context("a second")?)?;
    let after = seconds(&statistics, back_at + BACK.as_millis(), u128::MAX);
    ensure!(after.len() > 2, "{} seconds after it", after.len());
    for second in &after {
        assert_eq!(second["state"], "connected", "{second}");
    }
    ensure!(shown(after[0])? > before, "no new picture: {}", after[0]);
    Ok(())
}

async fn it_comes_back_after_45_seconds(mut talk: Talk) -> Result<()> {
    let lost_at = talk.cut(true).await?;
    sleep(Duration::from_secs(45)).await;
    let back_at = talk.cut(false).await?;
    sleep(BACK + Duration::from_secs(5)).await;
    talk.ann.interrupt().await?;
    let (ann, bob) = tokio::join!(talk.ann.end(), talk.bob.end());
    for (ended, path) in [ann?, bob?].iter().zip(&talk.statistics) {
        ensure!(ended.status == 0, "{ended:?}");
        comes_back(path, lost_at, back_at)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_link_is_gone_for_45_seconds_comes_back_with_it() -> Result<()> {
    it_comes_back_after_45_seconds(Talk::over_a_link().await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_relay_is_gone_for_45_seconds_comes_back_with_it() -> Result<()> {
    it_comes_back_after_45_seconds(Talk::over_the_relay().await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_the_link_is_gone_is_not_waited_for() -> Result<()> {
    let mut talk = Talk::over_a_link().await?;
    talk.cut(true).await?;
    sleep(NOTICED).await;
    talk.bob.interrupt().await?;
    let left = Instant::now();
    let ended = talk.ann.event("ended").await?;
    assert_eq!(reason(&ended), "remoteHungUp");
    ensure!(left.elapsed() < Duration::from_secs(5), "late");
    Ok(())
}

/// Neither hears of the other by the link; the server sees that Bob's application has gone, and that it does not come back.
#[tokio::test(flavor = "multi_thread")]
async fn whose_application_dies_while_the_link_is_gone_is_not_waited_for() -> Result<()> {
    let mut talk = Talk::over_a_link().await?;
    talk.cut(true).await?;
    sleep(NOTICED).await;
    talk.bob.signal("KILL").await?;
    let ended = talk.ann.event("ended").await?;
    assert_eq!(reason(&ended), "remoteGone");
    let ended = talk.ann.end().await?;
    ensure!(ended.stderr.contains("was closed"), "{ended:?}");
    Ok(())
}

/// The server is away as well, and forgets the call, which goes on without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_comes_back_without_the_server() -> Result<()> {
    let mut talk = Talk::over_a_link().await?;
    talk.cut(true).await?;
    talk.server.kill().await?;
    sleep(Duration::from_secs(30)).await;
    let back_at = talk.cut(false).await?;
    sleep(BACK + Duration::from_secs(5)).await;
    talk.server.start_again().await?;
    talk.ann.interrupt().await?;
    let (ann, bob) = tokio::join!(talk.ann.end(), talk.bob.end());
    for (ended, path) in [ann?, bob?].iter().zip(&talk.statistics) {
        ensure!(ended.status == 0, "{ended:?}");
        let statistics = Statistics::read(path)?;
        let after = seconds(&statistics, back_at + BACK.as_millis(), u128::MAX);
        ensure!(after.len() > 2, "{} seconds after it", after.len());
        for second in after {
            assert_eq!(second["state"], "connected", "{second}");
        }
    }
    Ok(())
}

/// So soon the call goes on after an address has changed: the loss is noticed, that of the server is, and a new path is found.
const ON_THE_NEW_NETWORK: Duration = Duration::from_secs(10);

/// One of the two has another address from now on, as on another Wi-Fi. Whatever goes to the former one is lost.
async fn it_goes_on_with_another_address(talk: Talk, who: usize) -> Result<()> {
    talk.network.move_to_another_address(&talk.homes[who])?;
    it_goes_on(talk, ON_THE_NEW_NETWORK).await
}

async fn it_goes_on(talk: Talk, after: Duration) -> Result<()> {
    let changed_at = now_ms()?;
    sleep(after + Duration::from_secs(5)).await;
    talk.ann.interrupt().await?;
    let (ann, bob) = tokio::join!(talk.ann.end(), talk.bob.end());
    let mut lost = false;
    for (ended, path) in [ann?, bob?].iter().zip(&talk.statistics) {
        ensure!(ended.status == 0, "{ended:?}");
        let statistics = Statistics::read(path)?;
        let since = seconds(&statistics, changed_at, u128::MAX);
        lost |= since.iter().any(|second| second["state"] == "reconnecting");
        let back = seconds(&statistics, changed_at + after.as_millis(), u128::MAX);
        ensure!(back.len() > 2, "{} seconds after it", back.len());
        for second in &back {
            assert_eq!(second["state"], "connected", "{second}");
            let pictures = second.pointer("/video/in/framesPerSecond");
            let pictures = pictures.and_then(Value::as_f64).context("pictures")?;
            ensure!(pictures > 10.0, "{second}");
        }
    }
    ensure!(lost, "it was never lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_when_the_caller_is_on_another_network() -> Result<()> {
    it_goes_on_with_another_address(Talk::over_the_internet().await?, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_when_the_callee_is_on_another_network() -> Result<()> {
    it_goes_on_with_another_address(Talk::over_the_internet().await?, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_through_the_relay_goes_on_when_one_is_on_another_network() -> Result<()> {
    it_goes_on_with_another_address(Talk::over_the_relay().await?, 0).await
}

/// Ann's own address stays, and so does the way from her to Bob: it is Bob who loses her, and Ann who hears of it when the
/// server turns out to be lost, up to ten seconds later.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_when_a_router_has_another_address() -> Result<()> {
    let talk = Talk::over_a_router().await?;
    talk.network
        .move_to_another_address(talk.network.router(0))?;
    it_goes_on(talk, Duration::from_secs(10) + ON_THE_NEW_NETWORK).await
}
