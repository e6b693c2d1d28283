//! Trying an address as a client would.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use vireo_protocol::{Fingerprint, ServerAddress};

use crate::front::Shown;

/// Whatever takes longer is of no use to anybody.
const PATIENCE: Duration = Duration::from_secs(3);

/// Long enough for what the server answers here.
const MOST: u64 = 4096;

/// Why an address is not the server's.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// There is no such name.
    #[error("the name is not known")]
    NoName,
    /// Nobody answers.
    #[error("nobody answers there ({0})")]
    Silent(io::Error),
    /// Nobody answers in time.
    #[error("nobody answers there in time")]
    Late,
    /// Somebody else does.
    #[error("somebody else answers there, with another certificate")]
    SomebodyElse,
    /// What answers is no Vireo server.
    #[error("what answers there is no Vireo server")]
    SomethingElse,
}

/// Where a client goes, and how it gets there.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where.
    pub address: SocketAddr,
    /// What it calls the server: `vireo.example.org:7450`.
    pub host: String,
    /// Whether it encrypts.
    pub encrypted: bool,
    /// What certificate it expects; any one where authorities vouch for the server.
    pub fingerprint: Option<Fingerprint>,
}

impl From<Shown> for Target {
    fn from(shown: Shown) -> Self {
        Self {
            address: shown.address,
            host: shown.address.to_string(),
            encrypted: shown.fingerprint.is_some(),
            fingerprint: shown.fingerprint,
        }
    }
}

impl Target {
    /// Where the name of this address leads.
    ///
    /// # Errors
    /// [`Unreachable::NoName`].
    pub async fn named(address: &ServerAddress) -> Result<Self, Unreachable> {
        let (scheme, rest) = address.url.split_once("://").ok_or(Unreachable::NoName)?;
        let host = rest.split('/').next().unwrap_or_default();
        let encrypted = scheme == "https";
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let with_port = match (has_port, encrypted) {
            (true, _) => host.to_owned(),
            (false, true) => format!("{host}:443"),
            (false, false) => format!("{host}:80"),
        };
        let found = timeout(PATIENCE, lookup_host(with_port)).await;
        let mut found = found
            .map_err(|_| Unreachable::NoName)?
            .map_err(|_| Unreachable::NoName)?;
        Ok(Self {
            address: found.next().ok_or(Unreachable::NoName)?,
            host: host.to_owned(),
            encrypted,
            fingerprint: address.fingerprint,
        })
    }

    /// Whether the server answers there.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn reach(&self) -> Result<(), Unreachable> {
        let tried = timeout(PATIENCE, self.attempt()).await;
        tried.unwrap_or(Err(Unreachable::Late))
    }

    async fn attempt(&self) -> Result<(), Unreachable> {
        let stream = TcpStream::connect(self.address).await;
        let stream = stream.map_err(Unreachable::Silent)?;
        if !self.encrypted {
            return ask(stream, &self.host).await;
        }
        let stream = connector().connect(self.name(), stream).await;
        let stream = stream.map_err(Unreachable::Silent)?;
        let shown = stream.get_ref().1.peer_certificates();
        let shown = shown.and_then(|chain| chain.first());
        let shown = shown.map(|shown| Fingerprint(Sha256::digest(shown).into()));
        match self.fingerprint {
            Some(expected) if shown != Some(expected) => Err(Unreachable::SomebodyElse),
            _ => ask(stream, &self.host).await,
        }
    }

    fn name(&self) -> ServerName<'static> {
        let name = match self.host.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => name,
            _ => &self.host,
        };
        let name = ServerName::try_from(name.to_owned());
        name.unwrap_or_else(|_| ServerName::from(self.address.ip()))
    }
}

async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
) -> Result<(), Unreachable> {
    let request = format!("GET /api/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let written = stream.write_all(request.as_bytes()).await;
    written.map_err(Unreachable::Silent)?;
    let mut answer = Vec::new();
    // How the other side says goodbye does not matter once it has answered.
    let _ = stream.take(MOST).read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    let of_vireo = answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"protocol\":");
    // What it answers when its database is away; that is said elsewhere.
    let unwell = answer.starts_with("HTTP/1.1 500 ") || answer.starts_with("HTTP/1.1 503 ");
    match of_vireo || unwell {
        true => Ok(()),
        false => Err(Unreachable::SomethingElse),
    }
}

fn connector() -> TlsConnector {
    let provider = ring::default_provider();
    let algorithms = provider.signature_verification_algorithms;
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring has a suite for each version")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(LookedAtAfterwards(algorithms)))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Takes any certificate whose key the other side has; which one it was is compared once it is there.
#[derive(Debug)]
struct LookedAtAfterwards(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for LookedAtAfterwards {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
