//! Where connections come in: the addresses that are listened on, encryption, and the address each client has.
//!
//! A connection's way: `listen` (accepts it) → `doors` (TLS, in a task of its own) → `connection` (HTTP) → the router.

mod addresses;
mod connection;
mod doors;
mod forwarded;
mod listen;
mod whereabouts;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use vireo_protocol::Fingerprint;

use crate::config::Encryption;
use crate::start_error::StartError;
use crate::tls::{Certificate, Presented, acceptor, keep_current, own_certificate};
pub use addresses::is_of_the_internet;
use addresses::network_addresses;
#[cfg(feature = "fuzz")]
pub use connection::serve as serve_connection;
use doors::{Door, Doors};
pub use forwarded::Proxies;
use listen::listen;
pub use whereabouts::{PublicAddress, Shown};

/// What the server encrypts with.
#[derive(Clone)]
struct Tls {
    presented: Arc<Presented>,
    acceptor: TlsAcceptor,
}

/// An address that is listened on.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: SocketAddr,
    encrypted: bool,
}

/// Addresses that are bound, at which nobody is answered yet.
pub struct Listening {
    makes: Makes,
    bound: Vec<(TcpListener, Door, Place)>,
    service: SocketAddr,
}

/// Makes doors.
struct Makes {
    encryption: Encryption,
    data: PathBuf,
    /// Made when it is first needed.
    tls: Option<Tls>,
}

/// Every address that the server listens on.
pub struct Front {
    doors: Doors,
    makes: Mutex<Makes>,
    places: Mutex<Vec<Place>>,
    service: SocketAddr,
    public_url: Option<String>,
    /// Says when the certificate's files are to be read at once.
    reload: Arc<Notify>,
    stopping: CancellationToken,
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Front { .. }") // It holds a key.
    }
}

impl Listening {
    /// Binds these addresses, and one of this computer only for the programs that belong to the server where there is none
    /// among them that is not encrypted.
    ///
    /// # Errors
    /// [`StartError::Nowhere`], [`StartError::Listen`], [`StartError::Certificate`].
    pub fn at(
        addresses: &[SocketAddr],
        encryption: Encryption,
        data: &Path,
    ) -> Result<Self, StartError> {
        if addresses.is_empty() {
            return Err(StartError::Nowhere);
        }
        let mut makes = Makes {
            encryption,
            data: data.to_owned(),
            tls: None,
        };
        let mut bound = Vec::new();
        for address in addresses {
            bound.push(makes.bind(*address)?);
        }
        let plain = bound.iter().find(|(_, door, place)| {
            matches!(door, Door::Plain) && place.address.ip().is_loopback()
        });
        let service = match plain {
            Some((_, _, place)) => place.address,
            None => {
                let (listener, address) = bind((Ipv4Addr::LOCALHOST, 0).into())?;
                let place = Place {
                    address,
                    encrypted: false,
                };
                bound.push((listener, Door::Plain, place));
                address
            }
        };
        Ok(Self {
            makes,
            bound,
            service,
        })
    }

    /// Answers whoever comes, with this router, until `stopping`.
    pub fn open(
        self,
        router: Router,
        stopping: CancellationToken,
        public_url: Option<String>,
    ) -> Front {
        let front = Front {
            doors: Doors::new(router, stopping.clone()),
            makes: Mutex::new(self.makes),
            places: Mutex::default(),
            service: self.service,
            public_url,
            reload: Arc::default(),
            stopping,
        };
        for bound in self.bound {
            front.open(bound);
        }
        front.keep_certificate();
        front
    }
}

impl Makes {
    fn bind(&mut self, address: SocketAddr) -> Result<(TcpListener, Door, Place), StartError> {
        let (listener, address) = bind(address)?;
        let door = match &self.encryption {
            Encryption::Proxy(proxies) => Door::Proxied(Arc::new(proxies.clone())),
            Encryption::OwnCertificate if address.ip().is_loopback() => Door::Plain,
            Encryption::OwnCertificate | Encryption::Certificate(_) => {
                Door::Tls(self.tls()?.acceptor)
            }
        };
        let encrypted = matches!(door, Door::Tls(_));
        Ok((listener, door, Place { address, encrypted }))
    }

    fn tls(&mut self) -> Result<Tls, StartError> {
        if let Some(tls) = &self.tls {
            return Ok(tls.clone());
        }
        let certificate = match &self.encryption {
            Encryption::Certificate(files) => files.load()?,
            _ => own_certificate(&self.data, &network_addresses())?,
        };
        let presented = Arc::new(Presented::new(certificate));
        let acceptor = acceptor(Arc::clone(&presented))?;
        let tls = Tls {
            presented,
            acceptor,
        };
        Ok(self.tls.insert(tls).clone())
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let problem = |error| StartError::Listen { address, error };
    let listener = listen(address).map_err(problem)?;
    let address = listener.local_addr().map_err(problem)?;
    Ok((listener, address))
}

impl Front {
    /// Listens at one more address.
    ///
    /// # Errors
    /// [`StartError::Listen`], [`StartError::Certificate`].
    pub fn add(&self, address: SocketAddr) -> Result<(), StartError> {
        let bound = lock(&self.makes).bind(address)?;
        self.open(bound);
        Ok(())
    }

    fn open(&self, (listener, door, place): (TcpListener, Door, Place)) {
        self.doors.open(listener, door);
        lock(&self.places).push(place);
    }

    /// Follows the certificate's files while the server runs.
    fn keep_certificate(&self) {
        let makes = lock(&self.makes);
        if let (Encryption::Certificate(files), Some(tls)) = (&makes.encryption, &makes.tls) {
            let now = Arc::clone(&self.reload);
            let kept = keep_current(files.clone(), Arc::clone(&tls.presented), now);
            let stopping = self.stopping.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = kept => {}
                    () = stopping.cancelled() => {}
                }
            });
        }
    }

    /// Takes up the certificate's files at once.
    pub fn reload_certificate(&self) {
        self.reload.notify_one();
    }

    /// By what clients know the server; nothing where it does not encrypt.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let tls = lock(&self.makes).tls.clone();
        tls.map(|tls| tls.presented.fingerprint())
    }

    /// For the programs that belong to the server.
    #[must_use]
    pub fn service_url(&self) -> String {
        format!("http://{}", self.service)
    }

    /// The certificate that is shown; nothing where the server does not encrypt.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        let makes = lock(&self.makes);
        makes.tls.as_ref().map(|tls| tls.presented.current())
    }

    /// Whether the server makes its certificate itself.
    #[must_use]
    pub fn is_certificate_own(&self) -> bool {
        matches!(lock(&self.makes).encryption, Encryption::OwnCertificate)
    }

    /// Whether only proxies are answered, which do the encryption.
    #[must_use]
    pub fn is_behind_proxy(&self) -> bool {
        matches!(lock(&self.makes).encryption, Encryption::Proxy(_))
    }

    /// Waits until everything is closed. Only after `stopping`.
    pub async fn closed(&self) {
        self.doors.closed().await;
    }
}

/// What is locked here stays right when a holder has panicked: nothing in it spans two steps.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
