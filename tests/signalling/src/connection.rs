//! A person's connection to a server: TCP, TLS, WebSocket, and the greeting.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use vireo_protocol::{ClientMessage, Request, SUBPROTOCOL, VERSION};

use crate::stream::Stream;

/// A connection that has been greeted.
pub type Socket = WebSocketStream<Stream>;

/// Enough for most messages of a call; thousands of these are held.
const READ_BUFFER_BYTES: usize = 2048;

/// The number of the greeting; further requests count on from it.
pub(crate) const HELLO_ID: u64 = 0;

/// A server that one can connect to.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

impl Target {
    /// The server on this computer whose address is this: `http://HOST:PORT`, or `https://HOST:PORT#sha256=FINGERPRINT`.
    ///
    /// # Errors
    /// When the address is of another form.
    pub fn of(url: &str) -> Result<Self> {
        let unknown = || format!("not the address of a server: {url}");
        let (scheme, rest) = url.split_once("://").with_context(unknown)?;
        let (authority, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (_, port) = authority
            .trim_end_matches('/')
            .rsplit_once(':')
            .with_context(unknown)?;
        let tls = match scheme {
            "http" => None,
            "https" => {
                let pin = fragment.strip_prefix("sha256=").with_context(unknown)?;
                Some(TlsConnector::from(Arc::new(pinned(pin)?)))
            }
            _ => bail!("{}", unknown()),
        };
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = SocketAddr::new(ip, port.parse().with_context(unknown)?);
        Ok(Self { address, tls })
    }

    /// Connects and says hello. Person `number` has an address of their own, as people at home have.
    ///
    /// # Errors
    /// When the server does not greet back.
    pub async fn connect(&self, token: &str, number: usize) -> Result<Socket> {
        let mut socket = self.open(token, number).await?;
        let hello = Request {
            id: HELLO_ID,
            message: ClientMessage::Hello {
                version: VERSION,
                client: "load/1".to_owned(),
            },
        };
        socket
            .send(Message::text(serde_json::to_string(&hello)?))
            .await?;
        loop {
            let message = socket.next().await.context("it hung up on hello")??;
            if let Message::Text(text) = message {
                let reply: serde_json::Value = serde_json::from_str(&text)?;
                if reply["id"] == HELLO_ID {
                    ensure!(reply["type"] == "hello", "hello is answered with {reply}");
                    return Ok(socket);
                }
            }
        }
    }

    /// The WebSocket, without a greeting.
    async fn open(&self, token: &str, number: usize) -> Result<Socket> {
        let tcp = TcpSocket::new_v4()?;
        tcp.bind(home(number))?;
        let tcp = tcp.connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = match &self.tls {
            None => Stream::Plain(tcp),
            Some(tls) => {
                let name = ServerName::IpAddress(self.address.ip().into());
                Stream::Tls(Box::new(tls.connect(name, tcp).await?))
            }
        };
        let mut handshake = format!("ws://{}/api/ws", self.address).into_client_request()?;
        let headers = handshake.headers_mut();
        headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL.parse()?);
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let connected =
            tokio_tungstenite::client_async_with_config(handshake, stream, Some(config));
        Ok(connected.await?.0)
    }
}

/// The whole of 127.0.0.0/8 is this computer.
fn home(number: usize) -> SocketAddr {
    let [.., high, low] = number.to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 1, high, low)), 0)
}

/// Takes the certificate with this fingerprint and no other. Every connection does the whole handshake, as first ones do.
fn pinned(pin: &str) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pin = Pin {
        fingerprint: URL_SAFE_NO_PAD.decode(pin).context("no fingerprint")?,
        provider: provider.clone(),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pin))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct Pin {
    fingerprint: Vec<u8>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match Sha256::digest(end_entity).as_slice() == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
