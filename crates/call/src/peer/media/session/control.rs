//! Reports and requests of the other side's, and our own reports.

use std::time::{Duration, Instant};

use rtc::rtcp::{
    self,
    payload_feedbacks::{
        full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate,
    },
    receiver_report::ReceiverReport,
    reception_report::ReceptionReport,
    sender_report::SenderReport,
    source_description::{
        SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
    },
    transport_feedbacks::{
        transport_layer_cc::TransportLayerCc,
        transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers},
    },
};

use super::Session;
use crate::peer::{
    PeerEvent, ReceivedMedia,
    media::{
        collapse::Newest,
        estimator::PathState,
        packet::Kind,
        transport_cc::{self, Fate},
    },
};

/// The encoder makes a key frame no more often than this, whoever asks.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(150);

impl Session {
    /// Control packets of the other side's.
    pub fn handle_rtcp(&mut self, packets: &[Box<dyn rtcp::Packet>], now: Instant) {
        let mut told_of = 0;
        for packet in packets {
            let packet = packet.as_any();
            if let Some(report) = packet.downcast_ref::<SenderReport>() {
                let inbounds = [
                    (Kind::Audio, &mut self.audio_in),
                    (Kind::Video, &mut self.video_in),
                ];
                for (kind, inbound) in inbounds {
                    if let Some(inbound) = inbound.as_mut().filter(|of| of.ssrc == report.ssrc) {
                        inbound.sender_reported(report, now);
                        self.sync
                            .reported(kind, report.ntp_time, report.rtp_time, now);
                    }
                }
                self.handle_reports(&report.reports, now);
            } else if let Some(report) = packet.downcast_ref::<ReceiverReport>() {
                self.handle_reports(&report.reports, now);
            } else if let Some(nack) = packet.downcast_ref::<TransportLayerNack>() {
                self.handle_nack(nack, now);
            } else if let Some(feedback) = packet.downcast_ref::<TransportLayerCc>() {
                // What fits into one datagram can tell of millions of packets.
                told_of += transport_cc::told_of(feedback);
                if told_of > transport_cc::MAX_PACKETS {
                    continue;
                }
                let fates = self.transport.feedback(feedback);
                self.queueing.update(&fates, now);
                let (newest, least_waited) = self.waits(&fates);
                let least_waited = least_waited.map(|least| self.usual_wait.beyond(least, now));
                let fates = self.lost_by_chance.take_out(&fates, &self.queueing);
                self.protection.set_loss(self.lost_by_chance.share());
                let in_flight = self.transport.bytes_in_flight();
                let path = PathState {
                    waited: newest.map(|newest| newest.waited),
                    least_waited,
                    lost_by_chance: self.lost_by_chance.share(),
                };
                self.estimator.feedback(now, &fates, in_flight, path);
                self.use_estimate(now);
                self.go_on(newest, now);
            } else if let Some(limit) = packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>() {
                self.estimator
                    .limit(now, limit.bitrate.clamp(0.0, 4e9) as u32);
                self.use_estimate(now);
            } else if packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>() {
                self.handle_key_frame_request(now);
            }
        }
    }

    /// The newest of the packets that arrived, and how long the one that waited least did so.
    fn waits(&self, fates: &[Fate]) -> (Option<Newest>, Option<Duration>) {
        let arrived = fates.iter().filter_map(|fate| {
            Some(Newest {
                sent_at: fate.packet.at,
                waited: self.queueing.waited(fate)?,
            })
        });
        let least = arrived.clone().map(|packet| packet.waited).min();
        (arrived.last(), least)
    }

    fn handle_reports(&mut self, reports: &[ReceptionReport], now: Instant) {
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
                let loss = self.video_out.loss.unwrap_or(0.0);
                self.estimator.loss(now, loss);
            }
            if let Some(share) = self.audio_out.loss
                && report.ssrc == self.audio_out.ssrc
            {
                let _ = self.events.send(PeerEvent::AudioLoss(share));
            }
        }
        self.use_estimate(now);
    }

    fn handle_nack(&mut self, nack: &TransportLayerNack, now: Instant) {
        if nack.media_ssrc != self.video_out.ssrc {
            return;
        }
        let numbers = nack.nacks.iter().copied().flat_map(|pair| pair.into_iter());
        let room = self.pacer.room_for_repeats(now);
        let twice = self.protection.repeats_twice();
        let (repeated, unknown) = self.video_out.repeat(numbers, room, twice, now);
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
    pub(super) fn tell_key_frame(&mut self, now: Instant) {
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

    pub(super) fn key_frame_tell_due(&self, now: Instant) -> Option<Instant> {
        self.key_frame_to_tell.then(|| {
            self.key_frame_told_at
                .map_or(now, |at| at + KEY_FRAME_INTERVAL)
        })
    }

    /// Sender and receiver reports, as one compound packet (RFC 3550, 6.1).
    pub(super) fn report(&mut self, now: Instant) {
        let mut reports: Vec<_> = [&mut self.audio_in, &mut self.video_in]
            .into_iter()
            .flatten()
            .filter_map(|inbound| inbound.report(now))
            .collect();
        let mut packets: Vec<Box<dyn rtcp::Packet>> = Vec::new();
        let streams = [
            (&self.video_out, &self.video_in),
            (&self.audio_out, &self.audio_in),
        ];
        for (outbound, inbound) in streams {
            // What is sent back has the times of whoever sent it.
            let reflected = matches!(self.received, ReceivedMedia::Reflect);
            let theirs = inbound.as_ref().filter(|_| reflected);
            let theirs = theirs.and_then(|inbound| inbound.reported_time(now));
            if let Some(mut report) = outbound.sender_report(&self.clock, theirs, now) {
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
}

/// Whose feedback about whose stream.
pub(super) struct Feedback {
    pub sender_ssrc: u32,
    pub media_ssrc: u32,
}

impl Feedback {
    pub fn nack(&self, missing: &[u16]) -> Vec<Box<dyn rtcp::Packet>> {
        vec![Box::new(TransportLayerNack {
            sender_ssrc: self.sender_ssrc,
            media_ssrc: self.media_ssrc,
            nacks: nack_pairs_from_sequence_numbers(missing),
        })]
    }

    pub fn picture_loss(&self) -> Vec<Box<dyn rtcp::Packet>> {
        vec![Box::new(PictureLossIndication {
            sender_ssrc: self.sender_ssrc,
            media_ssrc: self.media_ssrc,
        })]
    }
}
