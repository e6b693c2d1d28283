//! Why a server cannot start, in sentences for whoever starts it.

use std::net::SocketAddr;

use crate::relay::RelayError;
use crate::serve::ECHO_NAME;
use crate::store::StoreError;
use crate::tls::CertificateError;

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is nowhere to listen.
    #[error("vireo-server is to listen nowhere. Name an address with --listen.")]
    Nowhere,
    /// There is no certificate to encrypt with.
    #[error(
        "{0} Look at --tls-cert and --tls-key, or leave them out: the server then makes a certificate."
    )]
    Certificate(#[from] CertificateError),
    /// The address is not free, or not ours.
    #[error(
        "vireo-server cannot listen on {address}: {error}. Choose another one with --listen, or port 0 for any free one."
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The directory cannot be made.
    #[error(
        "The data directory {directory} cannot be made: {error}. Choose another one with --data."
    )]
    Directory {
        /// The directory.
        directory: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Two servers over the same data would not know of each other's connections.
    #[error(
        "Another Vireo server is using {0} already. Stop it, or choose another directory with --data."
    )]
    InUse(String),
    /// The database file cannot be opened.
    #[error("The database {file} cannot be opened: {error}. Choose another directory with --data.")]
    File {
        /// The file.
        file: String,
        /// What the database says.
        error: StoreError,
    },
    /// The database server does not let this server in.
    #[error(
        "PostgreSQL cannot be used: {0}. See that it runs, and that the address given with --database is right."
    )]
    DatabaseServer(StoreError),
    /// The database of a server that runs has failed.
    #[error("The database cannot be used: {0}. See whether the disk is full, and try again.")]
    Database(StoreError),
    /// The relay cannot listen.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// Not an address of Redis. The address itself may hold a password.
    #[error(
        "The address given with --bus is not one of Redis. It looks like redis://127.0.0.1:6379."
    )]
    BusAddress,
    /// The key is none.
    #[error(
        "The key that signs access tokens cannot be used. Restore the server's database from a backup."
    )]
    Key,
    /// A person has the service's name.
    #[error("A person on this server is named {ECHO_NAME:?}, which the server needs for itself.")]
    ServiceNameTaken,
}
