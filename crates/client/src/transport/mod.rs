//! The way to a server: its address, the connection, and who must answer there.

mod http;
mod trust;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, io};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};
use vireo_protocol::ServerAddress;

use crate::{ClientError, ServerTrust};

pub(crate) use http::{Answer, Content};

/// How to get to one server.
#[derive(Clone)]
pub(crate) struct Transport {
    /// Its path ends in a slash, so that paths below it can be joined.
    base: Url,
    /// None for a server on this computer that does not encrypt.
    tls: Option<Tls>,
}

#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
    pinned: bool,
}

/// A connection to a server.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport { .. }") // An address does not belong into a log.
    }
}

impl Transport {
    /// The way to the server with this address: `https://host:7450#sha256=FINGERPRINT`, see [`ServerAddress`].
    ///
    /// # Errors
    /// [`ClientError::InvalidServer`].
    pub fn to(server: &str) -> Result<Self, ClientError> {
        let invalid = || ClientError::InvalidServer(server.to_owned());
        let address: ServerAddress = server.parse().map_err(|_| invalid())?;
        let mut base = Url::parse(&address.url).map_err(|_| invalid())?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let tls = match base.scheme() {
            "https" => Some(Tls {
                connector: trust::connector(address.fingerprint)?,
                name: server_name(&base).ok_or_else(invalid)?,
                pinned: address.fingerprint.is_some(),
            }),
            _ => None,
        };
        Ok(Self { base, tls })
    }

    /// The address of something on the server.
    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).expect("a path is a valid reference")
    }

    /// How it is known that the right server answers, once one does.
    pub fn trust(&self) -> ServerTrust {
        match &self.tls {
            None => ServerTrust::Unencrypted,
            Some(tls) if tls.pinned => ServerTrust::Invitation,
            Some(_) => ServerTrust::Authority,
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::ServerUnreachable`]; [`ClientError::WrongServer`] and [`ClientError::UntrustedServer`] when somebody
    /// else answers.
    pub async fn connect(&self) -> Result<Stream, ClientError> {
        let port = self.base.port_or_known_default();
        let port = port.ok_or(ClientError::ServerUnreachable)?;
        let connected = match self.base.host() {
            Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
            Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
            Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
            None => return Err(ClientError::ServerUnreachable),
        };
        let tcp = connected.map_err(|_| ClientError::ServerUnreachable)?;
        // Call messages are small and waited for: they must not be held back to be sent together.
        let _ = tcp.set_nodelay(true);
        match &self.tls {
            None => Ok(Stream::Plain(tcp)),
            Some(Tls {
                connector,
                name,
                pinned,
            }) => {
                let stream = connector.connect(name.clone(), tcp).await;
                let stream = stream.map_err(|error| trust::refusal(&error, *pinned))?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    Some(match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok()?,
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::V4(address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::V6(address)),
    })
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, data),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        let url = |text| Transport::to(text).map(|way| way.url("api/ws").to_string());
        let pinned = "https://[::1]:1#sha256=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for (text, expected) in [
            ("http://127.0.0.1:7777", "http://127.0.0.1:7777/api/ws"),
            (" https://host/vireo ", "https://host/vireo/api/ws"),
            (pinned, "https://[::1]:1/api/ws"),
        ] {
            assert_eq!(url(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "127.0.0.1:7777",
            "ftp://host",
            "http://",
            "no address",
            "https://host#x",
        ] {
            let expected = Err(ClientError::InvalidServer(wrong.to_owned()));
            assert_eq!(url(wrong), expected, "{wrong}");
        }
    }
}
