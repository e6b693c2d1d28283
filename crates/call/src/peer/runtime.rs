//! The asynchronous runtime under the connection: tokio's, with additions of ours. A sleeping connection can be woken by
//! whoever has something to send, and its end is told. Packets are kept from crossing between loopback and the network, an
//! arriving DTLS alert is noticed, a handshake whose packets get lost goes on, and what goes through a relay gets the rounds that
//! it needs.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use rtc::{
    stun::message::{Getter, Message},
    turn::proto::peeraddr::PeerAddress,
};
use tokio::sync::Notify;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

use super::handshake::{Datagram, Handshake};

/// First byte of a DTLS record (RFC 7983), and of one that carries an alert (RFC 6347).
const DTLS: RangeInclusive<u8> = 20..=63;
const DTLS_ALERT: u8 = 21;

/// First byte of what a TURN server passes on (RFC 8656), and the length of the header before it.
const CHANNEL_DATA: RangeInclusive<u8> = 64..=79;
const CHANNEL_DATA_HEADER: usize = 4;

/// How a request to a TURN server begins that asks it to let somebody's packets through (RFC 8656).
const CREATE_PERMISSION: [u8; 2] = [0x00, 0x08];

/// A packet that goes through a relay is unwrapped, understood and answered, and the answer wrapped, each in another round of
/// the connection's task. Without these rounds it would lie there until something else happens.
const RELAY_ROUNDS: u8 = 2;

/// Wakes a connection's task. The task sleeps until the next deadline it knows of; a picture that an encoder thread has
/// just handed over is not among those.
#[derive(Debug, Default)]
pub(super) struct Wake {
    work: Notify,
    closing: AtomicBool,
    alert: AtomicBool,
    alert_handled: Notify,
    /// Packets may go through a relay.
    relay: AtomicBool,
    /// So many rounds the task has yet to make before it may sleep.
    rounds: AtomicU8,
    handshake: Mutex<Handshake>,
    sockets: Mutex<Vec<Weak<ConnectionSocket>>>,
}

impl Wake {
    /// Lets the connection's task look for work at once.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// From now on sleeps last as long as they were asked to: closing waits for the task in that way.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Whether packets may go through a relay of ours from now on.
    pub fn set_relay(&self, relay: bool) {
        self.relay.store(relay, Ordering::Release);
    }

    fn handshake(&self) -> MutexGuard<'_, Handshake> {
        self.handshake
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection sends from this socket, too.
    fn know(&self, socket: &Arc<ConnectionSocket>) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.push(Arc::downgrade(socket));
    }

    /// Sends what of the handshake may have got lost. From the connection's task, since a socket wakes the one that sent last.
    fn repeat_handshake(&self, cx: &mut Context<'_>) {
        let now = Instant::now();
        if self.handshake().due().is_none_or(|due| due > now) {
            return;
        }
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| match socket.upgrade() {
            Some(socket) => {
                let due = self.handshake().take_due(socket.address, now);
                due.iter().for_each(|datagram| socket.repeat(cx, datagram));
                true
            }
            None => false,
        });
    }

    /// There is something to do.
    fn worked(&self) {
        if self.relay.load(Ordering::Acquire) {
            self.rounds.store(RELAY_ROUNDS, Ordering::Release);
        }
    }

    /// Whether the task has to make another round at once.
    fn takes_a_round(&self) -> bool {
        let left = |rounds: u8| rounds.checked_sub(1);
        self.rounds
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, left)
            .is_ok()
    }

    /// Waits until an alert has arrived and has been handled.
    pub async fn alert_handled(&self) {
        self.alert_handled.notified().await;
    }
}

/// Tells when the connection's task is over, whether it was closed, failed or panicked: it is dropped then.
#[derive(Debug, Default)]
struct EndGuard {
    ended: Arc<Notify>,
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.ended.notify_one();
    }
}

/// tokio's runtime with the additions. One for each connection.
#[derive(Debug)]
pub(super) struct ConnectionRuntime {
    tokio: TokioRuntime,
    wake: Arc<Wake>,
    ended: Arc<Notify>,
    /// For the first task, which is the connection's own.
    guard: Mutex<Option<EndGuard>>,
    #[cfg(test)]
    pub loss: Option<Arc<super::tests::Loss>>,
}

impl ConnectionRuntime {
    pub fn new(wake: Arc<Wake>) -> Self {
        let guard = EndGuard::default();
        Self {
            tokio: TokioRuntime,
            wake,
            ended: guard.ended.clone(),
            guard: Mutex::new(Some(guard)),
            #[cfg(test)]
            loss: None,
        }
    }

    /// Told when the connection's task is over.
    pub fn ended(&self) -> Arc<Notify> {
        self.ended.clone()
    }
}

impl Runtime for ConnectionRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.take() {
            Some(guard) => self.tokio.spawn(Box::pin(async move {
                let _guard = guard;
                future.await;
            })),
            None => self.tokio.spawn(future),
        }
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let address = socket.local_addr()?;
        let socket = Arc::new(ConnectionSocket {
            socket: self.tokio.wrap_udp_socket(socket)?,
            address,
            pause: AtomicBool::new(false),
            wake: self.wake.clone(),
            #[cfg(test)]
            loss: self.loss.clone(),
        });
        self.wake.know(&socket);
        Ok(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.tokio.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.tokio.connect_tcp(remote_addr)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        // Names have been looked up by now, and of an IPv6 address the brackets are missing here.
        match address(host) {
            Some(address) => Box::pin(std::future::ready(Ok(vec![address]))),
            None => self.tokio.resolve_host(host),
        }
    }

    /// The connection's task sleeps here whenever it has handled everything that has come in.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        if self.wake.takes_a_round() {
            return Box::pin(std::future::ready(()));
        }
        if self.wake.alert.swap(false, Ordering::AcqRel) {
            self.wake.alert_handled.notify_one();
        }
        let due = self.wake.handshake().due();
        let due = due.map(|due| due.saturating_duration_since(Instant::now()));
        let duration = due.map_or(duration, |due| due.min(duration));
        let wake = self.wake.clone();
        Box::pin(async move {
            if wake.closing.load(Ordering::Acquire) {
                return tokio::time::sleep(duration).await;
            }
            tokio::select! {
                biased;
                () = wake.work.notified() => {}
                () = tokio::time::sleep(duration) => {}
            }
            wake.worked();
            poll_fn(|cx| {
                wake.repeat_handshake(cx);
                Poll::Ready(())
            })
            .await;
        })
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        "tokio, wakeable"
    }
}

#[derive(Debug)]
struct ConnectionSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    address: SocketAddr,
    /// The next packet waits until the connection's task has finished with the one before.
    pause: AtomicBool,
    wake: Arc<Wake>,
    #[cfg(test)]
    loss: Option<Arc<super::tests::Loss>>,
}

impl ConnectionSocket {
    /// Connectivity checks are tried between all pairs of addresses. Between loopback and anything else no packet can get
    /// through, and the system answers the attempt with an error.
    fn reaches(&self, destination: IpAddr) -> bool {
        destination.is_loopback() == self.address.ip().is_loopback()
    }

    /// Sends it once more. What there is no room for now leaves with the next repetition.
    fn repeat(&self, cx: &mut Context<'_>, datagram: &Datagram) {
        let transmit = Transmit {
            destination: datagram.to,
            ecn: None,
            contents: &datagram.contents,
            segment_size: datagram.segment_size,
            src_ip: None,
        };
        let _ = self.transmit(cx, &transmit);
    }

    fn transmit(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        #[cfg(test)]
        if self
            .loss
            .as_ref()
            .is_some_and(|loss| loss.drops(transmit.contents))
        {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        self.socket.poll_send(cx, transmit)
    }
}

impl AsyncUdpSocket for ConnectionSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if !self.reaches(transmit.destination.ip()) || is_about_loopback(transmit.contents) {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        let outcome = self.transmit(cx, transmit);
        if outcome.is_ready() {
            self.wake
                .handshake()
                .sent(kind(transmit.contents), Instant::now(), || Datagram {
                    from: self.address,
                    to: transmit.destination,
                    contents: transmit.contents.to_vec(),
                    segment_size: transmit.segment_size,
                });
        }
        match outcome {
            // An address that cannot be reached now (a network just left, an ICMP answer to an earlier packet) is a lost
            // packet. Connectivity checks find out whether the path is gone for good.
            Poll::Ready(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                Poll::Ready(Ok(transmit.contents.len()))
            }
            other => other,
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        #[cfg(test)]
        if let Some(loss) = &self.loss {
            assert!(!loss.is_broken(), "the test wants the task to end");
        }
        if self.pause.swap(false, Ordering::AcqRel) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let received = self.socket.poll_recv(cx, buffers, meta);
        if let Poll::Ready(Ok(count)) = received {
            self.wake.worked();
            for (buffer, meta) in buffers.iter().zip(meta.iter()).take(count) {
                let kind = kind(&buffer[..meta.len]);
                if kind.is_some_and(|kind| DTLS.contains(&kind)) {
                    self.wake.handshake().received(kind, Instant::now());
                    // The keys that the handshake's last message brings are put to use only after a burst of packets has been
                    // taken in; media that follows at the message's heels, in the same burst, would be thrown away.
                    self.pause.store(true, Ordering::Release);
                    if kind == Some(DTLS_ALERT) {
                        self.wake.alert.store(true, Ordering::Release);
                    }
                }
            }
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        #[cfg(test)]
        if self.loss.is_some() {
            return 1;
        }
        self.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}

/// The first byte of a packet, which says what it is (RFC 7983), also where a relay has wrapped it.
fn kind(packet: &[u8]) -> Option<u8> {
    match packet.first() {
        Some(first) if CHANNEL_DATA.contains(first) => packet.get(CHANNEL_DATA_HEADER).copied(),
        first => first.copied(),
    }
}

/// Whether it asks a TURN server to pass on what comes from a loopback address, such as another computer's candidates hold. A
/// server refuses that, and it would be asked again with every connectivity check.
fn is_about_loopback(packet: &[u8]) -> bool {
    let mut message = Message::new();
    let mut peer = PeerAddress::default();
    packet.starts_with(&CREATE_PERMISSION)
        && message.write(packet).is_ok()
        && peer.get_from(&message).is_ok()
        && peer.ip.is_loopback()
}

/// Reads `address:port`, the address without brackets.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.rsplit_once(':')?;
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_brackets() {
        let read = |text| address(text).map(|address| address.to_string());
        assert_eq!(read("192.0.2.1:80").as_deref(), Some("192.0.2.1:80"));
        assert_eq!(read("2001:db8::1:80").as_deref(), Some("[2001:db8::1]:80"));
        assert_eq!(read("turn.example.org:80"), None);
        assert_eq!(read("192.0.2.1"), None);
    }

    #[test]
    fn a_packet_is_known_also_inside_a_channel() {
        assert_eq!(kind(&[]), None);
        assert_eq!(kind(&[DTLS_ALERT, 1, 2]), Some(DTLS_ALERT));
        assert_eq!(kind(&[0x40, 0, 0, 3, DTLS_ALERT, 1, 2]), Some(DTLS_ALERT));
        assert_eq!(kind(&[0x40, 0, 0, 0]), None);
        assert_eq!(kind(&[0x80, 96]), Some(0x80));
    }

    #[test]
    fn no_relay_is_asked_to_reach_a_loopback_address() {
        use rtc::stun::message::{CLASS_REQUEST, METHOD_CREATE_PERMISSION, MessageType};
        let asks = |ip: &str| {
            let mut message = Message::new();
            let ip = ip.parse().expect("an address");
            let kind = MessageType::new(METHOD_CREATE_PERMISSION, CLASS_REQUEST);
            message
                .build(&[Box::new(kind), Box::new(PeerAddress { ip, port: 9 })])
                .expect("a message");
            is_about_loopback(&message.raw)
        };
        assert!(asks("127.0.0.1") && asks("::1"));
        assert!(!asks("192.0.2.1") && !asks("2001:db8::1"));
        assert!(!is_about_loopback(&CREATE_PERMISSION) && !is_about_loopback(&[]));
    }

    #[test]
    fn a_round_more_only_where_there_is_a_relay() {
        let wake = Wake::default();
        wake.worked();
        assert!(!wake.takes_a_round());
        wake.set_relay(true);
        wake.worked();
        let rounds = std::iter::repeat_with(|| wake.takes_a_round());
        assert_eq!(rounds.take_while(|more| *more).count(), 2);
    }
}
