//! Calls over networks that stand in the way: address translation, firewalls, no route at all. The computers are network
//! namespaces; the STUN and TURN server is coturn or the one inside vireo-server, all the rest is Vireo.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vireo_tests::binaries::binary;
use vireo_tests::cli::{Cli, Ended};
use vireo_tests::network::{Computer, Network, TurnServer};
use vireo_tests::server::Server;
use vireo_tests::statistics::Statistics;
use vireo_tests::wiretap::Wiretap;

const SENDS: [&str; 4] = [
    "--camera=pattern",
    "--size=640x360",
    "--microphone=tone:440",
    "--speaker=none",
];

/// With these the server is the STUN and TURN server of [`network::TURN`](vireo_tests::network::TURN) itself.
const OWN_RELAY: [&str; 3] = [
    "--turn-listen=0.0.0.0",
    "--turn-port=3478",
    "--public-address=192.0.2.1",
];

/// One side of a call that is over.
struct Side {
    ended: Ended,
    statistics: Statistics,
}

/// Ann at one computer calls Bob at the other, for five seconds.
async fn call(server: &Server, at_ann: &Computer, at_bob: &Computer) -> Result<[Side; 2]> {
    call_with(server, at_ann, at_bob, &[]).await
}

/// The same, with these arguments for Ann.
async fn call_with(
    server: &Server,
    at_ann: &Computer,
    at_bob: &Computer,
    arguments: &[&str],
) -> Result<[Side; 2]> {
    let (ann, bob) = server.two_contacts().await?;
    let file = |name: &str| server.folder().join(name).display().to_string();
    let (ann_stats, bob_stats) = (file("ann.jsonl"), file("bob.jsonl"));
    let answers = [&["answer", "--once", "--stats", &bob_stats], &SENDS[..]].concat();
    let mut answer = server.cli_on(at_bob, &bob, &answers)?;
    answer.event("ready").await?;
    let calls = ["call", "Bob", "--for=5", "--stats", &ann_stats];
    let call = server.cli_on(at_ann, &ann, &[&calls, &SENDS[..], arguments].concat())?;
    let (ann_ended, bob_ended) = tokio::join!(call.end(), answer.end());
    Ok([side(ann_ended?, &ann_stats)?, side(bob_ended?, &bob_stats)?])
}

fn side(ended: Ended, stats: &str) -> Result<Side> {
    let statistics = Statistics::read(Path::new(stats))
        .with_context(|| format!("without statistics: {ended:?}"))?;
    #[allow(clippy::print_stdout, reason = "shown beside the test when it fails")]
    {
        println!("{}\n{}", statistics.summary, ended.stderr);
    }
    Ok(Side { ended, statistics })
}

impl Side {
    /// Pictures and sound came all the time.
    fn received(&self) -> Result<()> {
        ensure!(self.ended.status == 0, "{:?}", self.ended);
        let rate = self.statistics.decoded_per_second()?;
        ensure!(rate >= 28.0, "{rate} frames a second");
        let lost = self.statistics.number("/audio/in/packetsLost")?;
        ensure!(lost == 0.0, "{lost} packets of sound lost");
        Ok(())
    }

    /// The kinds of candidates of the path in use, this side's and the other's.
    fn path(&self) -> [&str; 2] {
        let transport = &self.statistics.summary["transport"];
        ["localCandidateType", "remoteCandidateType"]
            .map(|name| transport[name].as_str().unwrap_or_default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_two_translating_routers_stun_finds_the_way() -> Result<()> {
    let mut network = Network::forwarding()?;
    let stun = TurnServer::start(&network).await?;
    let server = Server::start_in(&network, &["--stun", &stun.address()]).await?;
    stun_finds_the_way(&mut network, &server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_two_translating_routers_the_servers_own_stun_finds_the_way() -> Result<()> {
    let mut network = Network::forwarding()?;
    let server = Server::start_in(&network, &OWN_RELAY).await?;
    stun_finds_the_way(&mut network, &server).await
}

async fn stun_finds_the_way(network: &mut Network, server: &Server) -> Result<()> {
    let (one, other) = (network.home_behind_nat()?, network.home_behind_nat()?);
    for side in call(server, &one, &other).await? {
        side.received()?;
        // A check that arrives first makes known the address that the other side's STUN server told it.
        let path = side.path();
        ensure!(["host", "srflx", "prflx"].contains(&path[0]), "{path:?}");
        ensure!(["srflx", "prflx"].contains(&path[1]), "{path:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_else_gets_through_everything_goes_by_turn() -> Result<()> {
    let mut network = Network::isolating()?;
    let turn = TurnServer::start(&network).await?;
    let secret = turn.secret_file().display().to_string();
    let handed_out = ["--turn", &turn.address(), "--turn-secret-file", &secret];
    let server = Server::start_in(&network, &handed_out).await?;
    let (one, other) = (
        network.home_behind_firewall()?,
        network.home_behind_firewall()?,
    );
    everything_goes_by_turn(&server, &one, &other).await
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_else_gets_through_everything_goes_by_the_servers_own_relay() -> Result<()> {
    let mut network = Network::isolating()?;
    let server = Server::start_in(&network, &OWN_RELAY).await?;
    let (one, other) = (
        network.home_behind_firewall()?,
        network.home_behind_firewall()?,
    );
    everything_goes_by_turn(&server, &one, &other).await
}

/// The relay sends to no private address, so not to the one that Ann has beside it: they meet on the relay.
#[tokio::test(flavor = "multi_thread")]
async fn one_beside_the_relay_and_one_behind_a_firewall_meet_on_it() -> Result<()> {
    let mut network = Network::isolating()?;
    let server = Server::start_in(&network, &OWN_RELAY).await?;
    let (one, other) = (network.home()?, network.home_behind_firewall()?);
    everything_goes_by_turn(&server, &one, &other).await
}

async fn everything_goes_by_turn(server: &Server, one: &Computer, other: &Computer) -> Result<()> {
    for side in call(server, one, other).await? {
        side.received()?;
        assert_eq!(side.path(), ["relay", "relay"]);
        // Some milliseconds; or most of a second, where packets lie waiting on their way to the relay.
        let dtls = side.statistics.number("/setup/dtlsMs")?;
        ensure!(dtls < 400.0, "DTLS took {dtls} ms");
    }
    Ok(())
}

/// They would reach each other directly.
#[tokio::test(flavor = "multi_thread")]
async fn who_wants_only_the_relay_goes_by_it_although_there_is_a_shorter_way() -> Result<()> {
    let mut network = Network::forwarding()?;
    let server = Server::start_in(&network, &OWN_RELAY).await?;
    let (one, other) = (network.home()?, network.home()?);
    let [ann, bob] = call_with(&server, &one, &other, &["--relay-only"]).await?;
    ann.received()?;
    bob.received()?;
    assert_eq!(ann.path()[0], "relay");
    assert_eq!(bob.path()[1], "relay");
    Ok(())
}

/// Ann calls Bob, and one of the two is at this server while all that the other one hears is written down.
async fn overhear(caller_hides: bool) -> Result<()> {
    let relay = ["--turn-listen=127.0.0.1", "--turn-port=0"];
    let server = Server::start(&relay).await?;
    let (ann, bob) = server.two_contacts().await?;
    let wiretap = Wiretap::start(&server.url).await?;
    let client = |hides: bool, person, words: &[&str]| {
        let program = std::process::Command::new(binary("vireo-cli")?).into();
        let hiding: &[&str] = if hides { &["--relay-only"] } else { &[] };
        let url = if hides { &server.url } else { &wiretap.url };
        Cli::start_with(program, url, person, &[words, &SENDS[..], hiding].concat())
    };
    let mut answer = client(!caller_hides, &bob, &["answer", "--once"])?;
    answer.event("ready").await?;
    let _call = client(caller_hides, &ann, &["call", "Bob"])?;
    wiretap.hears(" typ relay ").await?;
    // Those of other kinds come before it, or as quickly.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let heard = wiretap.heard();
    let candidates: Vec<_> = heard.split("\"candidate:").skip(1).collect();
    ensure!(!candidates.is_empty(), "no candidate came: {heard}");
    for candidate in candidates {
        let (candidate, _) = candidate.split_once('"').context("it has no end")?;
        ensure!(candidate.contains(" typ relay "), "{candidate}");
        ensure!(
            candidate.contains(" raddr 0.0.0.0 rport 9"),
            "it says where the relay sees this computer: {candidate}"
        );
    }
    ensure!(
        !heard.contains("a=candidate"),
        "more stand in the description: {heard}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_says_who_wants_only_the_relay_names_no_address_of_theirs() -> Result<()> {
    overhear(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_callee_says_who_wants_only_the_relay_names_no_address_of_theirs() -> Result<()> {
    overhear(false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_only_the_relay_learns_that_there_is_none() -> Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let answers = [&["answer", "--once"], &SENDS[..]].concat();
    let mut answer = server.cli(&bob, &answers)?;
    answer.event("ready").await?;
    let calls = [&["call", "Bob", "--relay-only"], &SENDS[..]].concat();
    let ended = server.cli(&ann, &calls)?.end().await?;
    ensure!(
        ended.status != 0 && ended.stderr.contains("offers none"),
        "{ended:?}"
    );
    ensure!(ended.event("calling").is_none(), "it rang: {ended:?}");

    // One that is named and does not answer.
    let secret = server.folder().join("secret");
    std::fs::write(&secret, "a long secret\n")?;
    let secret = secret.display().to_string();
    let dead = ["--turn=127.0.0.1:9", "--turn-secret-file", &secret];
    let server = Server::start(&dead).await?;
    let (ann, bob) = server.two_contacts().await?;
    let mut answer = server.cli(&bob, &answers)?;
    answer.event("ready").await?;
    let ended = server.cli(&ann, &calls)?.end().await?;
    ensure!(
        ended.status == 8 && ended.stderr.contains("through a relay"),
        "{ended:?}"
    );
    let reason = ended.event("ended").map(|event| &event["reason"]);
    assert_eq!(reason, Some(&"noRelay".into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_way_both_learn_it_in_time() -> Result<()> {
    let mut network = Network::isolating()?;
    let server = Server::start_in(&network, &[]).await?;
    let (one, other) = (network.home()?, network.home()?);
    let began = Instant::now();
    for Side { ended, .. } in call(&server, &one, &other).await? {
        ensure!(ended.status == 8, "{ended:?}");
        ensure!(ended.stderr.contains("Check the network"), "{ended:?}");
        ensure!(ended.event("connected").is_none(), "{ended:?}");
        let reason = ended.event("ended").map(|event| &event["reason"]);
        assert_eq!(reason, Some(&"connectionFailed".into()));
    }
    ensure!(began.elapsed() < Duration::from_secs(40), "too late");
    Ok(())
}
