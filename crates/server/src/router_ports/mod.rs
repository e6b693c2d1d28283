//! Ports that a home router opens for this server, so that others reach it from outside: asked for by PCP (RFC 6887), NAT-PMP
//! (RFC 6886) or UPnP (Internet Gateway Device), whichever the router knows; kept for as long as the server runs.

mod ask;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use ask::Lease;

/// A port is asked for so long, and again before that has passed: a router that was restarted and has forgotten it is asked
/// again after half of it.
const LEASE: Duration = Duration::from_secs(20 * 60);

/// How long a router may take to answer for one port; it is asked in up to three ways.
const ASK_TIMEOUT: Duration = Duration::from_secs(12);

/// Giving the ports back may take so long.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);

/// A router that opened nothing is asked again after so long: it may have been restarted, or be another one.
const ASK_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Whether to ask a home router to open the ports that others reach the server by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HomeRouter {
    /// It is left alone.
    Leave,
    /// Whichever there is, unless this computer has an address of the internet itself.
    Ask,
    /// The one with this address.
    AskAt(Ipv4Addr),
}

/// Which kind of port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// That people connect to.
    Tcp,
    /// Of the relay.
    Udp,
}

/// A port of this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Which kind.
    pub kind: PortKind,
    /// Its number.
    pub number: u16,
}

/// What the router says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Nothing was asked of it.
    NotAsked,
    /// Nothing yet.
    Asking,
    /// No, or nothing.
    Closed,
    /// Whoever connects to this address of its reaches the port.
    Open(SocketAddr),
}

impl Opened {
    /// The router's address that leads to the port, once it is open.
    #[must_use]
    pub fn outside(self) -> Option<SocketAddr> {
        match self {
            Self::Open(outside) => Some(outside),
            Self::NotAsked | Self::Asking | Self::Closed => None,
        }
    }
}

/// Keeps ports open. When it is dropped they are given back, which nobody waits for; [`RouterPorts::close`] does.
#[derive(Debug)]
pub struct RouterPorts {
    /// In seconds.
    lease: u32,
    kept: Mutex<Vec<Kept>>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Kept {
    port: Port,
    opened: watch::Receiver<Opened>,
    task: JoinHandle<()>,
}

impl Default for RouterPorts {
    fn default() -> Self {
        Self::new(LEASE)
    }
}

impl RouterPorts {
    /// None yet. Each is asked for so long, whole seconds, and again before that has passed.
    #[must_use]
    pub fn new(lease: Duration) -> Self {
        Self {
            lease: u32::try_from(lease.as_secs()).unwrap_or(u32::MAX),
            kept: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Begins to ask for this port, and returns at once. `router` is the router's address, where it is not to be found out.
    /// Needs a tokio runtime.
    pub fn ask_for(&self, port: Port, router: Option<Ipv4Addr>) {
        let mut kept = self.kept();
        if kept.iter().any(|kept| kept.port == port) {
            return;
        }
        let (say, opened) = watch::channel(Opened::Asking);
        let task = tokio::spawn(keep(port, router, self.lease, say, self.stop.clone()));
        kept.push(Kept { port, opened, task });
    }

    /// What the router says of the first port of this kind, once it has answered or has had the time to.
    pub async fn answered(&self, kind: PortKind) -> Opened {
        let Some(mut opened) = self.watch(kind) else {
            return Opened::NotAsked;
        };
        let answered = opened.wait_for(|opened| *opened != Opened::Asking).await;
        answered.map_or(Opened::Closed, |opened| *opened)
    }

    /// What the router has said so far of the first port of this kind.
    #[must_use]
    pub fn opened(&self, kind: PortKind) -> Opened {
        let opened = self.watch(kind);
        opened.map_or(Opened::NotAsked, |opened| *opened.borrow())
    }

    /// To follow what the router says of the first port of this kind; nothing where it was not asked for one.
    #[must_use]
    pub fn watch(&self, kind: PortKind) -> Option<watch::Receiver<Opened>> {
        let kept = self.kept();
        let first = kept.iter().find(|kept| kept.port.kind == kind);
        first.map(|kept| kept.opened.clone())
    }

    /// Gives the ports back.
    pub async fn close(&self) {
        self.stop.cancel();
        let kept: Vec<Kept> = self.kept().drain(..).collect();
        let given_back = async {
            for Kept { task, .. } in kept {
                let _ = task.await;
            }
        };
        let _ = timeout(GIVE_BACK_TIMEOUT, given_back).await;
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RouterPorts {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn keep(
    port: Port,
    router: Option<Ipv4Addr>,
    lease: u32,
    say: watch::Sender<Opened>,
    stop: CancellationToken,
) {
    loop {
        let asked = timeout(ASK_TIMEOUT, ask::open(port, router, lease));
        let lease = tokio::select! {
            lease = asked => lease.ok().flatten(),
            () = stop.cancelled() => return,
        };
        let Some(mut lease) = lease else {
            say.send_replace(Opened::Closed);
            tokio::select! {
                () = sleep(ASK_AGAIN) => continue,
                () = stop.cancelled() => return,
            }
        };
        tracing::info!(kind = ?port.kind, "the router has opened a port");
        if renew_until(&mut lease, &say, &stop).await {
            lease.give_back().await;
            return;
        }
        tracing::warn!(kind = ?port.kind, "the router does not keep a port open any more");
        say.send_replace(Opened::Closed);
    }
}

/// Renews the lease again and again. True when that was to stop; false when the router refuses.
async fn renew_until(
    lease: &mut Lease,
    say: &watch::Sender<Opened>,
    stop: &CancellationToken,
) -> bool {
    loop {
        let opened = Opened::Open(lease.outside());
        say.send_if_modified(|said| std::mem::replace(said, opened) != opened);
        tokio::select! {
            () = sleep(lease.renew_in()) => {}
            () = stop.cancelled() => return true,
        }
        if !matches!(timeout(ASK_TIMEOUT, lease.renew()).await, Ok(true)) {
            return false;
        }
    }
}
