//! Encryption: the server's certificate, one that it makes for itself or one from files, and how it speaks TLS with it.

mod certificate;
mod files;
mod own;
mod speak;

pub use certificate::{Certificate, CertificateError, day};
pub use files::{CertificateFiles, keep_current};
pub use own::own_certificate;
pub use speak::{Presented, acceptor};
