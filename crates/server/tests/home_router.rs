//! A home router opens the server's ports, for as long as it runs. The router is one that the test makes, at an address of
//! this computer; it speaks PCP (RFC 6887), NAT-PMP (RFC 6886) or UPnP over real sockets, refuses, or is silent.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::router::{Asked, Behaviour, OUTSIDE, Router, TCP, UDP};
use vireo_server::{Opened, Port, PortKind, RouterPorts};

const SERVER: &str = env!("CARGO_BIN_EXE_vireo-server");

/// A server that is killed with the test, unless it has stopped before.
struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    first: Value,
}

impl Running {
    fn start(data: &Path, router: &Router, more: &[&str]) -> Self {
        let mut child = Command::new(SERVER)
            .args(["--listen", "0.0.0.0:0", "--turn-port", "0", "--data"])
            .arg(data)
            .args(["--router", &router.address.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let first = line(&mut stdout);
        Self {
            child,
            stdout,
            first,
        }
    }

    /// The port of TCP that it listens on.
    fn port(&self) -> u16 {
        let url = self.first["url"].as_str().expect("a url");
        let port = url.split(['#', ':']).nth(2).expect("a port");
        port.parse().expect("a number")
    }

    /// What it says of how it is reached from outside.
    fn outside(&mut self) -> String {
        let report = line(&mut self.stdout);
        let findings = report["selfTest"]["findings"].as_array().cloned();
        let findings = findings.expect("findings");
        let outside = findings.iter().find(|it| it["check"] == "outside");
        outside.expect("one of them")["sentence"].to_string()
    }

    /// Stops it in the usual way.
    fn stop(mut self) {
        let stopped = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(stopped.expect("run").success());
        assert!(self.child.wait().expect("waited").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(from: &mut impl BufRead) -> Value {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).expect("JSON")
}

/// How often the router was asked for a port of this protocol, or to close it.
fn times(asked: &[Asked], protocol: u8, close: bool) -> usize {
    let fits = |asked: &&Asked| asked.protocol == protocol && asked.close == close;
    asked.iter().filter(fits).count()
}

/// Runs the server beside this router until it has renewed its ports so often, and looks that all is given back.
async fn opens_and_gives_back(behaviour: Behaviour, renewals: usize) {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut router = Router::start(behaviour).await;
    let mut server = tokio::task::block_in_place(|| Running::start(data.path(), &router, &[]));
    let port = server.port();
    let of_tcp = |asked: &[Asked]| asked.iter().any(|it| it.protocol == TCP && it.port == port);
    router.until("TCP", of_tcp).await;
    router
        .until("UDP", |asked| times(asked, UDP, false) > 0)
        .await;
    for (what, protocol) in [("TCP again", TCP), ("UDP again", UDP)] {
        router
            .until(what, |asked| times(asked, protocol, false) > renewals)
            .await;
    }
    let outside = format!("{OUTSIDE}:{port}");
    let invite = server.first["invite"].as_str().expect("a link").to_owned();
    assert!(
        invite.starts_with(&format!("https://{outside}/i?fp=")),
        "{invite}"
    );
    let said = tokio::task::block_in_place(|| server.outside());
    assert!(
        said.contains(&format!("the router has opened {outside}.")),
        "{said}"
    );
    assert!(!said.contains("UDP"), "its ports are all there: {said}");
    let doctor = Command::new(SERVER)
        .arg("--data")
        .arg(data.path())
        .arg("doctor")
        .output();
    let said = String::from_utf8(doctor.expect("run").stdout).expect("text");
    assert!(said.contains(&outside), "{said}");
    tokio::task::block_in_place(|| server.stop());
    for (what, protocol) in [("TCP no more", TCP), ("UDP no more", UDP)] {
        router
            .until(what, |asked| times(asked, protocol, true) == 1)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_knows_pcp() {
    opens_and_gives_back(Behaviour::Pcp, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_knows_nat_pmp_alone() {
    opens_and_gives_back(Behaviour::NatPmp, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_knows_upnp_alone_and_opens_ports_for_ever() {
    // Whatever it opened for ever has to be closed by whoever asked.
    opens_and_gives_back(Behaviour::Upnp, 0).await;
}

/// Asked for by UPnP for so long, so that the test sees the lease renewed.
const SHORT: Duration = Duration::from_secs(6);

/// A port that a router has opened by UPnP for [`SHORT`].
async fn opened_for_a_time(behaviour: Behaviour) -> (Router, RouterPorts, Port) {
    let router = Router::start(behaviour).await;
    let ports = RouterPorts::new(SHORT);
    let port = Port {
        kind: PortKind::Tcp,
        number: 40_007,
    };
    ports.ask_for(port, Some(router.address));
    let opened = ports.answered(PortKind::Tcp).await;
    assert_eq!(opened, Opened::Open((OUTSIDE, port.number).into()));
    assert!(router.is_open(TCP, port.number));
    (router, ports, port)
}

#[tokio::test]
async fn a_lease_of_upnp_is_renewed_before_it_ends() {
    let begun = Instant::now();
    let (mut router, ports, port) = opened_for_a_time(Behaviour::UpnpForATime).await;
    let mut renewed = begun;
    for times_asked in 2..=3 {
        router
            .until("again", |asked| times(asked, TCP, false) == times_asked)
            .await;
        let waited = renewed.elapsed();
        assert!(
            waited >= SHORT / 2,
            "half of its time has passed: {waited:?}"
        );
        assert!(waited < SHORT, "it has not ended: {waited:?}");
        renewed = Instant::now();
    }
    assert!(begun.elapsed() >= SHORT, "the first lease would be over");
    assert!(router.is_open(TCP, port.number));
    ports.close().await;
    assert!(!router.is_open(TCP, port.number), "it was given back");
}

#[tokio::test]
async fn a_router_of_upnp_that_forgets_or_restarts_opens_the_port_again() {
    for behaviour in [Behaviour::UpnpForATime, Behaviour::Upnp] {
        let (mut router, ports, port) = opened_for_a_time(behaviour).await;
        router.forget();
        assert!(!router.is_open(TCP, port.number));
        router
            .until("again", |asked| times(asked, TCP, false) == 2)
            .await;
        assert!(router.is_open(TCP, port.number));
        // Its pages are elsewhere afterwards, so that it has to be searched for again.
        router.restart().await;
        router
            .until("once more", |asked| times(asked, TCP, false) == 3)
            .await;
        assert!(router.is_open(TCP, port.number));
        let open = Opened::Open((OUTSIDE, port.number).into());
        let mut said = ports.watch(PortKind::Tcp).expect("it was asked for");
        let said = tokio::time::timeout(SHORT, said.wait_for(|said| *said == open)).await;
        assert!(said.is_ok_and(|said| said.is_ok()), "and it is known");
        ports.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_refuses() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let router = Router::start(Behaviour::Refuses).await;
    let mut server = tokio::task::block_in_place(|| Running::start(data.path(), &router, &[]));
    let said = tokio::task::block_in_place(|| server.outside());
    assert!(
        said.contains("No router has opened a port for it"),
        "{said}"
    );
    let by_hand = format!("pass TCP port {} and UDP port", server.port());
    assert!(said.contains(&by_hand), "{said}");
    let invite = server.first["invite"].as_str().expect("a link");
    assert!(!invite.contains(&OUTSIDE.to_string()), "{invite}");
    let kinds: Vec<&str> = router.asked().iter().map(|asked| asked.way).collect();
    for way in ["PCP", "NAT-PMP", "UPnP"] {
        assert!(kinds.contains(&way), "{way}: {kinds:?}");
    }
    tokio::task::block_in_place(|| server.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_silent_holds_nothing_up() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let router = Router::start(Behaviour::Silent).await;
    let begun = Instant::now();
    let mut server = tokio::task::block_in_place(|| Running::start(data.path(), &router, &[]));
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    let stopping = Running::start(tempfile::tempdir().expect("made").path(), &router, &[]);
    // In the middle of asking.
    tokio::task::block_in_place(|| stopping.stop());
    let said = tokio::task::block_in_place(|| server.outside());
    assert!(
        said.contains("No router has opened a port for it"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_behind_another_one() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let behind = Ipv4Addr::new(100, 64, 7, 7);
    let router = Router::start(Behaviour::Behind(behind)).await;
    let mut server = tokio::task::block_in_place(|| Running::start(data.path(), &router, &[]));
    let said = tokio::task::block_in_place(|| server.outside());
    assert!(
        said.contains("this network only") && said.contains("100.64.7.7"),
        "{said}"
    );
    let invite = server.first["invite"].as_str().expect("a link");
    assert!(!invite.contains("100.64.7.7"), "{invite}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_forgets_is_asked_again() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut router = Router::start(Behaviour::Forgets).await;
    let server = tokio::task::block_in_place(|| Running::start(data.path(), &router, &[]));
    // It refuses each second time.
    router
        .until("again and again", |asked| times(asked, TCP, false) > 4)
        .await;
    tokio::task::block_in_place(|| server.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_ports_opened_asks_for_none() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let router = Router::start(Behaviour::Pcp).await;
    for options in [
        ["--listen", "127.0.0.1:0"].as_slice(),
        &["--listen", "0.0.0.0:0", "--behind-proxy=10.0.0.0/8"],
    ] {
        let mut child = Command::new(SERVER)
            .args(options)
            .args([
                "--turn-port",
                "0",
                "--router",
                &router.address.to_string(),
                "--data",
            ])
            .arg(data.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        line(&mut stdout);
        // By then whatever was to be asked has been.
        line(&mut stdout);
        child.kill().expect("killed");
        child.wait().expect("waited");
    }
    assert_eq!(router.asked().len(), 0);
}

#[tokio::test]
async fn a_server_of_this_computer_invites_people_once_it_is_opened() {
    use support::{PASSWORD, TestServer, text, tls};
    use vireo_server::{HomeRouter, Opening, RelayConfig};
    let mut router = Router::start(Behaviour::Pcp).await;
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    assert!(
        server
            .running
            .public_address()
            .url
            .starts_with("http://127.0.0.1:")
    );
    let opening = Opening {
        listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
        relay: Some(RelayConfig::new(Ipv4Addr::UNSPECIFIED.into(), 0)),
        home_router: HomeRouter::AskAt(router.address),
    };
    server.running.open(opening).await.expect("opened");
    let inviter = vireo_protocol::UserId(ann.id.clone());
    let lasts = Duration::from_secs(3600);
    let link = server
        .running
        .invite(&inviter, 1, lasts)
        .await
        .expect("made");
    router
        .until("UDP", |asked| times(asked, UDP, false) > 0)
        .await;
    let asked = router.asked();
    let tcp = asked
        .iter()
        .find(|asked| asked.protocol == TCP)
        .expect("asked for");
    assert_eq!(link.server.url, format!("https://{OUTSIDE}:{}", tcp.port));
    let body = serde_json::json!({"uses": 1, "expiresInSeconds": 60});
    let ask = server.ask("POST", "/api/invites", &ann.token, Some(&body));
    let of_client = text(&ask.await.1["link"]);
    let from_outside = format!("{}/i?fp=", link.server.url);
    assert!(of_client.starts_with(&from_outside), "{of_client}");
    // Whoever comes by the link is shown the certificate that it names, registers, and is told of the relay.
    let here = (Ipv4Addr::LOCALHOST, tcp.port).into();
    let (_, shown) = tls::connect(here, &rustls::version::TLS13)
        .await
        .expect("a handshake");
    assert_eq!(link.server.fingerprint, Some(shown));
    let body = serde_json::json!({"name": "Bob", "password": PASSWORD, "invite": link.token});
    let (status, answer) = server.post("/api/register", &body).await;
    assert_eq!(status, 201, "{answer}");
    let mut bob = server
        .open(&text(&answer["accessToken"]))
        .await
        .expect("connected");
    let hello = serde_json::json!({"type": "hello", "version": 2, "client": "test"});
    let hello = bob.ask(hello).await;
    assert!(hello["iceServers"].to_string().contains("turn:"), "{hello}");
    server.running.shutdown().await;
    router
        .until("TCP no more", |asked| times(asked, TCP, true) == 1)
        .await;
}

#[tokio::test]
async fn clients_from_outside_are_told_of_the_port_that_leads_to_the_relay() {
    use support::{Client, TestServer};
    use vireo_server::{HomeRouter, Opening, RelayConfig};
    let mut router = Router::start(Behaviour::Moves(40_000)).await;
    let server = TestServer::start().await;
    let ann = server.register("Ann").await;
    let opening = Opening {
        listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
        relay: Some(RelayConfig::new(Ipv4Addr::UNSPECIFIED.into(), 0)),
        home_router: HomeRouter::AskAt(router.address),
    };
    server.running.open(opening).await.expect("opened");
    // The self-test waits until the router has said all it has to say.
    server.running.self_test().await;
    let relay_by = async |host: &str| {
        let client = Client::open_as(server.running.url(), &ann.token, Some(host)).await;
        let hello = serde_json::json!({"type": "hello", "version": 2, "client": "test"});
        let hello = client.expect("connected").ask(hello).await;
        support::text(&hello["iceServers"][1]["urls"][0])
    };
    let asked = router.asked();
    let relay = asked.iter().find(|asked| asked.protocol == UDP);
    let relay = relay.expect("asked for").port;
    let outside = relay_by(&format!("{OUTSIDE}:7450")).await;
    assert_eq!(outside, format!("turn:{OUTSIDE}:40000?transport=udp"));
    let inside = relay_by("192.168.1.9:7450").await;
    assert_eq!(inside, format!("turn:192.168.1.9:{relay}?transport=udp"));
    // However the server ends, no port stays open for longer.
    drop(server);
    router
        .until("UDP no more", |asked| times(asked, UDP, true) == 1)
        .await;
}
