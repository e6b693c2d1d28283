//! The media of one connection: joins the stages. Time is an argument; nothing waits here.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use rtc::{
    interceptor::Packet as Wire,
    rtcp::{
        self,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
            receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
        },
        receiver_report::ReceiverReport,
        sender_report::SenderReport,
        source_description::{
            SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
        },
        transport_feedbacks::{
            transport_layer_cc::TransportLayerCc,
            transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
        },
    },
    rtp,
};
use tokio::sync::mpsc;
use vireo_media::{
    VideoCodec,
    rtp::{FrameAssembler, Packetizer, RtpPayload},
};

use super::{
    clock::{AUDIO_CLOCK_RATE, Clock, VIDEO_CLOCK_RATE},
    estimator::{BandwidthEstimator, LossBased},
    goog_cc::GoogCc,
    inbound::Inbound,
    outbound::Outbound,
    pacer::Pacer,
    packet::{Kind, Packet},
    transport_cc::{ProbeInfo, TransportCc},
};
use crate::peer::{
    PeerConfig, PeerEvent, ReceivedMedia, TransportStats,
    description::{Negotiated, Stream, VideoStream},
    sender::Outbox,
};

/// The largest RTP payload: with everything below it a packet stays under 1,280 bytes, which any path takes.
const MAX_PAYLOAD: usize = 1_180;

/// Nobody can see anything below this, in bits a second.
const MIN_BITRATE: u32 = 50_000;

/// What sound takes on the wire, in bits a second.
const AUDIO_BITRATE: u32 = 60_000;

/// What is left of the wire for the codec, headers taken off.
const PAYLOAD_SHARE: f64 = 0.94;

/// A change of the target smaller than this share is not worth telling the encoder.
const TARGET_STEP: f64 = 0.02;

/// Reports go out once a second; the first ones sooner, so that the round trip is known early.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const FIRST_REPORTS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(300),
];

/// The encoder makes a key frame no more often than this, whoever asks.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(150);

/// How often the estimator is looked after, and missing packets are asked for again.
const TICK: Duration = Duration::from_millis(15);

/// Bounds of the bit rate, in bits a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    start: u32,
    max: u32,
}

impl Limits {
    pub fn of(config: &PeerConfig) -> Self {
        let max = config.max_bitrate.max(MIN_BITRATE);
        Self {
            start: config.start_bitrate.clamp(MIN_BITRATE, max),
            max,
        }
    }

    /// What the wire has to take so that the encoder gets so much.
    fn on_wire(target: u32) -> u32 {
        (f64::from(target) / PAYLOAD_SHARE) as u32 + AUDIO_BITRATE
    }

    fn target(self, estimate: u32) -> u32 {
        let payload = f64::from(estimate.saturating_sub(AUDIO_BITRATE)) * PAYLOAD_SHARE;
        // Rounded up: what fits exactly shall not come out a bit less.
        (payload.ceil() as u32).clamp(MIN_BITRATE, self.max)
    }
}

/// See the module.
pub(crate) struct Session {
    clock: Clock,
    limits: Limits,
    outbox: Arc<Outbox>,
    events: mpsc::UnboundedSender<PeerEvent>,
    received: ReceivedMedia,
    audio_out: Outbound,
    video_out: Outbound,
    audio_in: Option<Inbound>,
    video_in: Option<Inbound>,
    audio: Option<Stream>,
    video: Option<VideoStream>,
    packetizer: Option<Packetizer>,
    assembler: Option<(VideoCodec, FrameAssembler)>,
    /// Added to the clock's ticks, as RFC 3550 wants it.
    timestamp_offset: u32,
    /// Reflecting: what to add to the other side's sequence numbers, and for which SSRC.
    reflected: [Option<(u32, u16)>; 2],
    pacer: Pacer,
    transport: TransportCc,
    estimator: Box<dyn BandwidthEstimator>,
    rtcp: VecDeque<Vec<Box<dyn rtcp::Packet>>>,
    cname: Bytes,
    target: Option<u32>,
    next_report: Option<Instant>,
    reports: usize,
    next_tick: Option<Instant>,
    key_frame_told_at: Option<Instant>,
    key_frame_to_tell: bool,
}

impl Session {
    pub fn new(
        now: Instant,
        limits: Limits,
        outbox: Arc<Outbox>,
        events: mpsc::UnboundedSender<PeerEvent>,
        received: ReceivedMedia,
    ) -> Self {
        let audio_ssrc = rand::random::<u32>() | 1;
        let start = Limits::on_wire(limits.start);
        Self {
            clock: Clock::new(now, SystemTime::now()),
            limits,
            outbox,
            events,
            received,
            audio_out: Outbound::new(Kind::Audio, audio_ssrc),
            video_out: Outbound::new(Kind::Video, audio_ssrc.wrapping_add(1)),
            audio_in: None,
            video_in: None,
            audio: None,
            video: None,
            packetizer: None,
            assembler: None,
            timestamp_offset: rand::random(),
            reflected: [None; 2],
            pacer: Pacer::new(start),
            transport: TransportCc::default(),
            estimator: Box::new(LossBased::new(start, start, start)),
            rtcp: VecDeque::new(),
            cname: Bytes::from(format!("{:016x}", rand::random::<u64>())),
            target: None,
            next_report: None,
            reports: 0,
            next_tick: None,
            key_frame_told_at: None,
            key_frame_to_tell: false,
        }
    }

    /// The SSRC of our sound and of our pictures.
    pub fn ssrcs(&self) -> (u32, u32) {
        (self.audio_out.ssrc, self.video_out.ssrc)
    }

    /// Both descriptions are known.
    pub fn negotiated(&mut self, negotiated: Negotiated) {
        self.audio = negotiated.audio;
        self.audio_out.stream = negotiated.audio;
        self.video_out.stream = negotiated.video.as_ref().map(|video| video.stream);
        let codec = negotiated.video.as_ref().map(|video| video.codec);
        self.packetizer = codec.map(|codec| Packetizer::new(codec, MAX_PAYLOAD));
        self.video = negotiated.video;
        let _ = self.events.send(PeerEvent::NegotiatedVideo(codec));
    }

    /// A packet of the other side's.
    pub fn handle_rtp(&mut self, packet: rtp::Packet, now: Instant) {
        let ssrc = packet.header.ssrc;
        let payload_type = packet.header.payload_type;
        let payload = RtpPayload {
            sequence_number: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            payload: packet.payload,
            received_at: now,
        };
        let codec = self.video.as_ref().and_then(|video| {
            let known = video
                .codecs
                .iter()
                .find(|(number, _)| *number == payload_type);
            known.map(|(_, codec)| *codec)
        });
        if let Some(codec) = codec {
            self.handle_video(codec, ssrc, payload, now);
        } else if self
            .audio
            .is_some_and(|audio| audio.payload_type == payload_type)
        {
            self.handle_audio(ssrc, payload);
        }
    }

    fn handle_audio(&mut self, ssrc: u32, packet: RtpPayload) {
        let inbound = inbound(&mut self.audio_in, ssrc, AUDIO_CLOCK_RATE);
        inbound.arrived(&packet);
        match &mut self.received {
            ReceivedMedia::Deliver(receiver) => receiver.audio(packet),
            ReceivedMedia::Reflect => self.reflect(Kind::Audio, ssrc, packet),
        }
    }

    fn handle_video(&mut self, codec: VideoCodec, ssrc: u32, packet: RtpPayload, now: Instant) {
        let inbound = inbound(&mut self.video_in, ssrc, VIDEO_CLOCK_RATE);
        inbound.arrived(&packet);
        if matches!(self.received, ReceivedMedia::Reflect) {
            return self.reflect(Kind::Video, ssrc, packet);
        }
        if self
            .assembler
            .as_ref()
            .is_none_or(|(assembles, _)| *assembles != codec)
        {
            self.assembler = Some((codec, FrameAssembler::new(codec)));
        }
        if let Some((_, assembler)) = &mut self.assembler {
            assembler.push(packet);
        }
        self.deliver_video(now);
    }

    /// Hands whole pictures on, and asks for what is missing.
    fn deliver_video(&mut self, now: Instant) {
        let (Some((_, assembler)), Some(inbound), ReceivedMedia::Deliver(receiver)) =
            (&mut self.assembler, &mut self.video_in, &mut self.received)
        else {
            return;
        };
        while let Some(assembled) = assembler.poll(now) {
            receiver.video(assembled.frame);
        }
        let feedback = Feedback {
            sender_ssrc: self.video_out.ssrc,
            media_ssrc: inbound.ssrc,
        };
        let missing = assembler.take_nacks(now);
        if !missing.is_empty() {
            inbound.stats.nacks += 1;
            self.rtcp.push_back(feedback.nack(&missing));
        }
        if assembler.take_key_frame_request(now) {
            inbound.stats.key_frame_requests += 1;
            self.rtcp.push_back(feedback.picture_loss());
        }
    }

    /// Sends a packet back. Numbers keep their distances, so what got lost on the way here is seen to be missing there,
    /// and may come later.
    fn reflect(&mut self, kind: Kind, ssrc: u32, packet: RtpPayload) {
        let outbound = match kind {
            Kind::Audio => &mut self.audio_out,
            Kind::Video => &mut self.video_out,
        };
        if outbound.stream.is_none() {
            return;
        }
        let entry = &mut self.reflected[kind as usize];
        let offset = match *entry {
            Some((of, offset)) if of == ssrc => offset,
            _ => {
                let offset = outbound
                    .next_sequence_number()
                    .wrapping_sub(packet.sequence_number);
                *entry = Some((ssrc, offset));
                offset
            }
        };
        let number = packet.sequence_number.wrapping_add(offset);
        let reflected =
            outbound.numbered_packet(packet.payload, packet.timestamp, packet.marker, number);
        self.pacer.push(reflected);
    }

    /// Control packets of the other side's.
    pub fn handle_rtcp(&mut self, packets: &[Box<dyn rtcp::Packet>], now: Instant) {
        for packet in packets {
            let packet = packet.as_any();
            if let Some(report) = packet.downcast_ref::<SenderReport>() {
                for inbound in [&mut self.audio_in, &mut self.video_in]
                    .into_iter()
                    .flatten()
                {
                    if inbound.ssrc == report.ssrc {
                        inbound.sender_reported(report, now);
                    }
                }
                self.handle_reports(&report.reports, now);
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                self.handle_reports(&report.reports, now);
            } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                self.handle_nack(nack, now);
            } else if let Some(feedback) = packet.downcast_ref::<TransportLayerCc>() {
                let fates = self.transport.feedback(feedback);
                let in_flight = self.transport.bytes_in_flight();
                self.estimator.feedback(now, &fates, in_flight);
                self.use_estimate();
            } else if let Some(limit) = packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
                self.estimator
                    .limit(now, limit.bitrate.clamp(0.0, 4e9) as u32);
                self.use_estimate();
            } else if packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>() {
                self.handle_key_frame_request(now);
            }
        }
    }

    fn handle_reports(
        &mut self,
        reports: &[rtcp::reception_report::ReceptionReport],
        now: Instant,
    ) {
        for report in reports {
            for outbound in [&mut self.audio_out, &mut self.video_out] {
                if outbound.ssrc != report.ssrc {
                    continue;
                }
                outbound.reported(report, &self.clock, now);
                if let Some(round_trip) = outbound.round_trip {
                    self.estimator.round_trip(now, round_trip);
                    if let Some((_, assembler)) = &mut self.assembler {
                        assembler.set_round_trip(round_trip);
                    }
                }
            }
            if report.ssrc == self.video_out.ssrc {
                self.estimator.loss(now, self.video_out.loss.unwrap_or(0.0));
            }
        }
        self.use_estimate();
    }

    fn handle_nack(&mut self, nack: &TransportLayerNack, now: Instant) {
        if nack.media_ssrc != self.video_out.ssrc {
            return;
        }
        let numbers = nack.nacks.iter().copied().flat_map(|pair| pair.into_iter());
        let (repeated, unknown) = self.video_out.repeat(numbers, now);
        for packet in repeated {
            self.pacer.push(packet);
        }
        // What got lost on the way here is asked for where it came from.
        let reflected = self.reflected[Kind::Video as usize];
        if let (Some((_, offset)), Some(inbound)) = (reflected, &mut self.video_in)
            && !unknown.is_empty()
        {
            let original: Vec<u16> = unknown
                .into_iter()
                .map(|number| number.wrapping_sub(offset))
                .collect();
            inbound.stats.nacks += 1;
            let feedback = Feedback {
                sender_ssrc: self.video_out.ssrc,
                media_ssrc: inbound.ssrc,
            };
            self.rtcp.push_back(feedback.nack(&original));
        }
    }

    fn handle_key_frame_request(&mut self, now: Instant) {
        self.video_out.stats.key_frame_requests += 1;
        self.key_frame_to_tell = true;
        self.tell_key_frame(now);
    }

    /// Passes a request for a key frame on to whoever makes the pictures, not too often.
    fn tell_key_frame(&mut self, now: Instant) {
        if self.key_frame_tell_due(now).is_some_and(|due| due <= now) {
            self.key_frame_to_tell = false;
            self.key_frame_told_at = Some(now);
            match (&self.received, &mut self.video_in) {
                (ReceivedMedia::Reflect, Some(inbound)) => {
                    inbound.stats.key_frame_requests += 1;
                    let feedback = Feedback {
                        sender_ssrc: self.video_out.ssrc,
                        media_ssrc: inbound.ssrc,
                    };
                    self.rtcp.push_back(feedback.picture_loss());
                }
                (ReceivedMedia::Reflect, None) => {}
                (ReceivedMedia::Deliver(_), _) => {
                    let _ = self.events.send(PeerEvent::KeyFrameRequested);
                }
            }
        }
    }

    fn key_frame_tell_due(&self, now: Instant) -> Option<Instant> {
        self.key_frame_to_tell.then(|| {
            self.key_frame_told_at
                .map_or(now, |at| at + KEY_FRAME_INTERVAL)
        })
    }

    /// Does whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        self.collect(now);
        self.deliver_video(now);
        if self.next_tick.is_none_or(|due| due <= now) {
            self.next_tick = Some(now + TICK);
            self.estimator.tick(now);
            self.use_estimate();
        }
        self.tell_key_frame(now);
        if self.next_report.is_some_and(|due| due <= now) {
            let interval = FIRST_REPORTS.get(self.reports).copied();
            self.next_report = Some(now + interval.unwrap_or(REPORT_INTERVAL));
            self.reports += 1;
            self.report(now);
        }
    }

    /// The connection has come up: the estimator's time begins.
    fn begin(&mut self, now: Instant) {
        if self.next_report.is_some() {
            return;
        }
        self.next_report = Some(now + FIRST_REPORTS[0]);
        let limits = self.limits;
        let [start, min, max] = [limits.start, MIN_BITRATE, limits.max].map(Limits::on_wire);
        // With some room above, a probe can show that the maximum fits.
        let max = max.saturating_add(max / 2);
        let feedback = [self.audio, self.video_out.stream]
            .into_iter()
            .flatten()
            .any(|stream| stream.transport_cc.is_some());
        self.estimator = if feedback {
            Box::new(GoogCc::new(now, start, min, max))
        } else {
            Box::new(LossBased::new(start, min, max))
        };
        self.use_estimate();
    }

    /// When there is something due next.
    pub fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        let assembler = self.assembler.as_ref();
        [
            Some(self.next_report.unwrap_or(now)),
            self.next_tick,
            self.pacer.next_time(now),
            self.key_frame_tell_due(now),
            assembler.and_then(|(_, assembler)| assembler.next_deadline()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next packet that leaves.
    pub fn poll(&mut self, now: Instant) -> Option<Wire> {
        self.begin(now);
        self.collect(now);
        if let Some(packets) = self.rtcp.pop_front() {
            return Some(Wire::Rtcp(packets));
        }
        let (packet, probe) = self.pacer.pop(now)?;
        let probe = probe.map(|probe| ProbeInfo {
            id: probe.id,
            bits_per_second: probe.bits_per_second,
            bytes: probe.bytes,
            packets: probe.packets,
        });
        Some(Wire::Rtp(self.write(packet, probe, now)))
    }

    /// Takes what the encoders have left in the outbox.
    fn collect(&mut self, now: Instant) {
        let queued = self.outbox.take();
        if queued.key_frame_wanted
            && let Some((_, assembler)) = &mut self.assembler
        {
            assembler.want_key_frame();
        }
        if queued.video_lost {
            self.key_frame_to_tell = true;
        }
        if matches!(self.received, ReceivedMedia::Reflect) {
            return;
        }
        if self.audio_out.stream.is_some() {
            for (payload, timestamp) in queued.audio {
                let timestamp = timestamp.wrapping_add(self.timestamp_offset);
                let packet = self.audio_out.packet(payload, timestamp, false);
                self.pacer.push(packet);
            }
        }
        let codec = self.video.as_ref().map(|video| video.codec);
        for frame in queued.video {
            let Some(packetizer) = self
                .packetizer
                .as_mut()
                .filter(|_| codec == Some(frame.codec))
            else {
                continue;
            };
            if frame.key_frame {
                // What still waits of older pictures is of no use to anybody any more, and nobody asks for it.
                self.key_frame_told_at = Some(now);
            }
            let timestamp = self
                .clock
                .ticks(frame.captured_at, VIDEO_CLOCK_RATE)
                .wrapping_add(self.timestamp_offset);
            for payload in packetizer.packetize(&frame) {
                let packet = self
                    .video_out
                    .packet(payload.payload, timestamp, payload.marker);
                self.pacer.push(packet);
            }
        }
    }

    /// Writes a packet's header and takes note of it.
    fn write(&mut self, packet: Packet, probe: Option<ProbeInfo>, now: Instant) -> rtp::Packet {
        let outbound = match packet.kind {
            Kind::Audio => &mut self.audio_out,
            Kind::Video => &mut self.video_out,
        };
        outbound.sent(&packet, now);
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: outbound.stream.map_or(0, |stream| stream.payload_type),
            sequence_number: packet.sequence_number,
            timestamp: packet.timestamp,
            ssrc: outbound.ssrc,
            ..Default::default()
        };
        if let Some(id) = outbound.stream.and_then(|stream| stream.transport_cc) {
            let audio = packet.kind == Kind::Audio;
            let (number, sent) = self.transport.sent(now, packet.size(), audio, probe);
            let value = Bytes::copy_from_slice(&number.to_be_bytes());
            // Cannot fail: the id is between 1 and 14, the value has two bytes.
            let _ = header.set_extension(id, value);
            let in_flight = self.transport.bytes_in_flight();
            self.estimator.sent(&sent, in_flight);
        }
        rtp::Packet {
            header,
            payload: packet.payload,
        }
    }

    /// Lets pacer and encoder know what the path takes.
    fn use_estimate(&mut self) {
        let estimate = self.estimator.estimate();
        self.pacer.set_estimate(estimate);
        if let Some(probe) = self.estimator.take_probe() {
            self.pacer.probe(probe);
        }
        let target = self.limits.target(estimate);
        let changed = self.target.is_none_or(|told| {
            let step = f64::from(told) * TARGET_STEP;
            f64::from(told.abs_diff(target)) > step || (target == self.limits.max && told != target)
        });
        if changed && self.video.is_some() {
            self.target = Some(target);
            let _ = self.events.send(PeerEvent::TargetBitrate(target));
        }
    }

    /// Sender and receiver reports, as one compound packet (RFC 3550, 6.1).
    fn report(&mut self, now: Instant) {
        let mut reports: Vec<_> = [&mut self.audio_in, &mut self.video_in]
            .into_iter()
            .flatten()
            .filter_map(|inbound| inbound.report(now))
            .collect();
        let mut packets: Vec<Box<dyn rtcp::Packet>> = Vec::new();
        for outbound in [&self.video_out, &self.audio_out] {
            if let Some(mut report) = outbound.sender_report(&self.clock, now) {
                report.reports = std::mem::take(&mut reports);
                packets.push(Box::new(report));
            }
        }
        if packets.is_empty() {
            packets.push(Box::new(ReceiverReport {
                ssrc: self.audio_out.ssrc,
                reports,
                ..Default::default()
            }));
        }
        packets.push(Box::new(SourceDescription {
            chunks: vec![SourceDescriptionChunk {
                source: self.audio_out.ssrc,
                items: vec![SourceDescriptionItem {
                    sdes_type: SdesType::SdesCname,
                    text: self.cname.clone(),
                }],
            }],
        }));
        self.rtcp.push_back(packets);
    }

    /// The figures that are known here.
    pub fn stats(&self) -> TransportStats {
        let round_trip = self.video_out.round_trip.or(self.audio_out.round_trip);
        let inbound = |inbound: &Option<Inbound>| {
            inbound
                .as_ref()
                .map(|inbound| inbound.stats)
                .unwrap_or_default()
        };
        TransportStats {
            rtt_ms: round_trip.map(|time| time.as_secs_f64() * 1_000.0),
            available_outgoing_bitrate: self.estimator.estimate(),
            target_bitrate: self.target.unwrap_or(self.limits.start),
            loss_rate: self.video_out.loss.or(self.audio_out.loss).unwrap_or(0.0),
            video_out: self.video_out.stats,
            audio_out: self.audio_out.stats,
            video_in: inbound(&self.video_in),
            audio_in: inbound(&self.audio_in),
            ..TransportStats::default()
        }
    }
}

/// Whose feedback about whose stream.
struct Feedback {
    sender_ssrc: u32,
    media_ssrc: u32,
}

impl Feedback {
    fn nack(&self, missing: &[u16]) -> Vec<Box<dyn rtcp::Packet>> {
        vec![Box::new(TransportLayerNack {
            sender_ssrc: self.sender_ssrc,
            media_ssrc: self.media_ssrc,
            nacks: nack_pairs_from_sequence_numbers(missing),
        })]
    }

    fn picture_loss(&self) -> Vec<Box<dyn rtcp::Packet>> {
        vec![Box::new(PictureLossIndication {
            sender_ssrc: self.sender_ssrc,
            media_ssrc: self.media_ssrc,
        })]
    }
}

/// The stream with this SSRC; a new one takes the place of the one before.
fn inbound(slot: &mut Option<Inbound>, ssrc: u32, clock_rate: u32) -> &mut Inbound {
    let known = slot.take();
    slot.insert(match known {
        Some(known) if known.ssrc == ssrc => known,
        Some(other) => other.restarted(ssrc),
        None => Inbound::new(ssrc, clock_rate),
    })
}
