//! The relay's answers, byte by byte. Answers to strangers are short: whoever asks in somebody else's name must not make
//! the relay send that person more than they have sent themselves.

use std::net::SocketAddr;

use turn_types::attribute::{Data, Lifetime, XorPeerAddress, XorRelayedAddress};
use turn_types::message::DATA;
use turn_types::stun::attribute::{
    AttributeType, ErrorCode, Nonce, Realm, UnknownAttributes, XorMappedAddress,
};
use turn_types::stun::message::{IntegrityAlgorithm, IntegrityKey, Message, MessageWriteVec};
use turn_types::stun::prelude::{AttributeWrite, MessageWrite, MessageWriteExt};

use super::auth::REALM;

const FITS: &str = "the answer is far below 64 KB, and each attribute is added once";

/// What a Binding request wants to know (RFC 8489).
#[must_use]
pub fn binding(request: &Message<'_>, client: SocketAddr) -> Vec<u8> {
    let mapped = XorMappedAddress::new(client, request.transaction_id());
    let mut answer = Message::builder_success(request, MessageWriteVec::new());
    answer.add_attribute(&mapped).expect(FITS);
    answer.add_fingerprint().expect(FITS);
    answer.finish()
}

/// The answer to an Allocate request that was granted.
#[must_use]
pub fn allocated(
    request: &Message<'_>,
    key: &IntegrityKey,
    relayed: SocketAddr,
    client: SocketAddr,
    seconds: u32,
) -> Vec<u8> {
    let id = request.transaction_id();
    let relayed = XorRelayedAddress::new(relayed, id);
    let mapped = XorMappedAddress::new(client, id);
    success(request, key, &[&relayed, &Lifetime::new(seconds), &mapped])
}

/// The answer to a Refresh request that was granted.
#[must_use]
pub fn refreshed(request: &Message<'_>, key: &IntegrityKey, seconds: u32) -> Vec<u8> {
    success(request, key, &[&Lifetime::new(seconds)])
}

/// An answer that says yes and no more.
#[must_use]
pub fn granted(request: &Message<'_>, key: &IntegrityKey) -> Vec<u8> {
    success(request, key, &[])
}

fn success(
    request: &Message<'_>,
    key: &IntegrityKey,
    attributes: &[&dyn AttributeWrite],
) -> Vec<u8> {
    sealed(
        Message::builder_success(request, MessageWriteVec::new()),
        attributes,
        key,
    )
}

/// The answer to a request of somebody known that is refused.
#[must_use]
pub fn refused(request: &Message<'_>, key: &IntegrityKey, code: u16) -> Vec<u8> {
    sealed(error(request), &[&error_code(code)], key)
}

/// The answer to a request of a stranger's that is refused, without anything to sign in with.
#[must_use]
pub fn rejected(request: &Message<'_>, code: u16) -> Vec<u8> {
    plain(error(request), &[&error_code(code)])
}

/// The answer to a request with attributes that nobody here understands but must (RFC 8489 §6.3.1).
#[must_use]
pub fn not_understood(request: &Message<'_>, unknown: &[AttributeType]) -> Vec<u8> {
    let code = error_code(ErrorCode::UNKNOWN_ATTRIBUTE);
    plain(error(request), &[&code, &UnknownAttributes::new(unknown)])
}

/// Asks for a signature: 401, or 438 where the nonce was old.
#[must_use]
pub fn challenge(request: &Message<'_>, code: u16, nonce: &str) -> Vec<u8> {
    let realm = Realm::new(REALM).expect("the realm is short");
    let nonce = Nonce::new(nonce).expect("a nonce is short");
    plain(error(request), &[&error_code(code), &realm, &nonce])
}

fn error(request: &Message<'_>) -> MessageWriteVec {
    Message::builder_error(request, MessageWriteVec::new())
}

fn error_code(code: u16) -> ErrorCode {
    ErrorCode::new(code, "").expect("every code that is sent is from 300 to 699")
}

/// What a peer has said, for a client that has no channel to it.
#[must_use]
pub fn data_indication(peer: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut indication =
        Message::builder_indication(DATA, MessageWriteVec::with_capacity(payload.len() + 64));
    let id = indication.transaction_id();
    indication
        .add_attribute(&XorPeerAddress::new(peer, id))
        .expect(FITS);
    indication.add_attribute(&Data::new(payload)).expect(FITS);
    indication.finish()
}

/// The same, through a channel (RFC 8656 §12.4).
#[must_use]
pub fn channel_data(number: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    [
        &number.to_be_bytes(),
        &length.to_be_bytes(),
        &payload[..length.into()],
    ]
    .concat()
}

fn plain(mut answer: MessageWriteVec, attributes: &[&dyn AttributeWrite]) -> Vec<u8> {
    for attribute in attributes {
        answer.add_attribute(*attribute).expect(FITS);
    }
    answer.finish()
}

fn sealed(
    mut answer: MessageWriteVec,
    attributes: &[&dyn AttributeWrite],
    key: &IntegrityKey,
) -> Vec<u8> {
    for attribute in attributes {
        answer.add_attribute(*attribute).expect(FITS);
    }
    let algorithm = IntegrityAlgorithm::Sha1;
    answer
        .add_message_integrity_with_key(key, algorithm)
        .expect(FITS);
    answer.add_fingerprint().expect(FITS);
    answer.finish()
}
