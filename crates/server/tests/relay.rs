//! The relay over real sockets.

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::SystemTime;

use serde_json::json;
use support::TestServer;
use tokio::net::UdpSocket;
use vireo_protocol::UserId;
use vireo_server::{Database, ProbeError, Relay, RelayConfig, Store, TurnSecret, self_test};

const LOOPBACKS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// What a relay answers to a question without meaning, if anything does within the time that an answer takes.
async fn answers(relay: SocketAddr) -> bool {
    self_test(relay, &TurnSecret::random()).await != Err(ProbeError::Silent)
}

#[tokio::test]
async fn a_packet_goes_to_another_client_and_back() {
    for ip in LOOPBACKS {
        let secret = TurnSecret::random();
        let relay = Relay::start(RelayConfig::new(ip, 0), secret.clone()).expect("started");
        let at = relay.listening()[0];
        assert_eq!(self_test(at, &secret).await, Ok(()), "{ip}");
        let wrong = self_test(at, &TurnSecret::random()).await;
        assert_eq!(wrong, Err(ProbeError::Refused(401)), "{ip}");
        drop(relay);
        assert!(!answers(at).await, "it has been stopped");
    }
}

#[tokio::test]
async fn on_every_address_it_answers_by_the_one_that_was_asked() {
    let secret = TurnSecret::random();
    let everywhere = RelayConfig::new(Ipv6Addr::UNSPECIFIED.into(), 0);
    let relay = Relay::start(everywhere, secret.clone()).expect("started");
    let port = relay.listening()[0].port();
    // A socket that is connected hears the address it has asked and no other.
    for ip in LOOPBACKS.into_iter().chain([[127, 7, 7, 7].into()]) {
        let at = SocketAddr::new(ip, port);
        assert_eq!(self_test(at, &secret).await, Ok(()), "{at}");
    }
}

#[tokio::test]
async fn a_range_of_two_ports_is_enough_for_two() {
    let free = async || {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        socket.local_addr().expect("bound").port()
    };
    let first = loop {
        let first = free().await;
        if first < u16::MAX && UdpSocket::bind(("127.0.0.1", first + 1)).await.is_ok() {
            break first;
        }
    };
    let secret = TurnSecret::random();
    let config = |ports| RelayConfig {
        ports,
        ..RelayConfig::new(LOOPBACKS[0], 0)
    };
    let two = Relay::start(config(first..=first + 1), secret.clone()).expect("started");
    for _ in 0..3 {
        let tried = self_test(two.listening()[0], &secret).await;
        assert_eq!(tried, Ok(()), "the ports are given back");
    }
    let one = Relay::start(config(first..=first), secret.clone()).expect("started");
    let tried = self_test(one.listening()[0], &secret).await;
    assert_eq!(tried, Err(ProbeError::Refused(508)));
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let relay = Relay::start(RelayConfig::new(LOOPBACKS[0], port), TurnSecret::random());
    let sentence = relay.expect_err("taken").to_string();
    assert!(sentence.contains(&port.to_string()), "{sentence}");
    assert!(sentence.contains("--turn-port"), "{sentence}");
}

#[tokio::test]
async fn the_greeting_names_the_relay_by_the_host_that_the_client_has_used() {
    let server = TestServer::start_with(|config| {
        config.relay = Some(RelayConfig::new(LOOPBACKS[0], 0));
    })
    .await;
    let ann = server.register("Ann").await;
    let mut client = server.open(&ann.token).await.expect("connected");
    let hello = client
        .ask(json!({"type": "hello", "version": 2, "client": "test"}))
        .await;
    let urls = |index: usize| support::text(&hello["iceServers"][index]["urls"][0]).to_owned();
    let port = urls(0)
        .rsplit(':')
        .next()
        .map(str::to_owned)
        .expect("a port");
    assert_eq!(urls(0), format!("stun:127.0.0.1:{port}"));
    assert_eq!(urls(1), format!("turn:127.0.0.1:{port}?transport=udp"));
    let at = SocketAddr::new(LOOPBACKS[0], port.parse().expect("a number"));
    assert!(answers(at).await);
    let TestServer { running, data, .. } = server;
    running.shutdown().await;
    assert!(!answers(at).await, "it stops with the server");
    // Whoever looks into the same data tries it with the same secret, as do those who were here before a restart.
    let database = Database::Sqlite(data.path().join("vireo.sqlite"));
    let store = Store::open(&database).await.expect("opened");
    let secret = TurnSecret::stored(&store).await.expect("read");
    let (user, until) = (UserId("ann".into()), SystemTime::UNIX_EPOCH);
    let again = TurnSecret::stored(&store).await.expect("read");
    assert_eq!(
        secret.credentials(&user, until),
        again.credentials(&user, until)
    );
}
