//! Where connections come in: which addresses encrypt, with what certificate, and who is answered there.

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use serde_json::json;
use support::tls::{connect, get, post};
use support::{PASSWORD, TestServer};
use tokio::net::TcpStream;
use vireo_protocol::{Fingerprint, ServerAddress};
use vireo_server::{CertificateFiles, Config, Encryption, HomeRouter, Opening, Proxies};

const ANYWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

fn on_loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn port_of(url: &str) -> u16 {
    let address: ServerAddress = url.parse().expect("an address");
    let (_, port) = address.url.rsplit_once(':').expect("a port");
    port.parse().expect("a number")
}

async fn everywhere() -> TestServer {
    TestServer::start_with(|config| config.listen = vec![(ANYWHERE, 0).into()]).await
}

#[tokio::test]
async fn beyond_this_computer_everything_is_encrypted() {
    let server = everywhere().await;
    let address = on_loopback(port_of(server.running.url()));
    let expected = server.running.fingerprint().expect("it encrypts");
    for version in [&TLS12, &TLS13] {
        let (stream, shown) = connect(address, version).await.expect("a handshake");
        assert_eq!(shown, expected);
        let answer = get(stream, "/api/health", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let url: ServerAddress = server.running.url().parse().expect("an address");
    assert_eq!(url.fingerprint, Some(expected));
    let plain = TcpStream::connect(address).await.expect("connected");
    let answer = get(plain, "/api/health", "").await;
    assert!(!answer.starts_with("HTTP"), "{answer}");
    // What belongs to the server needs no encryption, and finds it on this computer only.
    let service = server.running.service_url();
    assert!(service.starts_with("http://127.0.0.1:"), "{service}");
    let answer = server
        .http
        .get(format!("{service}/api/health"))
        .send()
        .await;
    assert_eq!(answer.expect("answered").status(), 200);
}

#[tokio::test]
async fn a_server_of_this_computer_can_be_opened_later() {
    let server = TestServer::start().await;
    assert_eq!(server.running.fingerprint(), None);
    assert!(server.running.url().starts_with("http://127.0.0.1:"));
    let free = std::net::TcpListener::bind((ANYWHERE, 0)).expect("bound");
    let port = free.local_addr().expect("an address").port();
    let opening = |port| Opening {
        listen: (ANYWHERE, port).into(),
        relay: None,
        home_router: HomeRouter::Leave,
    };
    let taken = server.running.open(opening(port)).await;
    let sentence = taken.expect_err("taken").to_string();
    assert!(sentence.contains("cannot listen"), "{sentence}");
    drop(free);
    let opened = server.running.open(opening(port)).await;
    opened.expect("opened");
    let (stream, shown) = connect(on_loopback(port), &TLS13)
        .await
        .expect("a handshake");
    assert_eq!(server.running.fingerprint(), Some(shown));
    assert!(
        get(stream, "/api/health", "")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    let public = server.running.public_address();
    assert_eq!(public.fingerprint, Some(shown));
    assert!(public.url.starts_with("https://") && public.url.ends_with(&format!(":{port}")));
}

#[tokio::test]
async fn whoever_comes_from_elsewhere_to_a_server_that_was_opened_needs_an_invite() {
    let server = TestServer::start().await;
    server.register("Ann").await;
    let opening = Opening {
        listen: (ANYWHERE, 0).into(),
        relay: None,
        home_router: HomeRouter::Leave,
    };
    server.running.open(opening).await.expect("opened");
    let elsewhere = server.running.public_address().url;
    let elsewhere = elsewhere.strip_prefix("https://").expect("encrypted");
    let elsewhere: SocketAddr = elsewhere.parse().expect("an address");
    assert!(!elsewhere.ip().is_loopback(), "this test needs a network");
    let account = |name| json!({ "name": name, "password": PASSWORD });
    let (stream, _) = connect(elsewhere, &TLS13).await.expect("a handshake");
    let answer = post(stream, "/api/register", &account("Eve")).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("without an invite"), "{answer}");
    // Whoever sits at this computer is at home.
    let (status, _) = server.post("/api/register", &account("Bob")).await;
    assert_eq!(status, 201);
}

#[tokio::test]
async fn who_never_shakes_hands_holds_nobody_up() {
    let server = everywhere().await;
    let address = on_loopback(port_of(server.running.url()));
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(address).await.expect("connected"));
    }
    let (stream, _) = connect(address, &TLS13).await.expect("a handshake");
    assert!(
        get(stream, "/api/health", "")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

/// Writes a new certificate for this name and its key. Returns both.
fn issue(directory: &Path, name: &str) -> (CertificateFiles, Fingerprint) {
    use sha2::{Digest, Sha256};
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("made");
    let files = CertificateFiles {
        chain: directory.join("chain.pem"),
        key: directory.join("key.pem"),
    };
    std::fs::write(&files.chain, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    (files, Fingerprint(Sha256::digest(made.cert.der()).into()))
}

#[tokio::test]
async fn a_certificate_from_files_is_used_and_followed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (files, first) = issue(directory.path(), "vireo.example.org");
    let chosen = files.clone();
    let server = TestServer::start_with(move |config: &mut Config| {
        config.encryption = Encryption::Certificate(chosen);
    })
    .await;
    let port = port_of(server.running.url());
    let address = on_loopback(port);
    let shown = async || connect(address, &TLS13).await.expect("a handshake").1;
    assert_eq!(shown().await, first);
    // An authority vouches for it: the invitation needs no fingerprint, which would end with the certificate.
    let public = server.running.public_address();
    assert_eq!(
        public.to_string(),
        format!("https://vireo.example.org:{port}")
    );
    let (_, second) = issue(directory.path(), "vireo.example.org");
    let changed = async {
        while shown().await != second {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let changed = tokio::time::timeout(Duration::from_secs(20), changed).await;
    changed.expect("the new certificate is shown");
}

#[tokio::test]
async fn behind_a_proxy_the_rates_are_the_clients_own() {
    let server = TestServer::start_with(|config| {
        config.listen = vec![(ANYWHERE, 0).into()];
        config.encryption = Encryption::Proxy(Proxies::default());
        config.public_url = Some("https://vireo.example.org".to_owned());
    })
    .await;
    let public = server.running.public_address().to_string();
    assert_eq!(public, "https://vireo.example.org");
    server.register("Ann").await;
    let wrong = json!({"name": "Ann", "password": "not this one"});
    let sign_in = async |client: &str, body: &serde_json::Value| {
        let request = server.http.post(server.url("/api/sign-in")).json(body);
        let request = request.header("X-Forwarded-For", client);
        request.send().await.expect("answered").status().as_u16()
    };
    let guesses = async |client: &str| {
        for _ in 0..30 {
            if sign_in(client, &wrong).await == 429 {
                return;
            }
        }
        panic!("{client} may guess for ever");
    };
    guesses("192.0.2.1").await;
    // What the client writes itself makes it nobody else.
    assert_eq!(sign_in("192.0.2.9, 192.0.2.1", &wrong).await, 429);
    let right = json!({"name": "Ann", "password": PASSWORD});
    assert_eq!(sign_in("192.0.2.2", &right).await, 200);
}

#[tokio::test]
async fn behind_a_proxy_nobody_else_is_answered() {
    let addresses = if_addrs::get_if_addrs().expect("addresses");
    let addresses = addresses.iter().map(if_addrs::Interface::ip);
    let other = addresses
        .filter(IpAddr::is_ipv4)
        .find(|ip| !ip.is_loopback());
    let other = other.expect("a network to test in");
    let server = TestServer::start_with(|config| {
        config.listen = vec![(ANYWHERE, 0).into()];
        config.encryption = Encryption::Proxy(Proxies::default());
    })
    .await;
    let port = port_of(server.running.url());
    let by_network = TcpStream::connect((other, port)).await.expect("connected");
    assert_eq!(get(by_network, "/api/health", "").await, "");
    let by_proxy = TcpStream::connect(on_loopback(port))
        .await
        .expect("connected");
    assert!(
        get(by_proxy, "/api/health", "")
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}
