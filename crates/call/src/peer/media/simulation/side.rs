//! One side of a simulated call: a session, somebody who makes pictures and sound, and somebody who looks at what comes.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, UNIX_EPOCH},
};

use rtc::{
    interceptor::{
        AttributedPacket, Interceptor as _, Packet as Wire, RTPHeaderExtension, StreamInfo,
        TaggedPacket, TwccReceiverBuilder, TwccReceiverInterceptor,
    },
    rtcp,
    sansio::Protocol as _,
    shared::TransportContext,
};
use tokio::sync::mpsc;
use vireo_media::{
    EncodedFrame, VideoCodec,
    codec::OpusPacket,
    rtp::{AudioJitterBuffer, RtpPayload},
};

use super::{
    Travelling,
    encoder::{Encoder, FRAMES_PER_SECOND},
    figures::Shown,
};
use crate::peer::{
    MediaReceiver, PeerConfig, PeerEvent, ReceivedMedia,
    connection::FEEDBACK_INTERVAL,
    description::{Negotiated, Stream, VideoStream},
    media::session::{Limits, Session},
    sender::{MediaSender, Outbox},
};

const VIDEO: u8 = 96;
const AUDIO: u8 = 111;
const TRANSPORT_CC: u8 = 3;
const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

const SOUND: Duration = Duration::from_millis(20);
const SOUND_BYTES: usize = 90;
/// What an Opus packet begins with (RFC 6716, 3.1).
const FULLBAND_20_MS: u8 = 15 << 3;

/// Where a picture's payload says which one it is, behind VP8's header.
const NUMBER_AT: usize = 10;

/// Pictures that came, by their number, and what sound waits for.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u64>>>, Arc<Mutex<AudioJitterBuffer>>);

impl MediaReceiver for Seen {
    fn audio(&mut self, packet: RtpPayload) {
        self.1.lock().expect("no panic").push(packet);
    }

    fn audio_copy(&mut self, _packet: RtpPayload) {}

    fn video(&mut self, frame: EncodedFrame) {
        let number = frame.data.get(NUMBER_AT..NUMBER_AT + 8);
        let number = number.and_then(|bytes| bytes.try_into().ok());
        let number = u64::from_be_bytes(number.expect("it was sent so"));
        self.0.lock().expect("no panic").push(number);
    }
}

pub struct Side {
    session: Session,
    feedback: TwccReceiverInterceptor,
    sender: MediaSender,
    events: mpsc::UnboundedReceiver<PeerEvent>,
    seen: Seen,
    shown: Vec<Shown>,
    /// How long sound is to wait, as it was over time.
    pub sound_waits: Vec<(Instant, Duration)>,
    pub encoder: Encoder,
    start: Instant,
    pictures: u64,
    sounds: u64,
}

/// Both sides count pictures from the same start, so a number says when its picture was captured.
fn captured_at(start: Instant, number: u64) -> Instant {
    start + Duration::from_secs(number) / FRAMES_PER_SECOND
}

impl Side {
    pub fn new(now: Instant, max_bitrate: u32, seed: u64) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox::new(Arc::default(), sender.clone()));
        let seen = Seen::default();
        let received = ReceivedMedia::Deliver(Box::new(seen.clone()));
        let config = PeerConfig {
            max_bitrate,
            ..PeerConfig::default()
        };
        let target = config.start_bitrate.min(max_bitrate);
        let mut session = Session::new(
            now,
            UNIX_EPOCH,
            Limits::of(&config),
            outbox.clone(),
            sender,
            received,
        );
        let stream = |payload_type| Stream {
            payload_type,
            transport_cc: Some(TRANSPORT_CC),
        };
        session.negotiated(Negotiated {
            audio: Some(stream(AUDIO)),
            red: None,
            video: Some(VideoStream {
                stream: stream(VIDEO),
                codec: VideoCodec::Vp8,
                codecs: vec![(VIDEO, VideoCodec::Vp8)],
            }),
        });
        outbox.connected();
        let mut feedback = TwccReceiverBuilder::new()
            .with_interval(FEEDBACK_INTERVAL)
            .build();
        feedback.bind_remote_stream(&StreamInfo {
            rtp_header_extensions: vec![RTPHeaderExtension {
                uri: TRANSPORT_CC_URI.to_owned(),
                id: TRANSPORT_CC.into(),
            }],
            ..StreamInfo::default()
        });
        Self {
            session,
            feedback,
            sender: MediaSender::new(outbox),
            events,
            seen,
            shown: Vec::new(),
            sound_waits: Vec::new(),
            encoder: Encoder::new(target, max_bitrate, seed),
            start: now,
            pictures: 0,
            sounds: 0,
        }
    }

    pub fn shown(&self) -> Vec<Shown> {
        self.shown.clone()
    }

    /// A packet has arrived.
    pub fn receive(&mut self, packet: Travelling, now: Instant) {
        match packet {
            Travelling::Rtcp(mut bytes) => {
                let packets = rtcp::packet::unmarshal(&mut bytes).expect("it was made so");
                self.session.handle_rtcp(&packets, now);
            }
            Travelling::Rtp(packet) => {
                let tagged = tagged(Wire::Rtp(packet.clone()), now);
                let _ = self.feedback.handle_read(tagged);
                while self.feedback.poll_read().is_some() {}
                self.session.handle_rtp(packet, now);
            }
            Travelling::Segment(_) | Travelling::Acknowledgement(_) => {}
        }
        self.look(now);
    }

    /// Everything that leaves now.
    pub fn send(&mut self, now: Instant) -> Vec<Travelling> {
        self.listen(now);
        self.encoder.look(&self.session.stats(now), now);
        self.make_sound(now);
        self.make_pictures(now);
        self.session.handle_timeout(now);
        self.look(now);
        let _ = self.feedback.handle_timeout(now);
        let mut leaving = Vec::new();
        while let Some(wire) = self.session.poll(now) {
            leaving.extend(travelling(wire));
        }
        while let Some(feedback) = self.feedback.poll_write() {
            leaving.extend(travelling(feedback.message.packet));
        }
        leaving
    }

    pub fn next_due(&mut self, now: Instant) -> Option<Instant> {
        [
            self.session.poll_timeout(now),
            self.feedback.poll_timeout(),
            Some(captured_at(self.start, self.pictures)),
            Some(self.start + SOUND * self.sounds as u32),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What the session tells the encoder.
    fn listen(&mut self, now: Instant) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                PeerEvent::TargetBitrate(target) => self.encoder.set_target(target, now),
                PeerEvent::KeyFrameRequested => self.encoder.request_key_frame(),
                PeerEvent::AudioLoss(loss) => self.encoder.reported(loss),
                _ => {}
            }
        }
    }

    fn make_sound(&mut self, now: Instant) {
        while self.start + SOUND * self.sounds as u32 <= now {
            let timestamp = (self.sounds * 960) as u32;
            let sound = OpusPacket {
                payload: [&[FULLBAND_20_MS], &[0; SOUND_BYTES - 1][..]]
                    .concat()
                    .into(),
                timestamp,
                captured_at: now,
            };
            self.sender.send_audio(sound, 0);
            self.sounds += 1;
            self.hear(now);
        }
    }

    /// The speaker wants the next 20 ms.
    fn hear(&mut self, now: Instant) {
        let mut heard = self.seen.1.lock().expect("no panic");
        heard.pop(now);
        let wait = heard.statistics().target_delay_ms / 1_000.0;
        self.sound_waits.push((now, Duration::from_secs_f64(wait)));
    }

    fn make_pictures(&mut self, now: Instant) {
        while captured_at(self.start, self.pictures) <= now {
            let captured_at = captured_at(self.start, self.pictures);
            if let Some((bytes, key_frame)) = self.encoder.picture(self.pictures) {
                self.sender.send_video(EncodedFrame {
                    codec: VideoCodec::Vp8,
                    data: picture(key_frame, self.pictures, bytes).into(),
                    key_frame,
                    width: 640,
                    height: 360,
                    rtp_timestamp: 0,
                    captured_at,
                });
            }
            self.pictures += 1;
        }
    }

    fn look(&mut self, now: Instant) {
        for number in self.seen.0.lock().expect("no panic").drain(..) {
            self.shown.push(Shown {
                captured_at: captured_at(self.start, number),
                at: now,
            });
        }
    }
}

/// Looks like VP8 to whoever reads only its header (RFC 6386, 9.1).
fn picture(key_frame: bool, number: u64, bytes: usize) -> Vec<u8> {
    let mut data = vec![0; bytes.max(NUMBER_AT + 8)];
    let header: &[u8] = match key_frame {
        true => &[0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01],
        false => &[0x11, 2, 0],
    };
    data[..header.len()].copy_from_slice(header);
    data[NUMBER_AT..NUMBER_AT + 8].copy_from_slice(&number.to_be_bytes());
    data
}

fn travelling(wire: Wire) -> Option<Travelling> {
    match wire {
        Wire::Rtp(packet) => Some(Travelling::Rtp(packet)),
        Wire::Rtcp(packets) => {
            let bytes = rtcp::packet::marshal(&packets).expect("the session makes valid packets");
            Some(Travelling::Rtcp(bytes.freeze()))
        }
        _ => None,
    }
}

fn tagged(packet: Wire, now: Instant) -> TaggedPacket {
    TaggedPacket {
        now,
        transport: TransportContext::default(),
        message: AttributedPacket::new(packet),
    }
}
