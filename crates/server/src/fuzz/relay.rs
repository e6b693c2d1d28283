//! Packets to the relay: as they come, and signed by somebody who may use it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, UNIX_EPOCH};

use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH};
use turn_types::stun::attribute::{
    AttributeStaticType as _, AttributeType, Fingerprint, MessageIntegrity, MessageIntegritySha256,
    Nonce, RawAttribute, Realm, Username,
};
use turn_types::stun::message::{BINDING, IntegrityAlgorithm, Message, MessageWriteVec, Method};
use turn_types::stun::prelude::{MessageWrite, MessageWriteExt};
use vireo_protocol::UserId;

use crate::ice::TurnSecret;
use crate::relay::fuzz::{Core, Host, Now, Path, REALM, Rules, integrity_key};

const UNIX: u64 = 1_800_000_000;

/// A computer with ports, and nobody to send to.
#[derive(Default)]
struct Computer {
    ports: u16,
    open: Vec<SocketAddr>,
    answer: Vec<u8>,
}

impl Host for Computer {
    fn open(&mut self, ip: IpAddr) -> io::Result<SocketAddr> {
        self.ports += 1;
        let bound = SocketAddr::new(ip, 50_000 + self.ports);
        self.open.push(bound);
        Ok(bound)
    }

    fn close(&mut self, bound: SocketAddr) {
        self.open.retain(|open| *open != bound);
    }

    fn to_client(&mut self, _path: Path, packet: &[u8]) {
        self.answer = packet.to_vec();
    }

    fn to_peer(&mut self, bound: SocketAddr, _peer: SocketAddr, _payload: &[u8]) {
        assert!(
            self.open.contains(&bound),
            "it sends from what it has bound"
        );
    }

    fn is_own(&mut self, ip: IpAddr) -> bool {
        ip == server().ip()
    }

    fn local_address(&mut self, path: Path, v6: bool) -> Option<IpAddr> {
        Some(path.server.ip()).filter(|ip| ip.is_ipv6() == v6)
    }

    fn passed(&mut self, _bytes: usize) {}
}

fn server() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 3478))
}

/// Packets one after the other. Each begins with a byte that says what it is, and one with its length.
pub fn relay(data: &[u8]) {
    let secret = TurnSecret::from("a secret");
    let mut core = Core::new(Rules::default(), secret.clone());
    let mut computer = Computer::default();
    let path = Path {
        client: SocketAddr::from(([203, 0, 113, 7], 4000)),
        server: server(),
    };
    let mut now = Now {
        at: Instant::now(),
        unix: UNIX,
    };
    let signer = Signer::new(&secret, &mut core, &mut computer, path, now);
    let mut rest = data;
    while let [kind, length, after @ ..] = rest {
        let (packet, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        match kind % 8 {
            0 | 1 => core.client_sends(path, packet, now, &mut computer),
            2 => {
                let peer = SocketAddr::from(([192, 0, 2, 1], 9));
                for bound in computer.open.clone() {
                    core.peer_sends(bound, peer, packet, now, &mut computer);
                }
            }
            3 => {
                now.at += Duration::from_secs(u64::from(*length));
                now.unix += u64::from(*length);
                core.tick(now, &mut computer);
            }
            method => {
                let methods = [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND, BINDING];
                let method = methods[usize::from(method - 4 + kind / 128) % methods.len()];
                if let Some(request) = signer.request(method, packet) {
                    core.client_sends(path, &request, now, &mut computer);
                }
            }
        }
    }
}

/// Somebody with credentials.
struct Signer {
    username: String,
    password: String,
    nonce: String,
}

impl Signer {
    fn new(
        secret: &TurnSecret,
        core: &mut Core,
        computer: &mut Computer,
        path: Path,
        now: Now,
    ) -> Self {
        let until = UNIX_EPOCH + Duration::from_secs(UNIX + 86_400);
        let (username, password) = secret.credentials(&UserId("ann".to_owned()), until);
        let ask = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        core.client_sends(path, &ask, now, computer);
        let challenge = Message::from_bytes(&computer.answer).ok();
        let nonce = challenge.and_then(|challenge| {
            let nonce = challenge.attribute::<Nonce>().ok()?;
            Some(nonce.nonce().to_owned())
        });
        Self {
            username,
            password,
            nonce: nonce.unwrap_or_default(),
        }
    }

    /// A request with these attributes: for each two bytes of type, one of length, and its value.
    fn request(&self, method: Method, mut attributes: &[u8]) -> Option<Vec<u8>> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        while let [high, low, length, after @ ..] = attributes {
            let (value, after) = after.split_at(usize::from(*length).min(after.len()));
            attributes = after;
            let kind = AttributeType::new(u16::from_be_bytes([*high, *low]));
            // Those are made, not written.
            if ![
                MessageIntegrity::TYPE,
                MessageIntegritySha256::TYPE,
                Fingerprint::TYPE,
            ]
            .contains(&kind)
            {
                let attribute = RawAttribute::new(kind, value);
                request.add_attribute(&attribute).ok()?;
            }
        }
        let key = integrity_key(&self.username, &self.password);
        request
            .add_attribute(&Username::new(&self.username).ok()?)
            .ok()?;
        request.add_attribute(&Realm::new(REALM).ok()?).ok()?;
        request.add_attribute(&Nonce::new(&self.nonce).ok()?).ok()?;
        request
            .add_message_integrity_with_key(&key, IntegrityAlgorithm::Sha1)
            .ok()?;
        Some(request.finish())
    }
}
