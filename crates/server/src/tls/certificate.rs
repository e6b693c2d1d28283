//! A certificate with its key.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use vireo_protocol::Fingerprint;

/// Why there is no certificate to speak TLS with.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read or written.
    #[error("The certificate's file {file} cannot be used: {error}.")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is something else in the file.
    #[error("{file} holds no {what} in PEM form.")]
    Pem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The two do not go together, or are of a kind that is not known.
    #[error("Certificate and key cannot be used: {0}.")]
    Unusable(rustls::Error),
    /// A certificate could not be made.
    #[error("A certificate cannot be made: {0}.")]
    Make(rcgen::Error),
}

/// A chain of certificates, the server's own first, and the key that belongs to it.
#[derive(Debug)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Chain and key out of PEM.
    ///
    /// # Errors
    /// [`CertificateError::Pem`] with one of the files' names, [`CertificateError::Unusable`].
    pub fn from_pem(
        (chain_file, chain): (PathBuf, &[u8]),
        (key_file, key): (PathBuf, &[u8]),
        provider: &CryptoProvider,
    ) -> Result<Self, CertificateError> {
        let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or(CertificateError::Pem {
            file: chain_file,
            what: "certificate",
        })?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::Pem {
            file: key_file,
            what: "private key",
        })?;
        let fingerprint = fingerprint(&chain[0]);
        let key = CertifiedKey::from_der(chain, key, provider);
        Ok(Self {
            key: Arc::new(key.map_err(CertificateError::Unusable)?),
            fingerprint,
        })
    }

    /// What rustls signs with.
    #[must_use]
    pub fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// By what clients know it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The first host name that it was issued for, such as `vireo.example.org`.
    #[must_use]
    pub fn host_name(&self) -> Option<String> {
        let first = self.key.cert.first()?;
        let parsed = webpki::EndEntityCert::try_from(first).ok()?;
        let mut names = parsed.valid_dns_names();
        names.find(|name| !name.contains('*')).map(str::to_owned)
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}
