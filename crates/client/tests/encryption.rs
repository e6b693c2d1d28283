//! Whom a client trusts: the server that it was invited to, by its certificate's fingerprint, and nobody who says so.

mod support;

use std::net::Ipv4Addr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use support::{PASSWORD, Person, TestServer, befriend, credentials};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vireo_client::{Client, ClientError, ConnectionState};
use vireo_protocol::{Fingerprint, ServerAddress};

/// A server that listens beyond this computer, and so encrypts.
async fn server() -> TestServer {
    TestServer::with(|config| config.listen = vec![(Ipv4Addr::UNSPECIFIED, 0).into()]).await
}

#[tokio::test]
async fn a_server_with_its_own_certificate_is_known_by_the_fingerprint() {
    let server = server().await;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let mut alice = Person::connect(server.register("Alice").await).await;
    let session = Client::sign_in(server.url(), credentials("Alice", PASSWORD)).await;
    assert_eq!(session.expect("signed in").server, server.url());
    let mut bob = server.person("Bob").await;
    befriend(&mut alice, &mut bob).await;
}

#[tokio::test]
async fn nobody_else_is_taken_for_it() {
    let (server, other) = (server().await, server().await);
    let address: ServerAddress = server.url().parse().expect("an address");
    let expected: ServerAddress = other.url().parse().expect("an address");
    let sign_in = async |fingerprint| {
        let url = address.url.clone();
        let address = ServerAddress { url, fingerprint }.to_string();
        Client::sign_in(&address, credentials("Alice", PASSWORD))
            .await
            .err()
    };
    let wrong = sign_in(expected.fingerprint).await;
    assert_eq!(wrong, Some(ClientError::WrongServer));
    // No authority has issued its certificate.
    assert_eq!(sign_in(None).await, Some(ClientError::UntrustedServer));
    assert_eq!(
        sign_in(address.fingerprint).await,
        Some(ClientError::WrongPassword)
    );
}

#[tokio::test]
async fn somebody_else_at_the_servers_address_is_told_from_a_server_that_is_gone() {
    let server = server().await;
    let alice = Person::connect(server.register("Alice").await).await;
    let certificate = server.config.data.join("certificate.pem");
    let somebody_else = server
        .restart(async || {
            alice.until_connection(ConnectionState::Unreachable).await;
            std::fs::remove_file(&certificate).expect("it was there");
        })
        .await;
    alice.until_connection(ConnectionState::WrongServer).await;
    drop(somebody_else);
}

/// Shows a certificate whose key it does not have.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl ResolvesServerCert for Thief {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    let make = || rcgen::generate_simple_self_signed(["vireo".to_owned()]).expect("made");
    let (stolen, own) = (make(), make());
    let fingerprint = Fingerprint(Sha256::digest(stolen.cert.der()).into());
    let provider = ring::default_provider();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let key = provider.key_provider.load_private_key(key).expect("usable");
    let thief = Thief(Arc::new(CertifiedKey::new(
        vec![stolen.cert.der().clone()],
        key,
    )));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("ring has suites for it")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Thief(Arc::clone(&thief.0))));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = ServerAddress {
            url: format!("https://{}", listener.local_addr().expect("bound")),
            fingerprint: Some(fingerprint),
        };
        let serve = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("accepted");
            acceptor.accept(stream).await.is_ok()
        });
        let refused = Client::sign_in(&address.to_string(), credentials("Alice", PASSWORD)).await;
        assert_eq!(refused.err(), Some(ClientError::WrongServer));
        assert!(!serve.await.expect("served"), "{version:?}");
    }
}
