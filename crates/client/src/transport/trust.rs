//! Who must answer: the server whose certificate has this fingerprint and nobody else, or, where there is no fingerprint,
//! one that the system's authorities vouch for.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsConnector;
use vireo_protocol::Fingerprint;

use crate::ClientError;

/// Connects to whom this trusts.
pub fn connector(pinned: Option<Fingerprint>) -> Result<TlsConnector, ClientError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(pinned, &provider).map_err(|error| {
        tracing::warn!(%error, "the system's certificate authorities cannot be used");
        ClientError::UntrustedServer
    })?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has a suite for each version")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn verifier(
    pinned: Option<Fingerprint>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    Ok(match pinned {
        Some(fingerprint) => Arc::new(Pinned {
            fingerprint,
            algorithms: provider.signature_verification_algorithms,
        }),
        None => Arc::new(Verifier::new(Arc::clone(provider))?),
    })
}

/// What a handshake that failed means.
pub fn refusal(error: &io::Error, pinned: bool) -> ClientError {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(_)) if pinned => ClientError::WrongServer,
        Some(Error::InvalidCertificate(_)) => ClientError::UntrustedServer,
        Some(Error::InvalidMessage(_)) => ClientError::NotAVireoServer,
        _ => ClientError::ServerUnreachable,
    }
}

/// Accepts one certificate. Neither the name in it nor its dates matter: whoever gave the fingerprint knew the server. That
/// the other side has the certificate's key is verified as always.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Fingerprint(Sha256::digest(certificate).into());
        match found == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
