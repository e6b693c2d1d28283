//! The certificate that the server makes for itself. Clients know it by its fingerprint, which came with the invitation, so
//! that no authority, no domain and no date matter.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use super::certificate::{Certificate, CertificateError};
use super::speak::provider;
use crate::private_file::write_private;

/// Key and certificate in one file, so that they always belong together.
const FILE: &str = "certificate.pem";

/// The certificate in this data directory; made where there is none.
///
/// # Errors
/// When the file cannot be read or written, or holds something else.
pub fn own_certificate(data: &Path, addresses: &[IpAddr]) -> Result<Certificate, CertificateError> {
    let file = data.join(FILE);
    let problem = |error| CertificateError::File {
        file: file.clone(),
        error,
    };
    let pem = match std::fs::read(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let pem = new_certificate(addresses).map_err(CertificateError::Make)?;
            write_private(&file, pem.as_bytes()).map_err(problem)?;
            pem.into_bytes()
        }
        read => read.map_err(problem)?,
    };
    Certificate::from_pem((file.clone(), &pem), (file, &pem), &provider())
}

/// A P-256 key and a certificate for it, in PEM. It names what the server may be called, for whoever looks at it in a
/// browser, and is valid for longer than anybody will use it: clients pin it, so its end would only lock them out.
fn new_certificate(addresses: &[IpAddr]) -> Result<String, rcgen::Error> {
    let mut names = vec!["vireo".to_owned(), "localhost".to_owned()];
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let is_plain = |host: &str| {
        host.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    };
    if is_plain(&host) && !host.is_empty() && !names.contains(&host) {
        names.push(host);
    }
    names.extend(addresses.iter().map(IpAddr::to_string));
    let mut parameters = CertificateParams::new(names)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Vireo");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2099, 12, 31);
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = parameters.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_kept_for_this_user_alone() {
        let data = tempfile::tempdir().expect("a temporary directory");
        let addresses = [IpAddr::from([192, 0, 2, 1])];
        let first = own_certificate(data.path(), &addresses).expect("made");
        let again = own_certificate(data.path(), &[]).expect("read");
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_eq!(first.host_name().as_deref(), Some("vireo"));
        let other = tempfile::tempdir().expect("a temporary directory");
        let other = own_certificate(other.path(), &addresses).expect("made");
        assert_ne!(first.fingerprint(), other.fingerprint());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = std::fs::metadata(data.path().join(FILE)).expect("it is there");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_broken_file_is_named() {
        let data = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(data.path().join(FILE), "nonsense").expect("written");
        let sentence = own_certificate(data.path(), &[]).expect_err("nonsense");
        assert!(sentence.to_string().contains(FILE), "{sentence}");
    }
}
