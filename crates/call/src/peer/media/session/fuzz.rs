//! The packets of somebody who wishes us ill, after decryption: media, reports and requests, in any order and at any time.

use std::sync::Mutex;

use rtc::{
    rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack, rtp,
    shared::marshal::Unmarshal,
};
use vireo_media::{
    EncodedFrame,
    codec::OpusPacket,
    rtp::{MAX_MACROBLOCKS, RtpPayload, macroblocks},
};

use super::{receive::LONGEST_PAYLOAD, *};
use crate::peer::{MediaReceiver, PeerConfig, sender::MediaSender};

/// What our streams are known by, so that requests can name them.
const AUDIO_SSRC: u32 = 1;
const VIDEO_SSRC: u32 = 2;
/// Of our first picture.
const SEQUENCE_NUMBER: u16 = 1_000;

/// So many things happen in one call at most, and it lasts no longer than this.
const MOST_STEPS: usize = 500;
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// No pause is longer (ms), and no picture of ours larger (bytes).
const LONGEST_PAUSE: usize = 1_500;
const LARGEST_SAID: usize = 1_500;
/// A frame has a thousand packets at most.
const LARGEST_FRAME: usize = 1_001 * (LONGEST_PAYLOAD + 4);
/// The most that a NACK of ours asks for.
const MOST_MISSING: usize = 400;
/// Of what the path takes in a second, this much may be sent again at once.
const REPEATED_AT_ONCE: f64 = 0.4;

/// What happens, one after the other. The first byte says with which codec and whether packets go back to where they come
/// from. Each step has a byte of kind and two of length: an RTP packet, a compound RTCP packet, so many milliseconds, or a
/// picture of ours.
pub fn packets(data: &[u8]) {
    let Some((&first, mut rest)) = data.split_first() else {
        return;
    };
    let mut call = Call::new(first);
    for _ in 0..MOST_STEPS {
        let [kind, low, high, after @ ..] = rest else {
            break;
        };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let packet = &after[..length.min(after.len())];
        rest = match kind % 4 {
            0 | 1 => &after[packet.len()..],
            _ => after,
        };
        match kind % 4 {
            0 => call.hear_rtp(packet),
            1 => call.hear_rtcp(packet),
            2 => call.pass(Duration::from_millis((length % LONGEST_PAUSE) as u64)),
            _ => call.say(length % LARGEST_SAID),
        }
        call.pass(Duration::ZERO);
        call.check();
    }
}

/// What came of it all.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Option<VideoCodec>>>);

impl MediaReceiver for Shown {
    fn audio(&mut self, packet: RtpPayload) {
        assert!(packet.payload.len() <= LONGEST_PAYLOAD);
    }

    fn audio_copy(&mut self, packet: RtpPayload) {
        self.audio(packet);
    }

    fn video(&mut self, frame: EncodedFrame) {
        let mut begun = self.0.lock().expect("no panic");
        assert!(
            frame.key_frame || *begun == Some(frame.codec),
            "a decoder begins with a key frame"
        );
        *begun = Some(frame.codec);
        assert!(!frame.data.is_empty() && frame.data.len() <= LARGEST_FRAME);
        assert!(macroblocks(frame.width, frame.height) <= MAX_MACROBLOCKS);
    }
}

struct Call {
    session: Session,
    start: Instant,
    now: Instant,
    sender: MediaSender,
    events: mpsc::UnboundedReceiver<PeerEvent>,
    codec: VideoCodec,
    /// The newest of our pictures' packets that has left.
    newest: u16,
    /// Bytes of packets that have left before.
    repeated: usize,
}

impl Call {
    fn new(first: u8) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox::new(Arc::default(), sender.clone()));
        let received = match first & 1 {
            0 => ReceivedMedia::Deliver(Box::new(Shown::default())),
            _ => ReceivedMedia::Reflect,
        };
        let now = Instant::now();
        let limits = Limits::of(&PeerConfig::default());
        let mut session = Session::new(
            now,
            SystemTime::now(),
            limits,
            outbox.clone(),
            sender,
            received,
        );
        session.audio_out.ssrc = AUDIO_SSRC;
        session.video_out.ssrc = VIDEO_SSRC;
        session.video_out.next_sequence_number = SEQUENCE_NUMBER;
        let codecs = vec![(96, VideoCodec::Vp8), (102, VideoCodec::H264)];
        let (payload_type, codec) = codecs[usize::from(first >> 1 & 1)];
        // Without the extension there is no feedback on single packets, and another estimator.
        let transport_cc = (first & 4 == 0).then_some(3);
        let stream = |payload_type| Stream {
            payload_type,
            transport_cc,
        };
        session.negotiated(Negotiated {
            audio: Some(stream(111)),
            red: (first & 8 == 0).then_some(63),
            video: Some(VideoStream {
                stream: stream(payload_type),
                codec,
                codecs,
            }),
        });
        outbox.connected();
        Self {
            session,
            start: now,
            now,
            sender: MediaSender::new(outbox),
            events,
            codec,
            newest: SEQUENCE_NUMBER.wrapping_sub(1),
            repeated: 0,
        }
    }

    fn hear_rtp(&mut self, mut packet: &[u8]) {
        if let Ok(packet) = rtp::Packet::unmarshal(&mut packet) {
            self.session.handle_rtp(packet, self.now);
        }
    }

    fn hear_rtcp(&mut self, mut packet: &[u8]) {
        if let Ok(packets) = rtcp::packet::unmarshal(&mut packet) {
            self.session.handle_rtcp(&packets, self.now);
        }
    }

    fn say(&mut self, length: usize) {
        self.sender.send_video(EncodedFrame {
            codec: self.codec,
            data: [&[0, 0, 0, 1, 0x65][..], &vec![7; length * 10]]
                .concat()
                .into(),
            key_frame: true,
            width: 64,
            height: 48,
            rtp_timestamp: 0,
            captured_at: self.now,
        });
        let sound = OpusPacket {
            payload: vec![8; length % 100].into(),
            timestamp: 0,
            captured_at: self.now,
        };
        self.sender.send_audio(sound, length % 4);
    }

    /// Lets time pass as the connection's task does.
    fn pass(&mut self, time: Duration) {
        let end = (self.now + time).min(self.start + LONGEST_CALL);
        let mut rounds = 0;
        loop {
            while let Some(wire) = self.session.poll(self.now) {
                self.sent(wire);
            }
            assert!(self.session.rtcp.is_empty(), "what is to be said leaves");
            match self.session.poll_timeout(self.now) {
                Some(due) if due < end => self.now = due.max(self.now),
                _ => break,
            }
            self.session.handle_timeout(self.now);
            rounds += 1;
            assert!(rounds < 10_000, "it spins");
        }
        self.now = self.now.max(end);
        self.session.handle_timeout(self.now);
    }

    fn sent(&mut self, wire: Wire) {
        match wire {
            Wire::Rtcp(packets) => {
                let nacks = packets
                    .iter()
                    .filter_map(|packet| packet.as_any().downcast_ref::<TransportLayerNack>());
                let asked: usize = nacks
                    .flat_map(|nack| nack.nacks.iter().copied())
                    .map(|pair| pair.into_iter().count())
                    .sum();
                let reflects = matches!(self.session.received, ReceivedMedia::Reflect);
                assert!(reflects || asked <= MOST_MISSING, "{asked} asked for");
            }
            Wire::Rtp(packet) => {
                assert!(packet.payload.len() <= LONGEST_PAYLOAD);
                if packet.header.ssrc == VIDEO_SSRC {
                    self.count(packet.header.sequence_number, packet.payload.len());
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, number: u16, bytes: usize) {
        if number.wrapping_sub(self.newest) < 1 << 15 && number != self.newest {
            self.newest = number;
        } else {
            self.repeated += bytes;
        }
    }

    fn check(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                PeerEvent::AudioLoss(share) => assert!((0.0..=1.0).contains(&share)),
                PeerEvent::TargetBitrate(target) => {
                    assert!((MIN_BITRATE..=self.session.limits.max).contains(&target));
                }
                _ => {}
            }
        }
        let stats = self.session.stats(self.now);
        assert!((0.0..=1.0).contains(&stats.loss_rate));
        let most = Limits::on_wire(self.session.limits.max);
        let most = f64::from(most + most / 2);
        assert!(f64::from(stats.available_outgoing_bitrate) <= most);
        if matches!(self.session.received, ReceivedMedia::Deliver(_)) {
            let passed = (self.now - self.start).as_secs_f64();
            let allowed = 10_000.0 + most / 8.0 * (passed + REPEATED_AT_ONCE);
            assert!((self.repeated as f64) < allowed, "no more than fits");
        }
        if let Some((_, assembler)) = &self.session.assembler {
            assert!(assembler.waiting() <= 4_097, "bounded, whatever comes");
        }
    }
}
