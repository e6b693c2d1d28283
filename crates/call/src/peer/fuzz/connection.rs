//! The connection as a whole, without sockets or a clock: what becomes of the other side's description, of its candidates, and
//! of datagrams, which anybody may send.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rtc::{
    peer_connection::RTCPeerConnectionBuilder,
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext},
};
use vireo_protocol::SessionDescription;
use webrtc::peer_connection::{RTCIceCandidateInit, RTCPeerConnection};

use crate::peer::{
    PeerConfig, codecs,
    connection::settings,
    description::{self, Negotiated},
    readable,
};

/// What the connection would be reached at.
const HERE: ([u8; 4], u16) = ([192, 0, 2, 1], 9);

/// No datagram is longer than what a path takes.
const LONGEST: usize = 1_500;

/// So many candidates are tried, and so many datagrams come.
const MOST_CANDIDATES: usize = 20;
const MOST_DATAGRAMS: usize = 200;

/// What the connection may have to say at one time, with checks of all pairs of addresses.
const MOST_AT_ONCE: usize = 2_000;

struct Connection {
    inner: RTCPeerConnection,
    now: Instant,
}

impl Connection {
    fn new() -> Self {
        let now = Instant::now();
        let codecs = codecs::media_engine(&PeerConfig::default());
        let inner = RTCPeerConnectionBuilder::new()
            .with_media_engine(codecs.expect("ours are known"))
            .with_setting_engine(settings())
            .build(now);
        let inner = inner.expect("nothing of the other side's is in it yet");
        Self { inner, now }
    }

    /// Answers the offer as [`Peer::accept_offer`](crate::peer::Peer::accept_offer) does. False where it is refused.
    fn accept(&mut self, offer: &str) -> bool {
        let Ok(offer) = description::parse(&SessionDescription::offer(offer), true) else {
            return false;
        };
        if self.inner.set_remote_description(self.now, offer).is_err() {
            return false;
        }
        let Ok(answer) = self.inner.create_answer(None) else {
            return false;
        };
        // Without anything that both sides speak there is no call.
        let agreed = description::negotiated(&answer);
        if !agreed.is_ok_and(|agreed| agreed != Negotiated::default()) {
            return false;
        }
        let read = description::parse(&SessionDescription::answer(&*answer.sdp), false);
        assert!(read.is_ok(), "what we answer can be read: {}", answer.sdp);
        let accepted = self.inner.set_local_description(self.now, answer).is_ok();
        let here = format!("1 1 udp 2130706431 192.0.2.1 {} typ host", HERE.1);
        let added = self.inner.add_local_candidate(init(&here));
        added.expect("our own can be read");
        accepted
    }

    /// Lets time pass as the connection's task does.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut rounds = 0;
        loop {
            self.drain();
            match self.inner.poll_timeout() {
                Some(due) if due < end => self.now = due.max(self.now + Duration::from_millis(1)),
                _ => break,
            }
            let _ = self.inner.handle_timeout(self.now);
            rounds += 1;
            assert!(rounds < 10_000, "it spins");
        }
        self.now = self.now.max(end);
    }

    fn drain(&mut self) {
        let mut said = 0;
        while self.inner.poll_write().is_some() {
            said += 1;
            assert!(said < MOST_AT_ONCE, "it says more than it hears");
        }
        while self.inner.poll_read().is_some() {}
        while self.inner.poll_event().is_some() {}
    }

    fn hear(&mut self, from: SocketAddr, packet: &[u8]) {
        let _ = self.inner.handle_read(TaggedBytesMut {
            now: self.now,
            transport: TransportContext {
                local_addr: HERE.into(),
                peer_addr: from,
                ..TransportContext::default()
            },
            message: packet.into(),
        });
        self.drain();
    }
}

fn init(candidate: &str) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.to_owned(),
        sdp_mid: Some("0".into()),
        sdp_mline_index: Some(0),
        ..RTCIceCandidateInit::default()
    }
}

/// An offer, and after an empty line its candidates, one a line.
pub fn offer(text: &str) {
    let (offer, candidates) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut connection = Connection::new();
    if !connection.accept(offer) {
        return;
    }
    for line in candidates.lines().take(MOST_CANDIDATES) {
        if let Ok(Some(line)) = readable(line) {
            let _ = connection.inner.add_remote_candidate(init(line));
        }
    }
    connection.pass(Duration::from_millis(50));
    let _ = connection.inner.close();
}

/// Datagrams to somebody who waits for the other side. Each begins with a byte that says from where it comes, or that time
/// passes, and two of length.
pub fn datagrams(data: &[u8]) {
    let mut connection = Connection::new();
    assert!(connection.accept(OFFER), "an ordinary offer");
    let candidate = "1 1 udp 2130706431 192.0.2.7 54321 typ host";
    let added = connection.inner.add_remote_candidate(init(candidate));
    added.expect("an ordinary candidate");
    connection.pass(Duration::from_millis(20));
    let mut rest = data;
    for _ in 0..MOST_DATAGRAMS {
        let [kind, low, high, after @ ..] = rest else {
            break;
        };
        let length = usize::from(u16::from_le_bytes([*low, *high])) % LONGEST;
        let from = match kind % 4 {
            0 | 1 => ([192, 0, 2, 7], 54_321),
            2 => ([198, 51, 100, 7], 1_000 + u16::from(*kind)),
            _ => {
                connection.pass(Duration::from_millis(length as u64));
                rest = after;
                continue;
            }
        };
        let packet = &after[..length.min(after.len())];
        connection.hear(from.into(), packet);
        rest = &after[packet.len()..];
    }
    let _ = connection.inner.close();
}

/// What a browser might offer, in short.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:EsAw\r\n\
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=fingerprint:sha-256 D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:\
    A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\na=setup:actpass\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
    c=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
