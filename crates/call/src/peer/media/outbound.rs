//! One stream that we send: its numbering, its history for those who ask again, and what the other side reports of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rtc::rtcp::{reception_report::ReceptionReport, sender_report::SenderReport};

use super::{
    clock::{self, Clock},
    packet::{Kind, Packet},
};
use crate::peer::{OutboundStats, description::Stream};

/// How many packets can be sent again. At 4 Mbit/s this is about two seconds.
const HISTORY: usize = 1_024;

/// A packet that was just sent again is not sent once more: the request has crossed it.
const MIN_REPEAT_INTERVAL: Duration = Duration::from_millis(10);

#[derive(Debug, Clone)]
struct Sent {
    packet: Packet,
    at: Instant,
}

/// A stream of ours.
#[derive(Debug)]
pub(crate) struct Outbound {
    kind: Kind,
    pub ssrc: u32,
    /// None until both descriptions are known, or when the section was rejected.
    pub stream: Option<Stream>,
    pub stats: OutboundStats,
    /// Round trip by the newest report.
    pub round_trip: Option<Duration>,
    /// Share of packets lost by the newest report, 0–1.
    pub loss: Option<f64>,
    next_sequence_number: u16,
    history: Vec<Option<Sent>>,
    last_sent: Option<(Instant, u32)>,
}

impl Outbound {
    pub fn new(kind: Kind, ssrc: u32) -> Self {
        Self {
            kind,
            ssrc,
            stream: None,
            stats: OutboundStats::default(),
            round_trip: None,
            loss: None,
            // Below 2^15, so that the other side sees no wrap-around in the first packets (RFC 3711, 3.3.1).
            next_sequence_number: rand::random::<u16>() >> 1,
            history: match kind {
                Kind::Audio => Vec::new(), // What is lost of the sound is concealed, not sent again.
                Kind::Video => vec![None; HISTORY],
            },
            last_sent: None,
        }
    }

    /// A new packet with the next number.
    pub fn packet(&mut self, payload: Bytes, timestamp: u32, marker: bool) -> Packet {
        let sequence_number = self.next_sequence_number;
        self.next_sequence_number = sequence_number.wrapping_add(1);
        self.numbered_packet(payload, timestamp, marker, sequence_number)
    }

    /// A new packet with a number of somebody else's choice.
    pub fn numbered_packet(
        &self,
        payload: Bytes,
        timestamp: u32,
        marker: bool,
        sequence_number: u16,
    ) -> Packet {
        Packet {
            kind: self.kind,
            payload,
            timestamp,
            marker,
            sequence_number,
            repeated: false,
        }
    }

    /// The number that the next packet will get.
    pub fn next_sequence_number(&self) -> u16 {
        self.next_sequence_number
    }

    /// Takes note of a packet that leaves now.
    pub fn sent(&mut self, packet: &Packet, now: Instant) {
        self.stats.packets_sent += 1;
        self.stats.bytes_sent += packet.payload.len() as u64;
        if packet.repeated {
            self.stats.retransmitted_packets += 1;
        } else {
            self.last_sent = Some((now, packet.timestamp));
        }
        if !self.history.is_empty() {
            self.history[usize::from(packet.sequence_number) % HISTORY] = Some(Sent {
                packet: packet.clone(),
                at: now,
            });
        }
    }

    /// The packets that the other side asks for and that are still there; and the numbers of those that are not.
    pub fn repeat(
        &mut self,
        sequence_numbers: impl Iterator<Item = u16>,
        now: Instant,
    ) -> (Vec<Packet>, Vec<u16>) {
        self.stats.nacks += 1;
        let interval = (self.round_trip.unwrap_or_default() / 2).max(MIN_REPEAT_INTERVAL);
        let (mut repeated, mut unknown) = (Vec::new(), Vec::new());
        for number in sequence_numbers {
            let place = self.history.get_mut(usize::from(number) % HISTORY);
            let Some(sent) = place
                .and_then(Option::as_mut)
                .filter(|sent| sent.packet.sequence_number == number)
            else {
                unknown.push(number);
                continue;
            };
            if sent.packet.repeated && now.duration_since(sent.at) < interval {
                continue;
            }
            sent.packet.repeated = true;
            sent.at = now;
            repeated.push(sent.packet.clone());
        }
        (repeated, unknown)
    }

    /// Reads what the other side reports of this stream (RFC 3550, 6.4.1).
    pub fn reported(&mut self, report: &ReceptionReport, clock: &Clock, now: Instant) {
        self.loss = Some(f64::from(report.fraction_lost) / 256.0);
        if report.last_sender_report == 0 {
            return;
        }
        let elapsed = clock::compact(clock.ntp(now)).wrapping_sub(report.last_sender_report);
        let round_trip = elapsed.wrapping_sub(report.delay);
        // Clocks tick in 1/65536 s on both sides; a reply that comes "before" its question took no time at all.
        self.round_trip = Some(match i32::try_from(round_trip) {
            Ok(ticks) => clock::from_compact(ticks.unsigned_abs()),
            Err(_) => Duration::ZERO,
        });
    }

    /// What we report of this stream; none before the first packet.
    pub fn sender_report(&self, clock: &Clock, now: Instant) -> Option<SenderReport> {
        let (sent_at, timestamp) = self.last_sent?;
        let rate = match self.kind {
            Kind::Audio => clock::AUDIO_CLOCK_RATE,
            Kind::Video => clock::VIDEO_CLOCK_RATE,
        };
        let since = clock
            .ticks(now, rate)
            .wrapping_sub(clock.ticks(sent_at, rate));
        Some(SenderReport {
            ssrc: self.ssrc,
            ntp_time: clock.ntp(now),
            rtp_time: timestamp.wrapping_add(since),
            packet_count: self.stats.packets_sent as u32,
            octet_count: self.stats.bytes_sent as u32,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn repeats_what_is_asked_for_once_in_a_while() {
        let now = Instant::now();
        let mut outbound = Outbound::new(Kind::Video, 1);
        let packet = outbound.packet(Bytes::from_static(b"picture"), 9, true);
        let number = packet.sequence_number;
        outbound.sent(&packet, now);
        let next = number.wrapping_add(1);
        let (repeated, unknown) = outbound.repeat([number, next].into_iter(), now);
        assert_eq!((repeated.len(), unknown), (1, vec![next]));
        assert_eq!(repeated[0].payload, packet.payload);
        assert!(outbound.repeat([number].into_iter(), now).0.is_empty());
        let later = now + Duration::from_millis(20);
        assert_eq!(outbound.repeat([number].into_iter(), later).0.len(), 1);
    }

    #[test]
    fn measures_the_round_trip() {
        let start = Instant::now();
        let clock = Clock::new(start, SystemTime::now());
        let mut outbound = Outbound::new(Kind::Video, 1);
        assert_eq!(outbound.sender_report(&clock, start), None);
        let packet = outbound.packet(Bytes::new(), 0, true);
        outbound.sent(&packet, start);
        let sent = outbound
            .sender_report(&clock, start)
            .expect("something was sent");
        let report = ReceptionReport {
            last_sender_report: clock::compact(sent.ntp_time),
            delay: 65_536 / 2,
            fraction_lost: 64,
            ..Default::default()
        };
        outbound.reported(&report, &clock, start + Duration::from_millis(530));
        let round_trip = outbound.round_trip.expect("a report has come");
        assert!((29..32).contains(&round_trip.as_millis()), "{round_trip:?}");
        assert_eq!(outbound.loss, Some(0.25));
    }
}
