//! The session by itself, on a clock of the test's own.

use std::sync::Mutex;

use rtc::{
    rtcp::{
        payload_feedbacks::picture_loss_indication::PictureLossIndication,
        transport_feedbacks::{
            transport_layer_cc::{
                PacketStatusChunk, RecvDelta, RunLengthChunk, SymbolTypeTcc, TransportLayerCc,
            },
            transport_layer_nack::TransportLayerNack,
        },
    },
    rtp,
};
use vireo_media::{EncodedFrame, codec::OpusPacket, rtp::RtpPayload};

use super::*;
use crate::peer::{MediaReceiver, PeerConfig, sender::MediaSender};

const VIDEO: u8 = 96;
const MILLISECOND: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<EncodedFrame>>>);

impl Shown {
    fn count(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }
}

impl MediaReceiver for Shown {
    fn audio(&mut self, _packet: RtpPayload) {}

    fn audio_copy(&mut self, _packet: RtpPayload) {}

    fn video(&mut self, frame: EncodedFrame) {
        self.0.lock().expect("no panic").push(frame);
    }
}

struct Bench {
    session: Session,
    now: Instant,
    sender: MediaSender,
    events: mpsc::UnboundedReceiver<PeerEvent>,
    shown: Shown,
}

impl Bench {
    fn new() -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox::new(Arc::default(), sender.clone()));
        let shown = Shown::default();
        let received = ReceivedMedia::Deliver(Box::new(shown.clone()));
        let limits = Limits::of(&PeerConfig::default());
        let now = Instant::now();
        let mut session = Session::new(
            now,
            SystemTime::now(),
            limits,
            outbox.clone(),
            sender,
            received,
        );
        let stream = |payload_type| Stream {
            payload_type,
            transport_cc: Some(3),
        };
        session.negotiated(Negotiated {
            audio: Some(stream(111)),
            red: None,
            video: Some(VideoStream {
                stream: stream(VIDEO),
                codec: VideoCodec::Vp8,
                codecs: vec![(VIDEO, VideoCodec::Vp8)],
            }),
        });
        outbox.connected();
        session.handle_timeout(now);
        Self {
            session,
            now,
            sender: MediaSender::new(outbox),
            events,
            shown,
        }
    }

    /// A picture of one packet comes in.
    fn receive(&mut self, ssrc: u32, sequence_number: u16, key_frame: bool) {
        let descriptor = [0x10];
        let payload = [&descriptor[..], &picture(key_frame)].concat();
        self.receive_payload(ssrc, sequence_number, payload);
    }

    fn receive_payload(&mut self, ssrc: u32, sequence_number: u16, payload: Vec<u8>) {
        let packet = rtp::Packet {
            header: rtp::Header {
                version: 2,
                marker: true,
                payload_type: VIDEO,
                sequence_number,
                timestamp: u32::from(sequence_number) * 3_000,
                ssrc,
                ..Default::default()
            },
            payload: payload.into(),
        };
        self.session.handle_rtp(packet, self.now);
    }

    /// Lets time pass as the connection's task does. Gives the times of our requests for packets, in milliseconds, and how
    /// often the task had to wake up.
    fn pass(&mut self, time: Duration) -> (Vec<u128>, usize) {
        let (start, end) = (self.now, self.now + time);
        let (mut asked, mut passes) = (Vec::new(), 0);
        loop {
            while let Some(wire) = self.session.poll(self.now) {
                if let Wire::Rtcp(packets) = wire
                    && packets
                        .iter()
                        .any(|packet| packet.as_any().is::<TransportLayerNack>())
                {
                    asked.push((self.now - start).as_millis());
                }
            }
            match self.session.poll_timeout(self.now) {
                Some(due) if due <= end => self.now = due.max(self.now),
                _ => break,
            }
            self.session.handle_timeout(self.now);
            passes += 1;
            assert!(passes < 10_000, "it spins");
        }
        self.now = end;
        (asked, passes)
    }
}

fn picture(key_frame: bool) -> Vec<u8> {
    if key_frame {
        vec![0x10, 2, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, 1, 2, 3]
    } else {
        vec![0x11, 2, 0, 1, 2, 3]
    }
}

#[test]
fn a_stream_under_another_ssrc_is_a_new_one() {
    let mut bench = Bench::new();
    bench.receive(7, 1_000, true);
    bench.receive(7, 1_001, false);
    assert_eq!(bench.shown.count(), 2);
    // Its numbers have nothing to do with those before: these look like stragglers, the ones below like many losses.
    bench.receive(8, 990, true);
    bench.receive(8, 991, false);
    assert_eq!(bench.shown.count(), 4);
    bench.receive(9, 1_500, true);
    assert_eq!(bench.shown.count(), 5);
    assert_eq!(bench.pass(MILLISECOND).0, [] as [u128; 0]);
}

#[test]
fn a_packet_that_no_path_carries_is_as_good_as_lost() {
    let mut bench = Bench::new();
    let stuffed = |bytes: usize| {
        let mut payload = [&[0x10][..], &picture(false)].concat();
        payload.resize(bytes, 0);
        payload
    };
    bench.receive(7, 1_000, true);
    bench.receive_payload(7, 1_001, stuffed(1_500));
    assert_eq!(bench.shown.count(), 2);
    bench.receive_payload(7, 1_002, stuffed(1_501));
    bench.receive_payload(7, 1_003, stuffed(65_000));
    assert_eq!(bench.shown.count(), 2);
    bench.receive(7, 1_002, false);
    assert_eq!(bench.shown.count(), 3);
}

#[test]
fn a_missing_packet_is_asked_for_at_once_and_again_after_each_round_trip() {
    let mut bench = Bench::new();
    bench.receive(7, 1_000, true);
    bench.receive(7, 1_002, false);
    // The round trip is taken to be 50 ms as long as it is not known.
    let (asked, _) = bench.pass(Duration::from_millis(40));
    assert_eq!(asked, [0]);
    bench.receive(7, 1_003, false);
    let (asked, _) = bench.pass(Duration::from_millis(40));
    assert_eq!(asked, [10]);
    bench.receive(7, 1_004, false);
    let (asked, _) = bench.pass(Duration::from_millis(40));
    assert_eq!(asked, [20]);
}

#[test]
fn nothing_is_asked_for_a_third_time_while_nothing_comes() {
    let mut bench = Bench::new();
    bench.receive(7, 1_000, true);
    bench.receive(7, 1_002, false);
    let (asked, _) = bench.pass(Duration::from_millis(140));
    assert_eq!(asked, [0, 50]);
    bench.receive(7, 1_003, false);
    let (asked, _) = bench.pass(MILLISECOND);
    assert_eq!(asked, [0]);
}

#[test]
fn a_session_without_anything_to_do_seldom_wakes_up() {
    let mut bench = Bench::new();
    bench.receive(7, 1_000, true);
    bench.pass(Duration::from_secs(2)); // The first reports are frequent.
    let (_, passes) = bench.pass(Duration::from_secs(1));
    assert!(passes <= 42, "{passes} times a second");
}

#[test]
fn a_request_that_a_key_frame_has_answered_causes_no_second_one() {
    let mut bench = Bench::new();
    let request = |bench: &mut Bench| {
        let request: Box<dyn rtcp::Packet> = Box::new(PictureLossIndication::default());
        bench.session.handle_rtcp(&[request], bench.now);
        bench.pass(10 * MILLISECOND);
    };
    request(&mut bench);
    request(&mut bench);
    bench.sender.send_video(EncodedFrame {
        codec: VideoCodec::Vp8,
        data: picture(true).into(),
        key_frame: true,
        width: 64,
        height: 48,
        rtp_timestamp: 0,
        captured_at: bench.now,
    });
    bench.pass(Duration::from_secs(1));
    let requests = std::iter::from_fn(|| bench.events.try_recv().ok())
        .filter(|event| *event == PeerEvent::KeyFrameRequested);
    assert_eq!(requests.count(), 1);
}

/// Some hundred bytes of it would otherwise keep the connection's task busy for longer than the next datagram takes to come.
#[test]
fn feedback_on_more_packets_than_can_be_on_their_way_is_not_read() {
    let mut bench = Bench::new();
    let sound = OpusPacket {
        payload: vec![1; 100].into(),
        timestamp: 0,
        captured_at: bench.now,
    };
    bench.sender.send_audio(sound, 0);
    bench.pass(MILLISECOND);
    let in_flight = bench.session.transport.bytes_in_flight();
    assert!(in_flight > 0);
    let feedback = |count: u16, chunks: usize| -> Box<dyn rtcp::Packet> {
        let run = PacketStatusChunk::RunLengthChunk(RunLengthChunk {
            packet_status_symbol: SymbolTypeTcc::PacketReceivedSmallDelta,
            run_length: count,
            ..Default::default()
        });
        let delta = RecvDelta {
            type_tcc_packet: SymbolTypeTcc::PacketReceivedSmallDelta,
            delta: 250,
        };
        Box::new(TransportLayerCc {
            packet_status_count: count,
            packet_chunks: vec![run; chunks],
            recv_deltas: vec![delta],
            ..Default::default()
        })
    };
    let endless = [feedback(8_191, 2), feedback(1, 1)];
    bench.session.handle_rtcp(&endless, bench.now);
    assert_eq!(bench.session.transport.bytes_in_flight(), in_flight);
    bench.session.handle_rtcp(&[feedback(1, 1)], bench.now);
    assert_eq!(bench.session.transport.bytes_in_flight(), 0);
}
