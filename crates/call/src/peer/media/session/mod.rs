//! The media of one connection: joins the stages. Time is an argument; nothing waits here.

mod control;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod receive;
mod send;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use rtc::{interceptor::Packet as Wire, rtcp};
use tokio::sync::mpsc;
use vireo_media::{
    VideoCodec,
    rtp::{AssembledFrame, FrameAssembler, Packetizer},
};

use super::{
    clock::Clock,
    collapse::Collapse,
    estimator::{BandwidthEstimator, LossBased},
    goog_cc::GoogCc,
    inbound::Inbound,
    lost_by_chance::LostByChance,
    outbound::Outbound,
    pacer::Pacer,
    packet::Kind,
    pairs::Dividing,
    protection::Protection,
    queueing::{Queueing, UsualWait},
    redundancy::Redundancy,
    stages::Stages,
    sync::Synchronizer,
    transport_cc::{ProbeInfo, TransportCc},
};
use crate::peer::{
    PeerEvent, ReceivedMedia, TransportStats,
    description::{Negotiated, Stream, VideoStream},
    sender::Outbox,
};

use control::Feedback;
pub(crate) use send::Limits;
use send::MIN_BITRATE;

/// The largest RTP payload: with everything below it a packet stays under 1,280 bytes, which any path takes.
const MAX_PAYLOAD: usize = 1_180;

/// Reports go out once a second; the first ones sooner, so that the round trip is known early.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const FIRST_REPORTS: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(300),
];

/// How often the estimator is looked after; it does nothing more often than this.
const TICK: Duration = Duration::from_millis(25);

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
    /// Copies of sound, where both sides know how.
    redundancy: Option<Redundancy>,
    /// What sound takes on the wire of late while it is sent, in bits a second.
    sound_rate: f64,
    video: Option<VideoStream>,
    packetizer: Option<Packetizer>,
    dividing: Dividing,
    /// Of the stream with this codec and SSRC.
    assembler: Option<((VideoCodec, u32), FrameAssembler)>,
    sync: Synchronizer,
    /// Pictures that wait for the sound, and until when.
    held: VecDeque<(Instant, AssembledFrame)>,
    stages: Stages,
    /// Added to the clock's ticks, as RFC 3550 wants it.
    timestamp_offset: u32,
    /// Reflecting: what to add to the other side's sequence numbers, and for which SSRC.
    reflected: [Option<(u32, u16)>; 2],
    pacer: Pacer,
    protection: Protection,
    transport: TransportCc,
    queueing: Queueing,
    usual_wait: UsualWait,
    lost_by_chance: LostByChance,
    /// Where the other side gives feedback about single packets.
    collapse: Option<Collapse>,
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
    /// `wall`: what clocks on walls say now, for the reports' time stamps.
    pub fn new(
        now: Instant,
        wall: SystemTime,
        limits: Limits,
        outbox: Arc<Outbox>,
        events: mpsc::UnboundedSender<PeerEvent>,
        received: ReceivedMedia,
    ) -> Self {
        let audio_ssrc = rand::random::<u32>() | 1;
        let start = Limits::on_wire(limits.start);
        Self {
            clock: Clock::new(now, wall),
            limits,
            outbox,
            events,
            received,
            audio_out: Outbound::new(Kind::Audio, audio_ssrc),
            video_out: Outbound::new(Kind::Video, audio_ssrc.wrapping_add(1)),
            audio_in: None,
            video_in: None,
            audio: None,
            redundancy: None,
            sound_rate: 0.0,
            video: None,
            packetizer: None,
            dividing: Dividing::default(),
            assembler: None,
            sync: Synchronizer::new(now),
            held: VecDeque::new(),
            stages: Stages::default(),
            timestamp_offset: rand::random(),
            reflected: [None; 2],
            pacer: Pacer::new(start),
            protection: Protection::default(),
            transport: TransportCc::default(),
            queueing: Queueing::new(now),
            usual_wait: UsualWait::new(now),
            lost_by_chance: LostByChance::default(),
            collapse: None,
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
        self.redundancy = negotiated
            .audio
            .zip(negotiated.red)
            .map(|(opus, red)| Redundancy::new(red, opus.payload_type));
        self.audio_out.stream = negotiated.audio.map(|opus| Stream {
            payload_type: negotiated.red.unwrap_or(opus.payload_type),
            ..opus
        });
        let red = PeerEvent::NegotiatedRedundancy(self.redundancy.is_some());
        let _ = self.events.send(red);
        self.video_out.stream = negotiated.video.as_ref().map(|video| video.stream);
        let codec = negotiated.video.as_ref().map(|video| video.codec);
        self.packetizer = codec.map(|codec| Packetizer::new(codec, MAX_PAYLOAD));
        self.video = negotiated.video;
        let _ = self.events.send(PeerEvent::NegotiatedVideo(codec));
    }

    /// Does whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        self.collect(now);
        self.deliver_video(now);
        if self.next_tick.is_none_or(|due| due <= now) {
            self.next_tick = Some(now + TICK);
            self.estimator.tick(now);
            self.use_estimate(now);
            self.synchronize(now);
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
        self.collapse = feedback.then(|| Collapse::new(now));
        self.estimator = if feedback {
            Box::new(GoogCc::new(now, start, min, max))
        } else {
            Box::new(LossBased::new(start, min, max))
        };
        self.use_estimate(now);
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
            self.held.front().map(|(due, _)| *due),
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

    /// The share of packets that the other side misses, of the stream that loses more: without a camera pictures lose none.
    fn loss(&self) -> f64 {
        let [video, audio] = [&self.video_out, &self.audio_out].map(|stream| stream.loss);
        video.unwrap_or(0.0).max(audio.unwrap_or(0.0))
    }

    /// The figures that are known here.
    pub fn stats(&mut self, now: Instant) -> TransportStats {
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
            loss_rate: self.loss(),
            lost_by_chance: self.lost_by_chance.share(),
            video_out: self.video_out.stats,
            audio_out: self.audio_out.stats,
            video_in: inbound(&self.video_in),
            audio_in: inbound(&self.audio_in),
            send_stages: self.stages.send(now),
            receive_stages: self.stages.receive(now),
            sync: self.sync.stats(),
            ..TransportStats::default()
        }
    }
}
