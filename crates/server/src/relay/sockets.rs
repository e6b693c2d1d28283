//! The relay's sockets. One task owns the core and sends; each socket has a task that receives and passes on to it. When the
//! one cannot keep up, packets are dropped, as a network would.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use vireo_protocol::UserId;

use super::core::{Core, Host, Now, Path};
use crate::metrics;

/// Packets that wait for the core at most.
const WAITING: usize = 2_048;

/// Packets that the core takes at a time.
const AT_A_TIME: usize = 64;

/// How much the kernel keeps for the sockets that all clients share.
const KERNEL_BUFFER: usize = 2 * 1024 * 1024;

/// The system may hand over several packets of one sender in a row, up to this length.
const READ_BYTES: usize = 64 * 1024;

/// No peer of a call sends longer packets; those that do are dropped.
const MAX_PEER_PACKET: usize = 2_048;

/// How many ports are tried for an allocation.
const TRIES: u32 = 1_000;

/// What others tell the relay.
#[derive(Debug)]
pub enum Command {
    /// See [`Relay::end_person`](super::Relay::end_person).
    EndPerson(UserId),
}

enum Arrival {
    Client(Path, Vec<u8>),
    Peer {
        bound: SocketAddr,
        peer: SocketAddr,
        payload: Vec<u8>,
    },
}

/// A socket that clients reach, on one address or on all of one kind.
struct Listening {
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
}

/// The sockets that clients reach.
pub struct Sockets(Vec<Arc<Listening>>);

impl Sockets {
    /// Listens; on `::` for IPv4 too, by a socket of its own, so that addresses stay what they are.
    ///
    /// # Errors
    /// When the port is taken, or the address is not of this computer.
    pub fn bind(ip: IpAddr, port: u16) -> io::Result<Self> {
        if ip != IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            return Ok(Self(vec![listen(SocketAddr::new(ip, port))?]));
        }
        let v4 = listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port))?;
        let both = SocketAddr::new(ip, v4.address.port());
        // There are computers without IPv6.
        Ok(Self(
            [Some(v4), listen(both).ok()]
                .into_iter()
                .flatten()
                .collect(),
        ))
    }

    /// Where they listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|listening| listening.address).collect()
    }
}

fn listen(address: SocketAddr) -> io::Result<Arc<Listening>> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The system gives as much of it as it likes.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
    let socket = UdpSocket::from_std(socket.into())?;
    let address = socket.local_addr()?;
    Ok(Arc::new(Listening {
        socket,
        state,
        address,
    }))
}

/// What allocations may be bound to.
pub struct Ports {
    /// The range of ports.
    pub range: RangeInclusive<u16>,
    /// Whether other computers reach the relay.
    pub beyond_loopback: bool,
}

/// Serves until it is told to stop.
pub async fn run(
    mut core: Core,
    sockets: Sockets,
    ports: Ports,
    mut commands: mpsc::UnboundedReceiver<Command>,
    stop: CancellationToken,
) {
    let (arrived, mut arrivals) = mpsc::channel(WAITING);
    for listening in &sockets.0 {
        let receiving = receive(listening.clone(), arrived.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(receiving));
    }
    let mut computer = Computer {
        sockets,
        ports,
        relays: HashMap::new(),
        arrived,
    };
    let mut batch = Vec::with_capacity(AT_A_TIME);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = arrivals.recv_many(&mut batch, AT_A_TIME) => {
                let now = now();
                for arrival in batch.drain(..) {
                    match arrival {
                        Arrival::Client(path, packet) => core.client_sends(path, &packet, now, &mut computer),
                        Arrival::Peer { bound, peer, payload } => core.peer_sends(bound, peer, &payload, now, &mut computer),
                    }
                }
            }
            Some(Command::EndPerson(user)) = commands.recv() => core.end_person(&user.0, now(), &mut computer),
            _ = tick.tick() => core.tick(now(), &mut computer),
            () = stop.cancelled() => return,
        }
    }
}

fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Now {
        at: Instant::now(),
        unix: since.unwrap_or_default().as_secs(),
    }
}

/// Receives from clients until the relay stops.
async fn receive(listening: Arc<Listening>, arrived: mpsc::Sender<Arrival>) {
    let mut bytes = vec![0; READ_BYTES * BATCH_SIZE];
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    loop {
        let received = listening.socket.async_io(Interest::READABLE, || {
            let mut chunks: Vec<_> = bytes.chunks_mut(READ_BYTES).map(IoSliceMut::new).collect();
            listening
                .state
                .recv(UdpSockRef::from(&listening.socket), &mut chunks, &mut metas)
        });
        // An error is about a packet that was sent earlier: its receiver has gone.
        let Ok(count) = received.await else { continue };
        for (chunk, meta) in bytes.chunks(READ_BYTES).zip(&metas).take(count) {
            let server = SocketAddr::new(reached(&listening, meta), listening.address.port());
            let path = Path {
                client: meta.addr,
                server,
            };
            for packet in chunk[..meta.len].chunks(meta.stride.max(1)) {
                let _ = arrived.try_send(Arrival::Client(path, packet.to_vec()));
            }
        }
    }
}

/// The address of this computer by which the packet has come.
fn reached(listening: &Listening, meta: &RecvMeta) -> IpAddr {
    let bound = listening.address.ip();
    match bound.is_unspecified() {
        false => bound,
        true => meta.dst_ip.map_or(bound, |ip| ip.to_canonical()),
    }
}

/// Receives at a relayed address until the allocation ends.
async fn receive_from_peers(
    socket: Arc<UdpSocket>,
    bound: SocketAddr,
    arrived: mpsc::Sender<Arrival>,
) {
    let mut bytes = vec![0; MAX_PEER_PACKET];
    loop {
        if let Ok((length, peer)) = socket.recv_from(&mut bytes).await
            && length < MAX_PEER_PACKET
        {
            let payload = bytes[..length].to_vec();
            let _ = arrived.try_send(Arrival::Peer {
                bound,
                peer,
                payload,
            });
        }
    }
}

struct RelaySocket {
    socket: Arc<UdpSocket>,
    receiving: AbortHandle,
}

impl Drop for RelaySocket {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

/// The computer, as the core sees it.
struct Computer {
    sockets: Sockets,
    ports: Ports,
    relays: HashMap<SocketAddr, RelaySocket>,
    arrived: mpsc::Sender<Arrival>,
}

impl Host for Computer {
    fn open(&mut self, ip: IpAddr) -> io::Result<SocketAddr> {
        let socket = Arc::new(UdpSocket::from_std(bind_in(ip, &self.ports.range)?)?);
        let bound = socket.local_addr()?;
        let receiving = receive_from_peers(socket.clone(), bound, self.arrived.clone());
        let receiving = tokio::spawn(receiving).abort_handle();
        self.relays.insert(bound, RelaySocket { socket, receiving });
        metrics::relay_allocations(self.relays.len());
        Ok(bound)
    }

    fn close(&mut self, bound: SocketAddr) {
        self.relays.remove(&bound);
        metrics::relay_allocations(self.relays.len());
    }

    fn to_client(&mut self, path: Path, packet: &[u8]) {
        let is_v6 = path.client.is_ipv6();
        let Some(listening) = self
            .sockets
            .0
            .iter()
            .find(|it| it.address.is_ipv6() == is_v6)
        else {
            return;
        };
        let from = path.server.ip();
        let transmit = Transmit {
            destination: path.client,
            ecn: None,
            contents: packet,
            segment_size: None,
            src_ip: (!from.is_unspecified()).then_some(from),
        };
        // What the network does not take at once is lost, as it would be further on.
        let _ = listening.socket.try_io(Interest::WRITABLE, || {
            listening
                .state
                .try_send(UdpSockRef::from(&listening.socket), &transmit)
        });
    }

    fn to_peer(&mut self, bound: SocketAddr, peer: SocketAddr, payload: &[u8]) {
        if let Some(relay) = self.relays.get(&bound) {
            let _ = relay.socket.try_send_to(payload, peer);
        }
    }

    fn is_own(&mut self, ip: IpAddr) -> bool {
        // Whatever can be bound to is an address of this computer, also one that it has only had since a moment ago.
        std::net::UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
    }

    fn local_address(&mut self, path: Path, v6: bool) -> Option<IpAddr> {
        let reached =
            Some(path.server.ip()).filter(|ip| ip.is_ipv6() == v6 && !ip.is_unspecified());
        let leads_far = |ip: &IpAddr| !ip.is_loopback() && !is_link_local(*ip);
        reached
            .filter(|ip| leads_far(ip) || !self.ports.beyond_loopback)
            .or_else(|| usual_address(v6).filter(|_| self.ports.beyond_loopback))
            .or(reached)
    }

    fn passed(&mut self, bytes: usize) {
        metrics::relay_passed(bytes);
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// The address by which this computer would send to the internet. Nothing is sent: the system only looks up the route.
fn usual_address(v6: bool) -> Option<IpAddr> {
    let (any, far): (IpAddr, IpAddr) = match v6 {
        false => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        true => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ),
    };
    let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(far, 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
}

/// A free port of the range, from a random one on.
fn bind_in(ip: IpAddr, range: &RangeInclusive<u16>) -> io::Result<std::net::UdpSocket> {
    let (first, size) = (u32::from(*range.start()), range.len() as u32);
    let start = rand::random_range(0..size.max(1));
    for step in 0..size.min(TRIES) {
        let port = u16::try_from(first + (start + step) % size).unwrap_or(*range.end());
        match std::net::UdpSocket::bind(SocketAddr::new(ip, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
            Ok(socket) => {
                socket.set_nonblocking(true)?;
                return Ok(socket);
            }
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}
