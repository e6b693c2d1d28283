//! What the tests share: a pair of peers with everything between them, and losses.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::mpsc;
use vireo_media::{EncodedFrame, VideoCodec, codec::OpusPacket, rtp::RtpPayload};
use vireo_protocol::IceCandidate;

use crate::peer::{
    Addresses, MediaReceiver, Peer, PeerConfig, PeerEvent, ReceivedMedia,
    runtime::{ConnectionRuntime, Wake},
};

/// Nothing on loopback takes longer, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Shows a figure beside the test's result.
#[allow(clippy::print_stderr, reason = "it is read by whoever runs the test")]
pub fn show(figure: &str) {
    eprintln!("{figure}");
}

/// Loses a share of some packets, by a sequence that is the same each time.
#[derive(Debug)]
pub struct Loss {
    /// The first bytes of those packets.
    of: RangeInclusive<u8>,
    percent: u32,
    state: AtomicU32,
    broken: AtomicBool,
}

impl Loss {
    /// Of media: RTP and RTCP begin with a byte between 128 and 191 (RFC 7983).
    pub fn new(percent: u32) -> Arc<Self> {
        Self::of(128..=191, percent, 1)
    }

    /// Of the packets of DTLS (RFC 7983).
    pub fn of_handshakes(percent: u32, seed: u32) -> Arc<Self> {
        Self::of(20..=63, percent, seed)
    }

    fn of(of: RangeInclusive<u8>, percent: u32, seed: u32) -> Arc<Self> {
        Arc::new(Self {
            of,
            percent,
            state: AtomicU32::new(seed),
            broken: AtomicBool::new(false),
        })
    }

    /// The connection's task panics with the next packet that comes in.
    pub fn break_task(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub fn drops(&self, packet: &[u8]) -> bool {
        if !packet.first().is_some_and(|byte| self.of.contains(byte)) {
            return false;
        }
        let state = self
            .state
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
            });
        (state.unwrap_or_default() >> 8) % 100 < self.percent
    }
}

/// What a peer has received.
#[derive(Debug, Default)]
pub struct Received {
    pub audio: Mutex<Vec<RtpPayload>>,
    pub video: Mutex<Vec<(Instant, EncodedFrame)>>,
    pub arrived: tokio::sync::Notify,
}

impl Received {
    /// Waits until the condition holds.
    pub async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                self.arrived.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"));
    }

    pub fn frames(&self) -> usize {
        self.video.lock().expect("no panic").len()
    }

    pub fn packets(&self) -> usize {
        self.audio.lock().expect("no panic").len()
    }
}

/// 20 ms of sound that say which ones they are.
pub fn sound(number: u32) -> OpusPacket {
    OpusPacket {
        payload: Bytes::from(number.to_be_bytes().to_vec()),
        timestamp: number * 960,
        captured_at: Instant::now(),
    }
}

struct Receiver(Arc<Received>);

impl MediaReceiver for Receiver {
    fn audio(&mut self, packet: RtpPayload) {
        self.0.audio.lock().expect("no panic").push(packet);
        self.0.arrived.notify_one();
    }

    fn audio_copy(&mut self, packet: RtpPayload) {
        self.audio(packet);
    }

    fn video(&mut self, frame: EncodedFrame) {
        let mut frames = self.0.video.lock().expect("no panic");
        frames.push((Instant::now(), frame));
        self.0.arrived.notify_one();
    }
}

/// A peer and what it says and gets.
pub struct Side {
    pub peer: Peer,
    pub events: mpsc::UnboundedReceiver<PeerEvent>,
    pub received: Arc<Received>,
}

pub fn config() -> PeerConfig {
    PeerConfig {
        addresses: Addresses::Loopback,
        ..PeerConfig::default()
    }
}

impl Side {
    pub async fn new(config: PeerConfig) -> Self {
        Self::build(config, false, None).await
    }

    pub async fn reflecting(config: PeerConfig) -> Self {
        Self::build(config, true, None).await
    }

    pub async fn lossy(config: PeerConfig, loss: Arc<Loss>) -> Self {
        Self::build(config, false, Some(loss)).await
    }

    async fn build(config: PeerConfig, reflect: bool, loss: Option<Arc<Loss>>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let received = Arc::new(Received::default());
        let media = if reflect {
            ReceivedMedia::Reflect
        } else {
            ReceivedMedia::Deliver(Box::new(Receiver(received.clone())))
        };
        let wake = Arc::new(Wake::default());
        let mut runtime = ConnectionRuntime::new(wake.clone());
        runtime.loss = loss;
        let peer = Peer::with_runtime(config, media, sender, wake, runtime)
            .await
            .expect("sockets on loopback");
        Self {
            peer,
            events,
            received,
        }
    }

    /// Waits for an event and drops those before it.
    pub async fn wait(&mut self, wanted: impl Fn(&PeerEvent) -> bool) -> PeerEvent {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("the peer is there");
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("the event comes")
    }
}

/// A side's candidates, up to their end.
pub async fn gathered(side: &mut Side) -> Vec<IceCandidate> {
    let mut all = Vec::new();
    loop {
        let event = side
            .wait(|event| matches!(event, PeerEvent::LocalCandidate(_)))
            .await;
        match event {
            PeerEvent::LocalCandidate(candidate) if candidate.candidate.is_empty() => return all,
            PeerEvent::LocalCandidate(candidate) => all.push(candidate),
            _ => {}
        }
    }
}

/// Passes candidates on until both sides are connected.
pub async fn connect(caller: &mut Side, callee: &mut Side) -> Duration {
    let offer = caller.peer.create_offer().await.expect("an offer");
    let start = Instant::now();
    let answer = callee.peer.accept_offer(&offer).await.expect("an answer");
    caller.peer.set_answer(&answer).await.expect("is taken");
    exchange_candidates(caller, callee).await;
    start.elapsed()
}

/// Both begin anew with other sockets.
pub async fn restart(caller: &mut Side, callee: &mut Side) -> Duration {
    let start = Instant::now();
    let offer = caller.peer.offer_restart().await.expect("an offer");
    let answer = callee.peer.answer_restart(&offer).await;
    let answer = answer.expect("an answer");
    let taken = caller.peer.finish_restart(&answer).await;
    taken.expect("is taken");
    exchange_candidates(caller, callee).await;
    start.elapsed()
}

async fn exchange_candidates(caller: &mut Side, callee: &mut Side) {
    let mut waiting = 2;
    while waiting > 0 {
        let (event, other) = tokio::select! {
            event = caller.events.recv() => (event, &mut callee.peer),
            event = callee.events.recv() => (event, &mut caller.peer),
            () = tokio::time::sleep(PATIENCE) => panic!("no connection"),
        };
        match event.expect("the peer is there") {
            PeerEvent::LocalCandidate(candidate) => other
                .add_remote_candidate(&candidate)
                .await
                .expect("a candidate"),
            PeerEvent::Connected => waiting -= 1,
            PeerEvent::Failed => panic!("the connection failed"),
            _ => {}
        }
    }
}

/// A picture of so many bytes that all depend on its number.
pub fn frame(codec: VideoCodec, number: u32, key_frame: bool, bytes: usize) -> EncodedFrame {
    let data: Bytes = match codec {
        VideoCodec::Vp8 => {
            // A frame tag with the key frame bit (inverted), and for key frames start code and size (RFC 6386, 9.1).
            let mut data = vec![u8::from(!key_frame), 0, 0];
            if key_frame {
                data.extend_from_slice(&[0x9d, 0x01, 0x2a, 64, 0, 48, 0]);
            }
            fill(&mut data, number, bytes);
            data.into()
        }
        VideoCodec::H264 => {
            let mut data = Vec::new();
            if key_frame {
                // A sequence and a picture parameter set: 64×48, constrained baseline.
                data.extend_from_slice(&[
                    0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x11, 0x1a, 0x10,
                ]);
                data.extend_from_slice(&[0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
            }
            data.extend_from_slice(&[0, 0, 0, 1, if key_frame { 0x65 } else { 0x41 }]);
            fill(&mut data, number, bytes);
            data.into()
        }
    };
    EncodedFrame {
        codec,
        data,
        key_frame,
        width: 64,
        height: 48,
        rtp_timestamp: 0,
        captured_at: Instant::now(),
    }
}

fn fill(data: &mut Vec<u8>, number: u32, bytes: usize) {
    data.extend_from_slice(&(number | 0x8080_8080).to_be_bytes());
    while data.len() < bytes {
        // Never zero, so that no start code comes about.
        data.push((data.len() as u32).wrapping_mul(31).wrapping_add(number) as u8 | 1);
    }
}
