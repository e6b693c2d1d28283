//! Listening on an address.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// So many connections may wait to be accepted: a server that comes back finds all its clients at once.
const BACKLOG: i32 = 4096;

/// Listens on this address. `[::]` means every address of the computer, those of IPv4 too; where there is no IPv6 at all,
/// `0.0.0.0`, which is then the same.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let everywhere = address.is_ipv6() && address.ip().is_unspecified();
    match bind(address) {
        Err(error) if everywhere && error.kind() != io::ErrorKind::AddrInUse => {
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into()).map_err(|_| error)
        }
        bound => bound,
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // On Windows this would let two programs share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn everywhere_is_ipv4_too() {
        let listener = listen((Ipv6Addr::UNSPECIFIED, 0).into()).expect("listening");
        let port = listener.local_addr().expect("an address").port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        client.expect("connected by IPv4");
        let twice = listen((Ipv6Addr::UNSPECIFIED, port).into());
        assert_eq!(twice.expect_err("taken").kind(), io::ErrorKind::AddrInUse);
    }
}
