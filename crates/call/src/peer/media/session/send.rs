//! What goes out, and how much of it.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;
use rtc::rtp;
use vireo_media::{EncodedFrame, codec::OpusPacket, rtp::opus_packet_samples};

use super::Session;
use crate::peer::{
    PeerConfig, PeerEvent, ReceivedMedia,
    media::{
        clock::{AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE},
        collapse::{Admission, Newest},
        packet::{Kind, Packet},
        transport_cc::ProbeInfo,
    },
};

/// Nobody can see anything below this, in bits a second.
pub(super) const MIN_BITRATE: u32 = 50_000;

/// What sound takes on the wire at least, in bits a second.
const AUDIO_BITRATE: u32 = 60_000;

/// What a packet of sound lasts, in samples, where it does not say.
const SOUND_SAMPLES: u32 = 960;

/// What is left of the wire for the codec, headers taken off.
const PAYLOAD_SHARE: f64 = 0.94;

/// A change of the target smaller than this share is not worth telling the encoder.
const TARGET_STEP: f64 = 0.02;

/// Bounds of the bit rate, in bits a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub start: u32,
    pub max: u32,
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
    pub fn on_wire(target: u32) -> u32 {
        (f64::from(target) / PAYLOAD_SHARE) as u32 + AUDIO_BITRATE
    }

    /// What the encoder gets of the estimate, where sound takes so much and this share of the pictures' packets is new and
    /// the rest said again.
    pub fn target(self, estimate: u32, sound: u32, fresh_share: f64) -> u32 {
        let pictures = f64::from(estimate.saturating_sub(sound.max(AUDIO_BITRATE)));
        let payload = pictures * PAYLOAD_SHARE * fresh_share;
        // Rounded up: what fits exactly shall not come out a bit less.
        (payload.ceil() as u32).clamp(MIN_BITRATE, self.max)
    }
}

impl Session {
    /// Takes what the encoders have left in the outbox.
    pub(super) fn collect(&mut self, now: Instant) {
        let queued = self.outbox.take();
        if queued.key_frame_wanted
            && let Some((_, assembler)) = &mut self.assembler
        {
            assembler.want_key_frame(now);
        }
        if queued.video_lost {
            self.key_frame_to_tell = true;
        }
        if matches!(self.received, ReceivedMedia::Reflect) {
            return;
        }
        self.collect_sound(queued.audio);
        self.collect_pictures(queued.video, now);
    }

    fn collect_sound(&mut self, sounds: VecDeque<(OpusPacket, usize)>) {
        if self.audio_out.stream.is_none() {
            return;
        }
        for (sound, copies) in sounds {
            let timestamp = sound.timestamp.wrapping_add(self.timestamp_offset);
            self.audio_out.captured(timestamp, sound.captured_at);
            let samples = opus_packet_samples(&sound.payload).unwrap_or(SOUND_SAMPLES);
            let lasts = f64::from(samples) / f64::from(AUDIO_CLOCK_RATE);
            let payload = match &mut self.redundancy {
                Some(redundancy) => redundancy.pack(sound.payload, timestamp, copies),
                None => sound.payload,
            };
            let packet = self.audio_out.packet(payload, timestamp, false);
            // Averaged over about a second.
            let bits = packet.size() as f64 * 8.0 / lasts;
            self.sound_rate += (bits - self.sound_rate) * lasts;
            self.pacer.push(packet);
        }
    }

    fn collect_pictures(&mut self, frames: VecDeque<(EncodedFrame, Instant)>, now: Instant) {
        let codec = self.video.as_ref().map(|video| video.codec);
        for (frame, encoded_at) in frames {
            if codec != Some(frame.codec) {
                continue;
            }
            let idle = self.transport.idle(now);
            let collapse = self.collapse.as_mut();
            let admission = collapse.map_or(Admission::Whole, |collapse| {
                collapse.admit(frame.key_frame, idle)
            });
            match admission {
                Admission::Whole => {
                    self.stages.queued(self.picture_time(&frame), encoded_at);
                    self.push_picture(frame, now);
                }
                // No picture comes of it: a number is missing before it, see `Outbound::begin_anew`.
                Admission::Sign => self.push_packets(&frame, 1, 1),
                Admission::None => {}
            }
        }
    }

    fn push_picture(&mut self, mut frame: EncodedFrame, now: Instant) {
        if frame.key_frame {
            // It answers everybody who has asked for one until now.
            self.key_frame_told_at = Some(now);
            self.key_frame_to_tell = false;
        }
        if let Some(bytes) = self.pacer.wanted_for_probe() {
            frame.stuff(bytes);
        }
        let least = self.dividing.packets(frame.data.len(), now);
        self.push_packets(&frame, least, usize::MAX);
    }

    fn picture_time(&self, frame: &EncodedFrame) -> u32 {
        let ticks = self.clock.ticks(frame.captured_at, VIDEO_CLOCK_RATE);
        ticks.wrapping_add(self.timestamp_offset)
    }

    /// The last packets of a picture, no more than `most` of `least` that it is divided into.
    fn push_packets(&mut self, frame: &EncodedFrame, least: usize, most: usize) {
        let timestamp = self.picture_time(frame);
        let Some(packetizer) = &mut self.packetizer else {
            return;
        };
        self.video_out.captured(timestamp, frame.captured_at);
        let payloads = packetizer.packetize(frame, least);
        let first = payloads.len().saturating_sub(most);
        for payload in payloads.into_iter().skip(first) {
            let mut packet = self
                .video_out
                .packet(payload.payload, timestamp, payload.marker);
            self.protection.mark(&mut packet, frame.key_frame);
            self.pacer.push(packet);
        }
    }

    /// Writes a packet's header and takes note of it.
    pub(super) fn write(
        &mut self,
        packet: Packet,
        probe: Option<ProbeInfo>,
        now: Instant,
    ) -> rtp::Packet {
        let outbound = match packet.kind {
            Kind::Audio => &mut self.audio_out,
            Kind::Video => &mut self.video_out,
        };
        outbound.sent(&packet, now);
        self.stages.sent(&packet, now);
        if packet.kind == Kind::Video {
            self.protection.sent(&packet);
        }
        let mut header = rtp::Header {
            version: 2,
            marker: packet.marker,
            payload_type: outbound.stream.map_or(0, |stream| stream.payload_type),
            sequence_number: packet.sequence_number,
            timestamp: packet.timestamp,
            ssrc: outbound.ssrc,
            ..Default::default()
        };
        let transport_cc = outbound.stream.and_then(|stream| stream.transport_cc);
        if let Some(id) = transport_cc.filter(|_| !packet.copy) {
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

    /// Feedback has come: goes on with a key frame where pictures were held back.
    pub(super) fn go_on(&mut self, newest: Option<Newest>, now: Instant) {
        let collapse = self.collapse.as_mut();
        if collapse.is_some_and(|collapse| collapse.is_over(newest, now)) {
            // Nobody needs the signs of life again that were asked for.
            self.pacer.clear_pictures();
            self.video_out.begin_anew();
            if newest.is_some_and(Newest::waited_nowhere) {
                self.pacer.outage_is_over();
            }
            self.key_frame_told_at = None;
            self.key_frame_to_tell = true;
            self.tell_key_frame(now);
        }
    }

    /// Lets pacer and encoder know what the path takes.
    pub(super) fn use_estimate(&mut self, now: Instant) {
        let estimate = self.estimator.estimate();
        let narrow = estimate < Limits::on_wire(self.limits.max);
        let path_rate = self.estimator.path_rate();
        self.pacer.set_path(estimate, path_rate, narrow);
        let collapse = self.collapse.as_mut();
        if collapse.is_some_and(|collapse| collapse.happened(estimate, now)) {
            self.pacer.clear_pictures();
            self.video_out.begin_anew();
        }
        if let Some(probe) = self.estimator.take_probe() {
            self.pacer.probe(probe);
        }
        let sound = self.sound_rate as u32;
        let target = self
            .limits
            .target(estimate, sound, self.protection.fresh_share());
        let changed = self.target.is_none_or(|told| {
            let step = f64::from(told) * TARGET_STEP;
            f64::from(told.abs_diff(target)) > step || (target == self.limits.max && told != target)
        });
        if changed && self.video.is_some() {
            self.target = Some(target);
            let _ = self.events.send(PeerEvent::TargetBitrate(target));
        }
    }
}
