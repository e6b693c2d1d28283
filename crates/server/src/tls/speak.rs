//! How the server speaks TLS: 1.3 and 1.2, with as little memory as there can be for a connection that is idle.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use vireo_protocol::Fingerprint;

use super::certificate::{Certificate, CertificateError};

/// What does the cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificate that is shown to whoever connects; it can be changed while the server runs.
#[derive(Debug)]
pub struct Presented(RwLock<Arc<Certificate>>);

impl Presented {
    /// Shows this one.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        Self(RwLock::new(Arc::new(certificate)))
    }

    /// From now on shows this one. Connections that are open go on.
    pub fn change(&self, certificate: Certificate) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
    }

    /// The one that is shown at present.
    #[must_use]
    pub fn current(&self) -> Arc<Certificate> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// By what clients know the one that is shown at present.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.current().fingerprint()
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().key())
    }
}

/// Whatever accepts connections with this certificate. Clients resume by tickets, which they keep: the server keeps nothing
/// of a session once it is over.
///
/// # Errors
/// When the system has no randomness to give.
pub fn acceptor(presented: Arc<Presented>) -> Result<TlsAcceptor, CertificateError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(CertificateError::Unusable)?
        .with_no_client_auth()
        .with_cert_resolver(presented);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new().map_err(CertificateError::Unusable)?;
    // A client that comes back needs one; every further one would be made, sent and kept in vain.
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
