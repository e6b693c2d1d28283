//! The relay's rules, with a computer that only takes down what it is told to do.

mod passing_on;
mod quotas;
mod refusals;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, UNIX_EPOCH};

use turn_types::attribute::{
    ChannelNumber, Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress,
};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH, SEND};
use turn_types::stun::attribute::{ErrorCode, Nonce, Realm, Username, XorMappedAddress};
use turn_types::stun::message::{
    BINDING, IntegrityAlgorithm, Message, MessageWriteVec, Method, TransactionId,
};
use turn_types::stun::prelude::{AttributeWrite, MessageWrite, MessageWriteExt};
use vireo_protocol::UserId;

use super::auth::{REALM, integrity_key};
use super::core::{Core, Host, Now, Path, Rules};
use super::message::channel_data;
use super::quota::RelayLimits;
use crate::ice::TurnSecret;

const RELAY: &str = "198.51.100.1:3478";
const UNIX: u64 = 1_800_000_000;

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

/// The computer: its addresses, and what has been sent.
#[derive(Debug, Default)]
struct Computer {
    own: Vec<IpAddr>,
    next_port: u16,
    open: Vec<SocketAddr>,
    to_clients: VecDeque<(SocketAddr, Vec<u8>)>,
    to_peers: VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
    passed: usize,
}

impl Host for Computer {
    fn open(&mut self, ip: IpAddr) -> io::Result<SocketAddr> {
        self.next_port += 1;
        let bound = SocketAddr::new(ip, 50_000 + self.next_port);
        self.open.push(bound);
        Ok(bound)
    }

    fn close(&mut self, bound: SocketAddr) {
        self.open.retain(|open| *open != bound);
    }

    fn to_client(&mut self, path: Path, packet: &[u8]) {
        self.to_clients.push_back((path.client, packet.to_vec()));
    }

    fn to_peer(&mut self, bound: SocketAddr, peer: SocketAddr, payload: &[u8]) {
        self.to_peers.push_back((bound, peer, payload.to_vec()));
    }

    fn is_own(&mut self, ip: IpAddr) -> bool {
        self.own.contains(&ip)
    }

    fn local_address(&mut self, path: Path, v6: bool) -> Option<IpAddr> {
        Some(path.server.ip()).filter(|ip| ip.is_ipv6() == v6)
    }

    fn passed(&mut self, bytes: usize) {
        self.passed += bytes;
    }
}

/// A relay and the computer it runs on, on a clock of their own.
struct World {
    core: Core,
    computer: Computer,
    now: Now,
    secret: TurnSecret,
}

impl World {
    fn new(limits: RelayLimits) -> Self {
        Self::with(Rules {
            limits,
            ..Rules::default()
        })
    }

    fn with(rules: Rules) -> Self {
        let secret = TurnSecret::from("north");
        Self {
            core: Core::new(rules, secret.clone()),
            computer: Computer {
                own: vec![at(RELAY).ip()],
                ..Computer::default()
            },
            now: Now {
                at: Instant::now(),
                unix: UNIX,
            },
            secret,
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now.at += Duration::from_secs(seconds);
        self.now.unix += seconds;
        self.core.tick(self.now, &mut self.computer);
    }

    fn arrives(&mut self, from: SocketAddr, packet: &[u8]) {
        let path = Path {
            client: from,
            server: at(RELAY),
        };
        self.core
            .client_sends(path, packet, self.now, &mut self.computer);
    }

    /// Sends, and returns the answer; nothing when there is none.
    fn ask(&mut self, from: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
        self.arrives(from, packet);
        let (to, answer) = self.computer.to_clients.pop_back()?;
        assert_eq!(to, from);
        Some(answer)
    }

    /// A client that has been asked to sign in.
    fn client(&mut self, user: &str, address: &str) -> Client {
        let until = UNIX_EPOCH + Duration::from_secs(self.now.unix + 86_400);
        let (username, password) = self.secret.credentials(&UserId(user.to_owned()), until);
        let mut client = Client {
            address: at(address),
            username,
            password,
            nonce: String::new(),
        };
        client.learn_nonce(self);
        client
    }

    /// A client with an address on the relay.
    fn allocated(&mut self, user: &str, address: &str) -> (Client, SocketAddr) {
        let client = self.client(user, address);
        let relayed = client.allocate(self).expect("allocated");
        (client, relayed)
    }
}

struct Client {
    address: SocketAddr,
    username: String,
    password: String,
    nonce: String,
}

type Attributes = Vec<Box<dyn AttributeWrite>>;

fn udp(_: TransactionId) -> Attributes {
    vec![Box::new(RequestedTransport::new(17))]
}

fn unsigned(method: Method, attributes: impl Fn(TransactionId) -> Attributes) -> MessageWriteVec {
    let mut request = Message::builder_request(method, MessageWriteVec::new());
    for attribute in attributes(request.transaction_id()) {
        request.add_attribute(attribute.as_ref()).expect("fits");
    }
    request
}

/// The code of a refusal.
fn code(answer: &[u8]) -> Option<u16> {
    let message = Message::from_bytes(answer).expect("STUN");
    message
        .attribute::<ErrorCode>()
        .ok()
        .map(|code| code.code())
}

impl Client {
    fn learn_nonce(&mut self, world: &mut World) {
        let answer = world
            .ask(self.address, &unsigned(ALLOCATE, udp).finish())
            .expect("answered");
        assert_eq!(code(&answer), Some(401));
        let message = Message::from_bytes(&answer).expect("STUN");
        assert_eq!(
            message.attribute::<Realm>().expect("a realm").realm(),
            REALM
        );
        self.nonce = message
            .attribute::<Nonce>()
            .expect("a nonce")
            .nonce()
            .to_owned();
    }

    fn signed(&self, method: Method, attributes: impl Fn(TransactionId) -> Attributes) -> Vec<u8> {
        let mut request = unsigned(method, attributes);
        let key = integrity_key(&self.username, &self.password);
        request
            .add_attribute(&Username::new(&self.username).expect("short"))
            .expect("fits");
        request
            .add_attribute(&Realm::new(REALM).expect("short"))
            .expect("fits");
        request
            .add_attribute(&Nonce::new(&self.nonce).expect("short"))
            .expect("fits");
        request
            .add_message_integrity_with_key(&key, IntegrityAlgorithm::Sha1)
            .expect("fits");
        request.add_fingerprint().expect("fits");
        request.finish()
    }

    /// Whether it was granted, else the code.
    fn ask(
        &self,
        world: &mut World,
        method: Method,
        attributes: impl Fn(TransactionId) -> Attributes,
    ) -> Result<Vec<u8>, u16> {
        let answer = world
            .ask(self.address, &self.signed(method, attributes))
            .expect("answered");
        match code(&answer) {
            Some(code) => Err(code),
            None => Ok(answer),
        }
    }

    fn allocate(&self, world: &mut World) -> Result<SocketAddr, u16> {
        let answer = self.ask(world, ALLOCATE, udp)?;
        let message = Message::from_bytes(&answer).expect("STUN");
        let mapped = message
            .attribute::<XorMappedAddress>()
            .expect("the client's own address");
        assert_eq!(mapped.addr(message.transaction_id()), self.address);
        let relayed = message
            .attribute::<XorRelayedAddress>()
            .expect("an address");
        Ok(relayed.addr(message.transaction_id()))
    }

    fn permit(&self, world: &mut World, peer: &str) -> Result<(), u16> {
        let peer = at(peer);
        self.ask(world, CREATE_PERMISSION, |id| {
            vec![Box::new(XorPeerAddress::new(peer, id))]
        })
        .map(drop)
    }

    fn bind(&self, world: &mut World, number: u16, peer: &str) -> Result<(), u16> {
        let peer = at(peer);
        let attributes = |id| -> Attributes {
            vec![
                Box::new(ChannelNumber::new(number)),
                Box::new(XorPeerAddress::new(peer, id)),
            ]
        };
        self.ask(world, CHANNEL_BIND, attributes).map(drop)
    }

    /// What the relay grants, in seconds.
    fn refresh(&self, world: &mut World, seconds: u32) -> Result<u32, u16> {
        let answer = self.ask(world, REFRESH, |_| vec![Box::new(Lifetime::new(seconds))])?;
        let message = Message::from_bytes(&answer).expect("STUN");
        Ok(message
            .attribute::<Lifetime>()
            .expect("a lifetime")
            .seconds())
    }

    fn send(&self, world: &mut World, peer: SocketAddr, payload: &[u8]) {
        let mut indication = Message::builder_indication(SEND, MessageWriteVec::new());
        let id = indication.transaction_id();
        indication
            .add_attribute(&XorPeerAddress::new(peer, id))
            .expect("fits");
        indication.add_attribute(&Data::new(payload)).expect("fits");
        world.arrives(self.address, &indication.finish());
    }
}

/// What a Data indication holds: from whom, and what.
fn heard(packet: &[u8]) -> (SocketAddr, Vec<u8>) {
    let message = Message::from_bytes(packet).expect("STUN");
    let peer = message.attribute::<XorPeerAddress>().expect("a peer");
    let data = message.attribute::<Data<'_>>().expect("data");
    (peer.addr(message.transaction_id()), data.data().to_vec())
}

const ANN: &str = "203.0.113.7:1000";
const BOB: &str = "203.0.113.8:2000";
const PEER: &str = "203.0.113.9:3000";
