//! The relay without sockets and clocks: what arrives goes in, what is to be done comes out through [`Host`].
//!
//! ```text
//!  client ──Send, ChannelData──→ allocation ──→ peer outside
//!  client ←──Data, ChannelData── allocation ←── peer outside
//!                                    ↕   (never leaves the relay)
//!                                another allocation
//! ```
//!
//! What goes to a relayed address of this relay is handed over here. So two clients meet whatever lies between them and the
//! relay, address translation included, as soon as both reach its one port; and no socket ever sends to this computer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use turn_types::channel::ChannelData;
use turn_types::stun::message::Message;

use super::address::PeerRules;
use super::allocation::{Allocation, Reach};
use super::auth::Doorkeeper;
use super::message;
use super::quota::{Quotas, RelayLimits};
use crate::ice::TurnSecret;
use crate::rate::{Buckets, Limit};

/// Answers to somebody at one address who has not signed in.
const STRANGERS: Limit = Limit {
    capacity: 100,
    period: Duration::from_millis(50),
};

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For lifetimes.
    pub at: Instant,
    /// Seconds since the epoch, for credentials.
    pub unix: u64,
}

/// Where a client talks to the relay from and at: together they name its allocation (RFC 8656 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The client's address, as the relay sees it.
    pub client: SocketAddr,
    /// The address of the relay that the client has reached.
    pub server: SocketAddr,
}

/// What the relay needs of the computer it runs on.
pub trait Host {
    /// Binds a port of the relay's range.
    ///
    /// # Errors
    /// When there is none left, or the address is not of this computer.
    fn open(&mut self, ip: IpAddr) -> io::Result<SocketAddr>;
    /// Lets go of it.
    fn close(&mut self, bound: SocketAddr);
    /// Sends to a client.
    fn to_client(&mut self, path: Path, packet: &[u8]);
    /// Sends from a relayed address.
    fn to_peer(&mut self, bound: SocketAddr, peer: SocketAddr, payload: &[u8]);
    /// Whether the address is one of this computer's.
    fn is_own(&mut self, ip: IpAddr) -> bool;
    /// The address to bind for a client of this path that wants this family; nothing when there is none.
    fn local_address(&mut self, path: Path, v6: bool) -> Option<IpAddr>;
    /// So many bytes have been passed on.
    fn passed(&mut self, bytes: usize);
}

/// What is decided beforehand.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whom packets may be sent to.
    pub peers: PeerRules,
    /// How much of everything.
    pub limits: RelayLimits,
    /// The address that peers see, where it is not the socket's own: that of the router in front.
    pub public: Option<IpAddr>,
}

/// See the module.
#[derive(Debug)]
pub struct Core {
    pub(super) rules: Rules,
    pub(super) door: Doorkeeper,
    pub(super) quotas: Quotas,
    pub(super) allocations: HashMap<Path, Allocation>,
    /// Whose the relayed addresses are: both as bound and as peers see them.
    pub(super) relayed: HashMap<SocketAddr, Path>,
    strangers: Buckets<IpAddr>,
}

impl Core {
    /// A relay that nobody uses yet.
    #[must_use]
    pub fn new(rules: Rules, secret: TurnSecret) -> Self {
        Self {
            quotas: Quotas::new(rules.limits),
            rules,
            door: Doorkeeper::new(secret),
            allocations: HashMap::new(),
            relayed: HashMap::new(),
            strangers: Buckets::new(STRANGERS),
        }
    }

    /// A packet from a client, or from somebody who is none.
    pub fn client_sends(&mut self, path: Path, packet: &[u8], now: Now, host: &mut impl Host) {
        match packet.first() {
            Some(0x40..=0x4f) => self.channel_sends(path, packet, now, host),
            Some(0x00..=0x3f) => {
                if let Ok(message) = Message::from_bytes(packet) {
                    self.stun(path, &message, now, host);
                }
            }
            Some(_) | None => {}
        }
    }

    fn channel_sends(&mut self, path: Path, packet: &[u8], now: Now, host: &mut impl Host) {
        let Ok(data) = ChannelData::parse(packet) else {
            return;
        };
        let allocation = self.allocations.get(&path);
        let peer = allocation.and_then(|allocation| allocation.peer_of(data.id(), now.at));
        if let Some(peer) = peer {
            self.send(path, peer, data.data(), now, host);
        }
    }

    /// A packet that has arrived at a relayed address.
    pub fn peer_sends(
        &mut self,
        bound: SocketAddr,
        peer: SocketAddr,
        payload: &[u8],
        now: Now,
        host: &mut impl Host,
    ) {
        if let Some(path) = self.relayed.get(&bound).copied() {
            self.deliver(path, peer, payload, now, host);
        }
    }

    /// What a client sends to a peer.
    pub(super) fn send(
        &mut self,
        path: Path,
        peer: SocketAddr,
        payload: &[u8],
        now: Now,
        host: &mut impl Host,
    ) {
        let Some(allocation) = self.allocations.get(&path) else {
            return;
        };
        let Some(reach) = allocation.permitted(peer.ip(), now.at) else {
            return;
        };
        if !self
            .quotas
            .pass(allocation.owner.person(), payload.len(), now.at)
        {
            return;
        }
        host.passed(payload.len());
        let (bound, relayed) = (allocation.bound, allocation.relayed);
        match (self.relayed.get(&peer).copied(), reach) {
            (Some(other), _) => self.deliver(other, relayed, payload, now, host),
            (None, Reach::Outside) => host.to_peer(bound, peer, payload),
            (None, Reach::Within) => {}
        }
    }

    /// What a peer sends to a client: only from addresses that the client has permitted.
    fn deliver(
        &mut self,
        path: Path,
        peer: SocketAddr,
        payload: &[u8],
        now: Now,
        host: &mut impl Host,
    ) {
        let Some(allocation) = self.allocations.get(&path) else {
            return;
        };
        if allocation.permitted(peer.ip(), now.at).is_none() {
            return;
        }
        if !self
            .quotas
            .pass(allocation.owner.person(), payload.len(), now.at)
        {
            return;
        }
        host.passed(payload.len());
        let packet = match allocation.channel_to(peer, now.at) {
            Some(number) => message::channel_data(number, payload),
            None => message::data_indication(peer, payload),
        };
        host.to_client(path, &packet);
    }

    /// Ends what has run out. To be called about once a second.
    pub fn tick(&mut self, now: Now, host: &mut impl Host) {
        let over = |allocation: &Allocation| allocation.until <= now.at;
        self.end_where(over, host);
        self.quotas.tidy(now.at);
        self.door.tidy(now);
    }

    /// Ends what a person has, and takes no credentials any more that they have been given so far.
    pub fn end_person(&mut self, person: &str, now: Now, host: &mut impl Host) {
        self.door.end(person, now);
        self.end_where(|allocation| allocation.owner.person() == person, host);
    }

    fn end_where(&mut self, over: impl Fn(&Allocation) -> bool, host: &mut impl Host) {
        let ending = self
            .allocations
            .iter()
            .filter(|(_, allocation)| over(allocation));
        for path in ending.map(|(path, _)| *path).collect::<Vec<_>>() {
            self.end(path, host);
        }
    }

    /// Ends one allocation and frees its port.
    pub(super) fn end(&mut self, path: Path, host: &mut impl Host) {
        if let Some(allocation) = self.allocations.remove(&path) {
            self.relayed.remove(&allocation.bound);
            self.relayed.remove(&allocation.relayed);
            self.quotas.remove(allocation.owner.person());
            host.close(allocation.bound);
        }
    }

    /// Whether one more answer may go to somebody unknown at this address.
    pub(super) fn may_answer_stranger(&mut self, client: SocketAddr, now: Now) -> bool {
        self.strangers.take(subnet(client.ip()), now.at).is_ok()
    }
}

/// Somebody with IPv6 has a whole /64 of addresses.
fn subnet(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        ip @ IpAddr::V4(_) => ip,
    }
}
