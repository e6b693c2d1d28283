//! One allocation: an address on the relay that a client has, and whom it may be heard from at it (RFC 8656 §3).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use turn_types::stun::message::TransactionId;

use super::auth::Sender;

/// How long a permission lasts (RFC 8656 §9).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// How long a channel lasts (RFC 8656 §12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Where what is sent to an address may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Out of the relay's socket.
    Outside,
    /// To another relayed address of this relay, and nowhere else.
    Within,
}

#[derive(Debug, Clone, Copy)]
struct Permission {
    until: Instant,
    reach: Reach,
}

#[derive(Debug, Clone, Copy)]
struct Channel {
    peer: SocketAddr,
    until: Instant,
}

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// Why a channel was not bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelError {
    /// The number or the peer belongs to another channel.
    Taken,
    /// There are as many as there may be.
    TooMany,
}

/// See the module.
#[derive(Debug)]
pub struct Allocation {
    /// Who has it.
    pub owner: Sender,
    /// The request that made it, which may come again when its answer got lost.
    pub made_by: TransactionId,
    /// The address of the socket.
    pub bound: SocketAddr,
    /// The same as peers see it.
    pub relayed: SocketAddr,
    /// It ends then, unless it is refreshed.
    pub until: Instant,
    permissions: HashMap<IpAddr, Permission>,
    channels: HashMap<u16, Channel>,
    numbers: HashMap<SocketAddr, u16>,
}

impl Allocation {
    /// Without permissions.
    #[must_use]
    pub fn new(
        owner: Sender,
        made_by: TransactionId,
        bound: SocketAddr,
        relayed: SocketAddr,
        until: Instant,
    ) -> Self {
        Self {
            owner,
            made_by,
            bound,
            relayed,
            until,
            permissions: HashMap::new(),
            channels: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Permits an address, or permits it anew.
    ///
    /// # Errors
    /// When there were more than `most`.
    pub fn permit(
        &mut self,
        ip: IpAddr,
        reach: Reach,
        most: usize,
        now: Instant,
    ) -> Result<(), TooMany> {
        self.tidy(now);
        if !self.permissions.contains_key(&ip) && self.permissions.len() >= most {
            return Err(TooMany);
        }
        let until = now + PERMISSION_LIFETIME;
        self.permissions.insert(ip, Permission { until, reach });
        Ok(())
    }

    /// Whether the address is permitted, and how far what is sent to it may go.
    #[must_use]
    pub fn permitted(&self, ip: IpAddr, now: Instant) -> Option<Reach> {
        let permission = self.permissions.get(&ip)?;
        (permission.until > now).then_some(permission.reach)
    }

    /// Whether a channel could be bound.
    ///
    /// # Errors
    /// Why not.
    pub fn may_bind(
        &mut self,
        number: u16,
        peer: SocketAddr,
        most: usize,
        now: Instant,
    ) -> Result<(), ChannelError> {
        self.tidy(now);
        match (self.channels.get(&number), self.numbers.get(&peer)) {
            (Some(channel), Some(known)) if channel.peer == peer && *known == number => Ok(()),
            (None, None) if self.channels.len() >= most => Err(ChannelError::TooMany),
            (None, None) => Ok(()),
            (Some(_), _) | (_, Some(_)) => Err(ChannelError::Taken),
        }
    }

    /// Binds a channel that may be bound, or keeps it for longer.
    pub fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) {
        let until = now + CHANNEL_LIFETIME;
        self.channels.insert(number, Channel { peer, until });
        self.numbers.insert(peer, number);
    }

    /// The peer that a channel leads to.
    #[must_use]
    pub fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        let channel = self.channels.get(&number)?;
        (channel.until > now).then_some(channel.peer)
    }

    /// The channel that leads to a peer.
    #[must_use]
    pub fn channel_to(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        self.peer_of(number, now).map(|_| number)
    }

    /// Forgets what has run out.
    fn tidy(&mut self, now: Instant) {
        self.permissions
            .retain(|_, permission| permission.until > now);
        self.channels.retain(|_, channel| channel.until > now);
        let channels = &self.channels;
        self.numbers
            .retain(|_, number| channels.contains_key(number));
    }
}
