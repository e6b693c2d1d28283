//! A certificate from files that somebody else renews.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::certificate::{Certificate, CertificateError};
use super::speak::{Presented, provider};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Where chain and key lie, both in PEM form.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub chain: PathBuf,
    /// The key that belongs to it.
    pub key: PathBuf,
}

/// By what a change is noticed: when each file was written, and how long it is.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl CertificateFiles {
    /// Reads both.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, or two that do not go together.
    pub fn load(&self) -> Result<Certificate, CertificateError> {
        let (chain, key) = (read(&self.chain)?, read(&self.key)?);
        Certificate::from_pem(
            (self.chain.clone(), &chain),
            (self.key.clone(), &key),
            &provider(),
        )
    }

    fn stamp(&self) -> Stamp {
        let stamp = |file: &Path| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [stamp(&self.chain), stamp(&self.key)]
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(file).map_err(|error| CertificateError::File {
        file: file.to_owned(),
        error,
    })
}

/// Shows what the files hold, each time they change or somebody says so, for ever. A pair that cannot be used changes nothing:
/// it may be half written, and the old one is better than none.
pub async fn keep_current(files: CertificateFiles, presented: Arc<Presented>, now: Arc<Notify>) {
    let mut seen = Stamp::default();
    loop {
        let stamp = files.stamp();
        if stamp != seen {
            seen = stamp;
            renew(&files, &presented);
        }
        tokio::select! {
            () = sleep(LOOK_INTERVAL) => {}
            // The files' times may be what they were before.
            () = now.notified() => seen = Stamp::default(),
        }
    }
}

fn renew(files: &CertificateFiles, presented: &Presented) {
    match files.load() {
        Ok(same) if same.fingerprint() == presented.fingerprint() => {}
        Ok(certificate) => {
            presented.change(certificate);
            tracing::info!("the certificate has been changed");
        }
        Err(problem) => {
            tracing::warn!(%problem, "the new certificate is not used; the old one stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_is_half_there_changes_nothing() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let files = CertificateFiles {
            chain: directory.path().join("chain.pem"),
            key: directory.path().join("key.pem"),
        };
        let write = |file: &Path, text: String| std::fs::write(file, text).expect("written");
        let make = || rcgen::generate_simple_self_signed(["vireo".to_owned()]).expect("made");
        let (first, second) = (make(), make());
        write(&files.chain, first.cert.pem());
        write(&files.key, first.signing_key.serialize_pem());
        let presented = Presented::new(files.load().expect("a pair"));
        let fingerprint = presented.fingerprint();
        write(&files.chain, second.cert.pem());
        renew(&files, &presented);
        assert_eq!(presented.fingerprint(), fingerprint, "another's key");
        write(&files.key, "half".to_owned());
        renew(&files, &presented);
        assert_eq!(presented.fingerprint(), fingerprint, "no key at all");
        write(&files.key, second.signing_key.serialize_pem());
        renew(&files, &presented);
        assert_ne!(presented.fingerprint(), fingerprint);
    }
}
