//! What each request to the relay does (RFC 8489 §6.3, RFC 8656 §7 to §12).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use turn_types::AddressFamily;
use turn_types::attribute::{
    ChannelNumber, Data, Lifetime, RequestedAddressFamily, RequestedTransport, XorPeerAddress,
};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND};
use turn_types::stun::attribute::{AttributeType, ErrorCode, Nonce, Realm, Username};
use turn_types::stun::attribute::{Fingerprint, MessageIntegrity};
use turn_types::stun::message::{BINDING, Message, MessageClass};
use turn_types::stun::prelude::{Attribute as _, AttributeFromRaw, AttributeStaticType};

use super::allocation::{Allocation, ChannelError, Reach, TooMany};
use super::auth::{Doubt, Sender};
use super::core::{Core, Host, Now, Path};
use super::message;
use super::quota::Full;

/// What an allocation lasts when the client names no time, and the least and most it lasts (RFC 8656 §3.2, §7.2).
const LIFETIME: Duration = Duration::from_secs(600);
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// Channel numbers that a client may bind (RFC 8656 §12).
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4fff;

/// The number of UDP among IP's protocols.
pub(super) const UDP: u8 = 17;

/// Attributes that are understood, out of those that must be.
const UNDERSTOOD: [AttributeType; 11] = [
    Username::TYPE,
    MessageIntegrity::TYPE,
    Realm::TYPE,
    Nonce::TYPE,
    Fingerprint::TYPE,
    ChannelNumber::TYPE,
    Lifetime::TYPE,
    XorPeerAddress::TYPE,
    Data::TYPE,
    RequestedAddressFamily::TYPE,
    RequestedTransport::TYPE,
];

/// A request's outcome: the answer, or the code of the refusal.
type Outcome = Result<Vec<u8>, u16>;

impl Core {
    /// A STUN message from a client.
    pub(super) fn stun(
        &mut self,
        path: Path,
        message: &Message<'_>,
        now: Now,
        host: &mut impl Host,
    ) {
        match message.class() {
            MessageClass::Request => {
                if let Some(answer) = self.request(path, message, now, host) {
                    host.to_client(path, &answer);
                }
            }
            MessageClass::Indication if message.method() == SEND => {
                let peer = message.attribute::<XorPeerAddress>();
                let data = message.attribute::<Data<'_>>();
                if let (Ok(peer), Ok(data)) = (peer, data)
                    && unknown_attributes(message).is_empty()
                {
                    let peer = peer.addr(message.transaction_id());
                    self.send(path, peer, data.data(), now, host);
                }
            }
            _ => {}
        }
    }

    fn request(
        &mut self,
        path: Path,
        request: &Message<'_>,
        now: Now,
        host: &mut impl Host,
    ) -> Option<Vec<u8>> {
        if request.method() == BINDING {
            let answer = || message::binding(request, path.client);
            return self.may_answer_stranger(path.client, now).then(answer);
        }
        let sender = match self.door.sender(request, path.client, now) {
            Ok(sender) => sender,
            Err(doubt) => {
                let known = self.may_answer_stranger(path.client, now);
                return known.then(|| self.ask(doubt, path, request, now));
            }
        };
        let unknown = unknown_attributes(request);
        if !unknown.is_empty() {
            return Some(message::not_understood(request, &unknown));
        }
        let key = sender.key.clone();
        let outcome = match request.method() {
            ALLOCATE => self.allocate(path, request, sender, now, host),
            REFRESH => self.refresh(path, request, &sender, now, host),
            CREATE_PERMISSION => self.permit(path, request, &sender, now, host),
            CHANNEL_BIND => self.bind_channel(path, request, &sender, now, host),
            _ => Err(ErrorCode::BAD_REQUEST),
        };
        Some(outcome.unwrap_or_else(|code| message::refused(request, &key, code)))
    }

    fn ask(&self, doubt: Doubt, path: Path, request: &Message<'_>, now: Now) -> Vec<u8> {
        let challenge =
            |code| message::challenge(request, code, &self.door.nonce(path.client, now));
        match doubt {
            Doubt::Incomplete => message::rejected(request, ErrorCode::BAD_REQUEST),
            Doubt::Unknown => challenge(ErrorCode::UNAUTHORIZED),
            Doubt::StaleNonce => challenge(ErrorCode::STALE_NONCE),
        }
    }

    fn allocate(
        &mut self,
        path: Path,
        request: &Message<'_>,
        sender: Sender,
        now: Now,
        host: &mut impl Host,
    ) -> Outcome {
        if let Some(allocation) = self.allocations.get(&path) {
            let again = allocation.made_by == request.transaction_id()
                && allocation.owner.username == sender.username;
            let left = allocation.until.saturating_duration_since(now.at);
            let answer = || {
                message::allocated(
                    request,
                    &sender.key,
                    allocation.relayed,
                    path.client,
                    seconds(left),
                )
            };
            return again.then(answer).ok_or(ErrorCode::ALLOCATION_MISMATCH);
        }
        match request.attribute::<RequestedTransport>() {
            Ok(transport) if transport.protocol() == UDP => {}
            Ok(_) => return Err(ErrorCode::UNSUPPORTED_TRANSPORT_PROTOCOL),
            Err(_) => return Err(ErrorCode::BAD_REQUEST),
        }
        let ip = self.address_to_bind(path, request, host)?;
        let lifetime = lifetime(request, &sender, now);
        self.quotas
            .add(sender.person(), now.at)
            .map_err(|full| match full {
                Full::Person => ErrorCode::ALLOCATION_QUOTA_REACHED,
                Full::Everybody => ErrorCode::INSUFFICIENT_CAPACITY,
            })?;
        let Ok(bound) = host.open(ip) else {
            self.quotas.remove(sender.person());
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        };
        let public = self
            .rules
            .public
            .filter(|public| public.is_ipv4() == bound.is_ipv4());
        let relayed = SocketAddr::new(public.unwrap_or(bound.ip()), bound.port());
        let answer = message::allocated(
            request,
            &sender.key,
            relayed,
            path.client,
            seconds(lifetime),
        );
        let until = now.at + lifetime;
        let allocation = Allocation::new(sender, request.transaction_id(), bound, relayed, until);
        self.allocations.insert(path, allocation);
        self.relayed.insert(bound, path);
        self.relayed.insert(relayed, path);
        Ok(answer)
    }

    /// IPv4 unless something else is asked for (RFC 8656 §7.2), or there is none.
    fn address_to_bind(
        &mut self,
        path: Path,
        request: &Message<'_>,
        host: &mut impl Host,
    ) -> Result<IpAddr, u16> {
        let none = ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED;
        let asked: Option<RequestedAddressFamily> = asked(request, RequestedAddressFamily::TYPE)?;
        match asked {
            Some(asked) => {
                let v6 = asked.family() == AddressFamily::IPV6;
                host.local_address(path, v6).ok_or(none)
            }
            None => {
                let v4 = host.local_address(path, false);
                v4.or_else(|| host.local_address(path, true)).ok_or(none)
            }
        }
    }

    fn refresh(
        &mut self,
        path: Path,
        request: &Message<'_>,
        sender: &Sender,
        now: Now,
        host: &mut impl Host,
    ) -> Outcome {
        let asked: Option<RequestedAddressFamily> = asked(request, RequestedAddressFamily::TYPE)?;
        let allocation = self.allocation_of(path, sender)?;
        let is_v6 = allocation.relayed.is_ipv6();
        if asked.is_some_and(|asked| (asked.family() == AddressFamily::IPV6) != is_v6) {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        if request
            .attribute::<Lifetime>()
            .is_ok_and(|asked| asked.seconds() == 0)
        {
            self.end(path, host);
            return Ok(message::refreshed(request, &sender.key, 0));
        }
        let lifetime = lifetime(request, sender, now);
        allocation.until = now.at + lifetime;
        Ok(message::refreshed(request, &sender.key, seconds(lifetime)))
    }

    fn permit(
        &mut self,
        path: Path,
        request: &Message<'_>,
        sender: &Sender,
        now: Now,
        host: &mut impl Host,
    ) -> Outcome {
        let mut wanted = Vec::new();
        for (_, attribute) in request.iter_attributes() {
            if attribute.get_type() == XorPeerAddress::TYPE {
                let peer =
                    XorPeerAddress::from_raw_ref(&attribute).map_err(|_| ErrorCode::BAD_REQUEST)?;
                wanted.push(peer.addr(request.transaction_id()));
            }
        }
        if wanted.is_empty() {
            return Err(ErrorCode::BAD_REQUEST);
        }
        // Either all of them or none.
        let mut judged = Vec::new();
        for peer in wanted {
            judged.push((peer.ip(), self.judge(path, sender, peer, host)?));
        }
        let most = self.rules.limits.permissions;
        let allocation = self.allocation_of(path, sender)?;
        for (ip, reach) in judged {
            let permitted = allocation.permit(ip, reach, most, now.at);
            permitted.map_err(|TooMany| ErrorCode::INSUFFICIENT_CAPACITY)?;
        }
        Ok(message::granted(request, &sender.key))
    }

    fn bind_channel(
        &mut self,
        path: Path,
        request: &Message<'_>,
        sender: &Sender,
        now: Now,
        host: &mut impl Host,
    ) -> Outcome {
        let bad = |_| ErrorCode::BAD_REQUEST;
        let number = request.attribute::<ChannelNumber>().map_err(bad)?.channel();
        let peer = request.attribute::<XorPeerAddress>().map_err(bad)?;
        let peer = peer.addr(request.transaction_id());
        if !CHANNELS.contains(&number) {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let reach = self.judge(path, sender, peer, host)?;
        let limits = self.rules.limits;
        let allocation = self.allocation_of(path, sender)?;
        let bindable = allocation.may_bind(number, peer, limits.channels, now.at);
        bindable.map_err(|error| match error {
            ChannelError::Taken => ErrorCode::BAD_REQUEST,
            ChannelError::TooMany => ErrorCode::INSUFFICIENT_CAPACITY,
        })?;
        let permitted = allocation.permit(peer.ip(), reach, limits.permissions, now.at);
        permitted.map_err(|TooMany| ErrorCode::INSUFFICIENT_CAPACITY)?;
        allocation.bind(number, peer, now.at);
        Ok(message::granted(request, &sender.key))
    }

    /// The allocation of this path, when it is the sender's.
    fn allocation_of(&mut self, path: Path, sender: &Sender) -> Result<&mut Allocation, u16> {
        match self.allocations.get_mut(&path) {
            None => Err(ErrorCode::ALLOCATION_MISMATCH),
            Some(allocation) if allocation.owner.username != sender.username => {
                Err(ErrorCode::WRONG_CREDENTIALS)
            }
            Some(allocation) => Ok(allocation),
        }
    }

    /// Whether this peer may be sent to, and how far. An address of this computer's, or one that is refused, is still good for
    /// reaching the relayed addresses that are there, which needs no packet to leave.
    fn judge(
        &mut self,
        path: Path,
        sender: &Sender,
        peer: SocketAddr,
        host: &mut impl Host,
    ) -> Result<Reach, u16> {
        let is_v6 = self.allocation_of(path, sender)?.relayed.is_ipv6();
        let ip = peer.ip();
        if ip.is_ipv6() != is_v6 {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        let own = Some(ip.to_canonical()) == self.rules.public || host.is_own(ip.to_canonical());
        if self.rules.peers.allow(ip) && !own {
            return Ok(Reach::Outside);
        }
        match self.relayed.keys().any(|relayed| relayed.ip() == ip) {
            true => Ok(Reach::Within),
            false => Err(ErrorCode::FORBIDDEN),
        }
    }
}

/// The attribute if there is one; one that is malformed is a bad request.
fn asked<'a, A>(request: &'a Message<'_>, kind: AttributeType) -> Result<Option<A>, u16>
where
    A: AttributeFromRaw<'a> + AttributeStaticType,
{
    match request.has_attribute(kind) {
        false => Ok(None),
        true => request
            .attribute()
            .map(Some)
            .map_err(|_| ErrorCode::BAD_REQUEST),
    }
}

/// What the client asks for, within bounds; and no longer than its credentials are good for.
fn lifetime(request: &Message<'_>, sender: &Sender, now: Now) -> Duration {
    let asked = request.attribute::<Lifetime>();
    let asked = asked.map_or(LIFETIME, |asked| {
        Duration::from_secs(asked.seconds().into())
    });
    let left = Duration::from_secs(sender.expires.saturating_sub(now.unix));
    asked.clamp(LIFETIME, MAX_LIFETIME).min(left)
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn unknown_attributes(message: &Message<'_>) -> Vec<AttributeType> {
    let kinds = message
        .iter_attributes()
        .map(|(_, attribute)| attribute.get_type());
    let must = kinds.filter(|kind| kind.comprehension_required() && !UNDERSTOOD.contains(kind));
    must.collect()
}
