//! Tries a relay as two clients would: each gets an address, one sends to the other's, the other answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use tokio::net::UdpSocket;
use tokio::time::timeout;
use turn_types::attribute::{
    Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress,
};
use turn_types::message::{ALLOCATE, CREATE_PERMISSION, REFRESH, SEND};
use turn_types::stun::attribute::{ErrorCode, Nonce, Realm, Username};
use turn_types::stun::message::{
    IntegrityAlgorithm, IntegrityKey, Message, MessageClass, MessageWriteVec, Method, TransactionId,
};
use turn_types::stun::prelude::{AttributeWrite, MessageWrite, MessageWriteExt};
use vireo_protocol::UserId;

use super::auth::{REALM, integrity_key};
use super::requests::UDP;
use crate::ice::TurnSecret;

/// Each question is asked so often, and an answer waited for so long: packets may get lost.
const TRIES: usize = 5;
const WAIT: Duration = Duration::from_millis(300);

const FITS: &str = "the message is short, and each attribute is added once";

/// What did not work.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProbeError {
    /// This computer has no socket for it.
    #[error("no packets can be sent to the relay from here")]
    NoSocket,
    /// Nothing came back.
    #[error("the relay does not answer")]
    Silent,
    /// The relay has said no, with this code.
    #[error("the relay refuses (code {0})")]
    Refused(u16),
    /// An address was given, but what is sent there does not arrive.
    #[error("the relay passes nothing on")]
    NotPassedOn,
}

/// Makes two allocations, sends a packet from one to the other and back, and gives both back.
///
/// # Errors
/// What did not work.
pub async fn self_test(relay: SocketAddr, secret: &TurnSecret) -> Result<(), ProbeError> {
    let mut ann = Client::connect(relay, secret, "self-test").await?;
    let mut bob = Client::connect(relay, secret, "self-test").await?;
    let (at_ann, at_bob) = (ann.allocate().await?, bob.allocate().await?);
    ann.permit(at_bob).await?;
    bob.permit(at_ann).await?;
    let payload: [u8; 16] = rand::random();
    let echoed = async {
        ann.exchange(at_bob, &payload, &mut bob).await?;
        bob.exchange(at_ann, &payload, &mut ann).await
    };
    let echoed = echoed.await;
    let (ann, bob) = (ann.free().await, bob.free().await);
    echoed.and(ann).and(bob)
}

/// A client of the relay that asks one thing at a time.
struct Client {
    socket: UdpSocket,
    username: String,
    key: IntegrityKey,
    nonce: Option<String>,
}

impl Client {
    async fn connect(
        relay: SocketAddr,
        secret: &TurnSecret,
        user: &str,
    ) -> Result<Self, ProbeError> {
        let until = SystemTime::now() + Duration::from_secs(300);
        let (username, password) = secret.credentials(&UserId(user.to_owned()), until);
        let any: IpAddr = match relay {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await;
        let socket = socket.map_err(|_| ProbeError::NoSocket)?;
        socket
            .connect(relay)
            .await
            .map_err(|_| ProbeError::NoSocket)?;
        Ok(Self {
            key: integrity_key(&username, &password),
            socket,
            username,
            nonce: None,
        })
    }

    async fn allocate(&mut self) -> Result<SocketAddr, ProbeError> {
        let udp =
            |_| -> Vec<Box<dyn AttributeWrite>> { vec![Box::new(RequestedTransport::new(UDP))] };
        let answer = self.ask(ALLOCATE, udp).await?;
        let answer = Message::from_bytes(&answer).map_err(|_| ProbeError::Silent)?;
        let relayed = answer.attribute::<XorRelayedAddress>();
        let relayed = relayed.map_err(|_| ProbeError::Silent)?;
        Ok(relayed.addr(answer.transaction_id()))
    }

    async fn permit(&mut self, peer: SocketAddr) -> Result<(), ProbeError> {
        let peer = move |id| -> Vec<Box<dyn AttributeWrite>> {
            vec![Box::new(XorPeerAddress::new(peer, id))]
        };
        self.ask(CREATE_PERMISSION, peer).await.map(drop)
    }

    async fn free(&mut self) -> Result<(), ProbeError> {
        self.ask(REFRESH, |_| vec![Box::new(Lifetime::new(0))])
            .await
            .map(drop)
    }

    /// Sends to a peer until the other client hears it.
    async fn exchange(
        &self,
        to: SocketAddr,
        payload: &[u8],
        heard_by: &mut Self,
    ) -> Result<(), ProbeError> {
        for _ in 0..TRIES {
            self.send(to, payload).await?;
            let heard = timeout(WAIT, heard_by.hear(payload)).await;
            if heard.is_ok() {
                return Ok(());
            }
        }
        Err(ProbeError::NotPassedOn)
    }

    async fn send(&self, to: SocketAddr, payload: &[u8]) -> Result<(), ProbeError> {
        let mut indication = Message::builder_indication(SEND, MessageWriteVec::new());
        let peer = XorPeerAddress::new(to, indication.transaction_id());
        indication.add_attribute(&peer).expect(FITS);
        indication.add_attribute(&Data::new(payload)).expect(FITS);
        let sent = self.socket.send(&indication.finish()).await;
        sent.map(drop).map_err(|_| ProbeError::Silent)
    }

    async fn hear(&mut self, payload: &[u8]) {
        loop {
            let packet = self.receive().await;
            let Ok(message) = Message::from_bytes(&packet) else {
                continue;
            };
            if message
                .attribute::<Data<'_>>()
                .is_ok_and(|data| data.data() == payload)
            {
                return;
            }
        }
    }

    /// Asks; signs when it has been told what with.
    async fn ask(
        &mut self,
        method: Method,
        attributes: impl Fn(TransactionId) -> Vec<Box<dyn AttributeWrite>>,
    ) -> Result<Vec<u8>, ProbeError> {
        for _ in 0..TRIES {
            let mut request = Message::builder_request(method, MessageWriteVec::new());
            for attribute in attributes(request.transaction_id()) {
                request.add_attribute(attribute.as_ref()).expect(FITS);
            }
            self.sign(&mut request);
            let request = request.finish();
            if self.socket.send(&request).await.is_err() {
                continue;
            }
            let Ok(answer) = timeout(WAIT, self.answer_to(&request)).await else {
                continue;
            };
            match self.understand(&answer) {
                Some(401) if self.nonce.is_none() => self.learn(&answer),
                Some(438) => self.learn(&answer),
                Some(code) => return Err(ProbeError::Refused(code)),
                None => return Ok(answer),
            }
        }
        Err(ProbeError::Silent)
    }

    fn sign(&self, request: &mut MessageWriteVec) {
        let Some(nonce) = &self.nonce else { return };
        let username = Username::new(&self.username).expect("a user name is short");
        request.add_attribute(&username).expect(FITS);
        request
            .add_attribute(&Realm::new(REALM).expect("the realm is short"))
            .expect(FITS);
        request
            .add_attribute(&Nonce::new(nonce).expect("a nonce is short"))
            .expect(FITS);
        let algorithm = IntegrityAlgorithm::Sha1;
        request
            .add_message_integrity_with_key(&self.key, algorithm)
            .expect(FITS);
    }

    /// The code of a refusal; nothing when the answer is yes.
    fn understand(&self, answer: &[u8]) -> Option<u16> {
        let message = Message::from_bytes(answer).ok()?;
        let code = message.attribute::<ErrorCode>();
        message
            .has_class(MessageClass::Error)
            .then(|| code.map_or(0, |code| code.code()))
    }

    fn learn(&mut self, answer: &[u8]) {
        if let Ok(message) = Message::from_bytes(answer)
            && let Ok(nonce) = message.attribute::<Nonce>()
        {
            self.nonce = Some(nonce.nonce().to_owned());
        }
    }

    async fn answer_to(&self, request: &[u8]) -> Vec<u8> {
        loop {
            let packet = self.receive().await;
            // Bytes 8 to 20 are the transaction's id.
            if packet.get(8..20) == request.get(8..20) {
                return packet;
            }
        }
    }

    async fn receive(&self) -> Vec<u8> {
        let mut packet = vec![0; 2_048];
        loop {
            // An error is about a packet that was sent earlier, to nobody.
            if let Ok(length) = self.socket.recv(&mut packet).await {
                packet.truncate(length);
                return packet;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
