//! A certificate with its key.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use vireo_protocol::Fingerprint;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

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

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Its first moment.
    pub from: SystemTime,
    /// Its last one.
    pub until: SystemTime,
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

    /// From when until when it is valid; nothing where it does not say so in a form that can be read.
    #[must_use]
    pub fn validity(&self) -> Option<Validity> {
        let (_, parsed) = parse_x509_certificate(self.key.cert.first()?).ok()?;
        let time = |time: ASN1Time| {
            let since = u64::try_from(time.timestamp()).unwrap_or_default();
            UNIX_EPOCH + Duration::from_secs(since)
        };
        let validity = parsed.validity();
        Some(Validity {
            from: time(validity.not_before),
            until: time(validity.not_after),
        })
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

/// The day of a time, such as `2099-12-31` (UTC).
#[must_use]
pub fn day(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = i64::try_from(since.as_secs()).map(ASN1Time::from_timestamp);
    match time {
        Ok(Ok(time)) => time.to_datetime().date().to_string(),
        _ => "a day beyond all calendars".to_owned(),
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}
