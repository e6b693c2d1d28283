//! The asynchronous runtime under the connection: tokio's, with three additions of ours. A sleeping connection can be woken
//! by whoever has something to send, packets are kept from crossing between loopback and the network, and an arriving
//! DTLS alert is noticed.

use std::{
    future::Future,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::Notify;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// First byte of a DTLS record (RFC 7983), and of one that carries an alert (RFC 6347).
const DTLS: RangeInclusive<u8> = 20..=63;
const DTLS_ALERT: u8 = 21;

/// Wakes a connection's task. The task sleeps until the next deadline it knows of; a picture that an encoder thread has
/// just handed over is not among those.
#[derive(Debug, Default)]
pub(super) struct Wake {
    work: Notify,
    closing: AtomicBool,
    alert: AtomicBool,
    alert_handled: Notify,
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

    /// Waits until an alert has arrived and has been handled.
    pub async fn alert_handled(&self) {
        self.alert_handled.notified().await;
    }
}

/// tokio's runtime with the additions. One for each connection.
#[derive(Debug)]
pub(super) struct ConnectionRuntime {
    tokio: TokioRuntime,
    wake: Arc<Wake>,
    #[cfg(test)]
    pub loss: Option<Arc<super::tests::Loss>>,
}

impl ConnectionRuntime {
    pub fn new(wake: Arc<Wake>) -> Self {
        Self {
            tokio: TokioRuntime,
            wake,
            #[cfg(test)]
            loss: None,
        }
    }
}

impl Runtime for ConnectionRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let loopback = socket.local_addr()?.ip().is_loopback();
        Ok(Arc::new(ConnectionSocket {
            socket: self.tokio.wrap_udp_socket(socket)?,
            loopback,
            pause: AtomicBool::new(false),
            wake: self.wake.clone(),
            #[cfg(test)]
            loss: self.loss.clone(),
        }))
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
        self.tokio.resolve_host(host)
    }

    /// The connection's task sleeps here whenever it has handled everything that has come in.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        if self.wake.alert.swap(false, Ordering::AcqRel) {
            self.wake.alert_handled.notify_one();
        }
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
    loopback: bool,
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
        destination.is_loopback() == self.loopback
    }
}

impl AsyncUdpSocket for ConnectionSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if !self.reaches(transmit.destination.ip()) {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        #[cfg(test)]
        if self
            .loss
            .as_ref()
            .is_some_and(|loss| loss.drops(transmit.contents))
        {
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        match self.socket.poll_send(cx, transmit) {
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
        if self.pause.swap(false, Ordering::AcqRel) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let received = self.socket.poll_recv(cx, buffers, meta);
        if let Poll::Ready(Ok(count)) = received {
            for (buffer, meta) in buffers.iter().zip(meta.iter()).take(count) {
                if meta.len > 0 && DTLS.contains(&buffer[0]) {
                    // The keys that the handshake's last message brings are put to use only after a burst of packets has been
                    // taken in; media that follows at the message's heels, in the same burst, would be thrown away.
                    self.pause.store(true, Ordering::Release);
                    if buffer[0] == DTLS_ALERT {
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
