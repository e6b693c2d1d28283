//! What comes in: to the application, or back where it came from.

use std::time::Instant;

use rtc::rtp;
use vireo_media::{
    VideoCodec,
    rtp::{FrameAssembler, RtpPayload},
};

use super::{Feedback, Session};
use crate::peer::{
    ReceivedMedia,
    media::{
        clock::{AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE},
        inbound::Inbound,
        packet::Kind,
    },
};

/// No more pictures wait for the sound: those of a quarter of a second at 120 a second.
const MOST_HELD: usize = 30;

/// No payload is longer: it would not fit the packets that Ethernet carries, and no peer of ours sends one (bytes). What waits
/// is counted in packets, so this bounds its memory too.
pub(super) const LONGEST_PAYLOAD: usize = 1_500;

impl Session {
    /// A packet of the other side's. One that is too long is as good as lost.
    pub fn handle_rtp(&mut self, packet: rtp::Packet, now: Instant) {
        if packet.payload.len() > LONGEST_PAYLOAD {
            return;
        }
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
        } else if self
            .redundancy
            .as_ref()
            .is_some_and(|redundancy| redundancy.payload_type == payload_type)
        {
            self.handle_redundant_audio(ssrc, &payload);
        }
    }

    /// The packet and what copies it carries. Of copies only the jitter buffer knows which are needed.
    fn handle_redundant_audio(&mut self, ssrc: u32, packet: &RtpPayload) {
        let inbound = inbound(&mut self.audio_in, ssrc, AUDIO_CLOCK_RATE);
        inbound.arrived(packet);
        if let (Some(redundancy), ReceivedMedia::Deliver(receiver)) =
            (&self.redundancy, &mut self.received)
        {
            let mut packets = redundancy.unpack(packet);
            if let Some(own) = packets.next() {
                receiver.audio(own);
            }
            packets.for_each(|copy| receiver.audio_copy(copy));
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
        let of = (codec, ssrc);
        if self
            .assembler
            .as_ref()
            .is_none_or(|(assembles, _)| *assembles != of)
        {
            let mut assembler = FrameAssembler::new(codec);
            if let Some(round_trip) = self.video_out.round_trip.or(self.audio_out.round_trip) {
                assembler.set_round_trip(round_trip);
            }
            self.assembler = Some((of, assembler));
        }
        if let Some((_, assembler)) = &mut self.assembler {
            assembler.push(packet);
        }
        self.deliver_video(now);
    }

    /// Hands whole pictures on, and asks for what is missing.
    pub(super) fn deliver_video(&mut self, now: Instant) {
        let (Some((_, assembler)), Some(inbound), ReceivedMedia::Deliver(receiver)) =
            (&mut self.assembler, &mut self.video_in, &mut self.received)
        else {
            return;
        };
        while let Some(assembled) = assembler.poll(now) {
            let due = self.sync.assembled(assembled.frame.rtp_timestamp, now);
            // Nobody overtakes those before.
            let before = self.held.back().map_or(due, |(due, _)| *due);
            self.held.push_back((due.max(before), assembled));
        }
        let round_trip = self.video_out.round_trip.or(self.audio_out.round_trip);
        while let Some((_, picture)) = self
            .held
            .pop_front_if(|(due, _)| *due <= now)
            .or_else(|| (self.held.len() > MOST_HELD).then(|| self.held.pop_front())?)
        {
            let timestamp = picture.frame.rtp_timestamp;
            let first = picture.first_packet_at;
            let transferred = round_trip.and_then(|time| self.sync.age(timestamp, time, first));
            self.stages.handed_on(&picture, transferred, now);
            receiver.video(picture.frame);
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

    /// Keeps sound and picture together.
    pub(super) fn synchronize(&mut self, now: Instant) {
        if let ReceivedMedia::Deliver(receiver) = &mut self.received {
            if let Some(played) = receiver.sound_played() {
                self.sync.sounded(played);
            }
            if self.sync.is_due(now) && self.sync.decide(receiver.until_seen(), now) {
                receiver.delay_sound(self.sync.sound_hold());
            }
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
