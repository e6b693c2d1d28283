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
    /// It waits to be sent again.
    queued: bool,
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
    pub(super) next_sequence_number: u16,
    history: Vec<Option<Sent>>,
    /// When the newest packet's time was: a time stamp and the moment of capture that it stands for.
    time: Option<(Instant, u32)>,
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
            time: None,
        }
    }

    /// What is captured at that moment has this time.
    pub fn captured(&mut self, timestamp: u32, at: Instant) {
        self.time = Some((at, timestamp));
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
            twice: false,
            copy: false,
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
        } else if self.time.is_none() {
            // Of what is sent back nobody says when it was captured.
            self.time = Some((now, packet.timestamp));
        }
        let Some(place) = self.place(packet.sequence_number).filter(|_| !packet.copy) else {
            return;
        };
        let is_other = |sent: &Sent| sent.packet.sequence_number != packet.sequence_number;
        if packet.repeated && place.as_ref().is_some_and(is_other) {
            return; // A newer one has taken its place meanwhile.
        }
        *place = Some(Sent {
            packet: Packet {
                twice: false,
                ..packet.clone()
            },
            at: now,
            queued: false,
        });
    }

    /// Forgets what was sent: nobody shall have it again. A number is left out, so that the other side takes no picture for the
    /// successor of the last one it has.
    pub fn begin_anew(&mut self) {
        self.history.fill(None);
        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
    }

    /// Where a packet is remembered; nowhere for sound.
    fn place(&mut self, sequence_number: u16) -> Option<&mut Option<Sent>> {
        self.history.get_mut(usize::from(sequence_number) % HISTORY)
    }

    /// The packets that the other side asks for and that are still there, `room` bytes of them on the wire at most; and the
    /// numbers of those that are not there. One that still waits to be sent again is not given out a second time. `twice`
    /// says that each is to be sent in two copies.
    pub fn repeat(
        &mut self,
        sequence_numbers: impl Iterator<Item = u16>,
        mut room: usize,
        twice: bool,
        now: Instant,
    ) -> (Vec<Packet>, Vec<u16>) {
        self.stats.nacks += 1;
        let interval = (self.round_trip.unwrap_or_default() / 2).max(MIN_REPEAT_INTERVAL);
        let (mut repeated, mut unknown) = (Vec::new(), Vec::new());
        for number in sequence_numbers {
            let Some(sent) = self
                .place(number)
                .and_then(Option::as_mut)
                .filter(|sent| sent.packet.sequence_number == number)
            else {
                unknown.push(number);
                continue;
            };
            let size = sent.packet.size() * if twice { 2 } else { 1 };
            let crossed = sent.packet.repeated && now.duration_since(sent.at) < interval;
            if sent.queued || crossed || size > room {
                continue;
            }
            room -= size;
            sent.packet.repeated = true;
            sent.queued = true;
            repeated.push(Packet {
                twice,
                ..sent.packet.clone()
            });
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

    /// What we report of this stream; none before the first packet. The stream's time is `reflected` where there is such, else
    /// it is what would be captured now.
    pub fn sender_report(
        &self,
        clock: &Clock,
        reflected: Option<u32>,
        now: Instant,
    ) -> Option<SenderReport> {
        let (captured_at, timestamp) = self.time.filter(|_| self.stats.packets_sent > 0)?;
        let rate = match self.kind {
            Kind::Audio => clock::AUDIO_CLOCK_RATE,
            Kind::Video => clock::VIDEO_CLOCK_RATE,
        };
        let since = clock
            .ticks(now, rate)
            .wrapping_sub(clock.ticks(captured_at, rate));
        Some(SenderReport {
            ssrc: self.ssrc,
            ntp_time: clock.ntp(now),
            rtp_time: reflected.unwrap_or(timestamp.wrapping_add(since)),
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

    const ROOM: usize = 100_000;

    #[test]
    fn repeats_what_is_asked_for_once_in_a_while() {
        let now = Instant::now();
        let mut outbound = Outbound::new(Kind::Video, 1);
        let packet = outbound.packet(Bytes::from_static(b"picture"), 9, true);
        let number = packet.sequence_number;
        outbound.sent(&packet, now);
        let next = number.wrapping_add(1);
        let (repeated, unknown) = outbound.repeat([number, next].into_iter(), ROOM, false, now);
        assert_eq!((repeated.len(), unknown), (1, vec![next]));
        assert_eq!(repeated[0].payload, packet.payload);
        let count = |outbound: &mut Outbound, now| {
            let (repeated, _) = outbound.repeat([number; 3].into_iter(), ROOM, false, now);
            repeated.len()
        };
        // However long it waits until it leaves …
        let later = now + Duration::from_millis(300);
        assert_eq!(count(&mut outbound, later), 0);
        outbound.sent(&repeated[0], later);
        // … and as long as the request may have crossed it.
        assert_eq!(count(&mut outbound, later), 0);
        assert_eq!(count(&mut outbound, later + Duration::from_millis(20)), 1);
    }

    #[test]
    fn a_late_repetition_does_not_take_the_place_of_a_newer_packet() {
        let now = Instant::now();
        let mut outbound = Outbound::new(Kind::Video, 1);
        let mut last = 0;
        let send = |outbound: &mut Outbound| {
            let packet = outbound.packet(Bytes::from_static(b"picture"), 9, true);
            outbound.sent(&packet, now);
            packet.sequence_number
        };
        let first = send(&mut outbound);
        let (repeated, _) = outbound.repeat([first].into_iter(), ROOM, false, now);
        for _ in 0..HISTORY {
            last = send(&mut outbound);
        }
        outbound.sent(&repeated[0], now);
        assert_eq!(
            outbound
                .repeat([last].into_iter(), ROOM, false, now)
                .0
                .len(),
            1
        );
    }

    #[test]
    fn repeats_no_more_than_there_is_room_for() {
        let now = Instant::now();
        let mut outbound = Outbound::new(Kind::Video, 1);
        let mut numbers = Vec::new();
        for _ in 0..100 {
            let packet = outbound.packet(vec![0; 1_000].into(), 9, true);
            outbound.sent(&packet, now);
            numbers.push(packet.sequence_number);
        }
        let (repeated, unknown) = outbound.repeat(numbers.iter().copied(), 5_500, false, now);
        assert_eq!((repeated.len(), unknown.len()), (5, 0));
        // The others are not forgotten.
        let (repeated, _) = outbound.repeat(numbers.into_iter(), ROOM, false, now);
        assert_eq!(repeated.len(), 94);
    }

    #[test]
    fn measures_the_round_trip() {
        let start = Instant::now();
        let clock = Clock::new(start, SystemTime::now());
        let mut outbound = Outbound::new(Kind::Video, 1);
        assert_eq!(outbound.sender_report(&clock, None, start), None);
        let packet = outbound.packet(Bytes::new(), 0, true);
        outbound.sent(&packet, start);
        let sent = outbound
            .sender_report(&clock, None, start)
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
