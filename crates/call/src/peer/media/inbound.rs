//! One stream that we receive: what is missing, and what we report of it.

use std::time::Instant;

use rtc::rtcp::{reception_report::ReceptionReport, sender_report::SenderReport};
use vireo_media::rtp::{RtpPayload, Unwrapper};

use super::clock;
use crate::peer::InboundStats;

/// A stream of the other side's.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub ssrc: u32,
    pub stats: InboundStats,
    clock_rate: u32,
    numbers: Unwrapper,
    first: Option<i64>,
    highest: Option<i64>,
    expected_at_report: u64,
    received_at_report: u64,
    /// Arrival and timestamp of the newest packet.
    transit: Option<(Instant, u32)>,
    /// Ticks of the stream's clock.
    jitter: f64,
    sender_report: Option<(u32, Instant)>,
    /// The stream's time when that report came.
    reported_time: u32,
}

impl Inbound {
    pub fn new(ssrc: u32, clock_rate: u32) -> Self {
        Self {
            ssrc,
            stats: InboundStats::default(),
            clock_rate,
            numbers: Unwrapper::default(),
            first: None,
            highest: None,
            expected_at_report: 0,
            received_at_report: 0,
            transit: None,
            jitter: 0.0,
            sender_report: None,
            reported_time: 0,
        }
    }

    /// The same person's stream under another SSRC: counters go on, numbering starts anew.
    pub fn restarted(&self, ssrc: u32) -> Self {
        let mut restarted = Self::new(ssrc, self.clock_rate);
        restarted.stats = self.stats;
        restarted.received_at_report = self.stats.packets_received;
        restarted
    }

    /// Takes note of a packet; duplicates never get here (SRTP keeps them out).
    pub fn arrived(&mut self, packet: &RtpPayload) {
        let number = self.numbers.peek_u16(packet.sequence_number);
        self.first = Some(self.first.map_or(number, |first| first.min(number)));
        self.stats.packets_received += 1;
        self.stats.bytes_received += packet.payload.len() as u64;
        if self.highest.is_none_or(|highest| number > highest) {
            self.highest = Some(number);
            self.numbers.keep(number);
            self.measure_jitter(packet);
        }
    }

    /// Interarrival jitter (RFC 3550, 6.4.1 and A.8), over packets in order, of different pictures for video.
    fn measure_jitter(&mut self, packet: &RtpPayload) {
        if let Some((then, timestamp)) = self.transit {
            if timestamp == packet.timestamp {
                return;
            }
            let elapsed = packet
                .received_at
                .saturating_duration_since(then)
                .as_secs_f64()
                * f64::from(self.clock_rate);
            let stamped = f64::from(packet.timestamp.wrapping_sub(timestamp) as i32);
            let difference = (elapsed - stamped).abs();
            // A jump of the sender's clock (a new source) is no jitter.
            if difference < f64::from(self.clock_rate) {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
        self.transit = Some((packet.received_at, packet.timestamp));
        self.stats.jitter_ms = (self.jitter * 1_000.0 / f64::from(self.clock_rate)).round() as u32;
    }

    /// Takes note of the sender's own report.
    pub fn sender_reported(&mut self, report: &SenderReport, now: Instant) {
        self.sender_report = Some((clock::compact(report.ntp_time), now));
        self.reported_time = report.rtp_time;
    }

    /// The stream's time now, by the sender's report.
    pub fn reported_time(&self, now: Instant) -> Option<u32> {
        let (_, at) = self.sender_report?;
        let since = now.saturating_duration_since(at).as_secs_f64() * f64::from(self.clock_rate);
        Some(self.reported_time.wrapping_add(since as u32))
    }

    /// What we report of this stream (RFC 3550, A.3); none before the first packet.
    pub fn report(&mut self, now: Instant) -> Option<ReceptionReport> {
        let (first, highest) = (self.first?, self.highest?);
        let expected = highest.abs_diff(first) + 1;
        let base = self.received_at_report;
        let received = self.stats.packets_received - base;
        let expected_since = expected.saturating_sub(self.expected_at_report);
        let lost_since = expected_since.saturating_sub(received);
        self.expected_at_report = expected;
        self.received_at_report = self.stats.packets_received;
        self.stats.packets_lost =
            (self.stats.packets_lost + expected_since).saturating_sub(received);
        Some(ReceptionReport {
            ssrc: self.ssrc,
            fraction_lost: (lost_since * 256)
                .checked_div(expected_since)
                .unwrap_or(0)
                .min(255) as u8,
            total_lost: self.stats.packets_lost.min(0x7f_ffff) as u32,
            last_sequence_number: highest as u32,
            jitter: self.jitter as u32,
            last_sender_report: self.sender_report.map_or(0, |(ntp, _)| ntp),
            delay: self.sender_report.map_or(0, |(_, at)| {
                (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn packet(sequence_number: u16, timestamp: u32, received_at: Instant) -> RtpPayload {
        RtpPayload {
            sequence_number,
            timestamp,
            marker: true,
            payload: Bytes::from_static(b"0123456789"),
            received_at,
        }
    }

    #[test]
    fn reports_loss_per_interval_and_altogether() {
        let now = Instant::now();
        let mut inbound = Inbound::new(7, 90_000);
        assert_eq!(inbound.report(now), None);
        for number in (0..100).filter(|number| number % 4 != 1) {
            inbound.arrived(&packet(number, u32::from(number) * 3_000, now));
        }
        let report = inbound.report(now).expect("packets have come");
        assert_eq!(report.fraction_lost, 64);
        assert_eq!(report.total_lost, 25);
        assert_eq!(report.last_sequence_number & 0xffff, 99);
        for number in 100..200 {
            inbound.arrived(&packet(number, u32::from(number) * 3_000, now));
        }
        let report = inbound.report(now).expect("packets have come");
        assert_eq!(report.fraction_lost, 0);
        assert_eq!(report.total_lost, 25);
        // Five of the lost ones come after all, sent again.
        for number in [1, 5, 9, 13, 17] {
            inbound.arrived(&packet(number, u32::from(number) * 3_000, now));
        }
        let report = inbound.report(now).expect("packets have come");
        assert_eq!(report.total_lost, 20);
        assert_eq!(inbound.stats.bytes_received, 1_800);
    }

    #[test]
    fn measures_jitter() {
        let start = Instant::now();
        let mut inbound = Inbound::new(7, 90_000);
        for number in 0..200u16 {
            let late = if number % 2 == 0 { 0 } else { 8 };
            let at = start + Duration::from_millis(u64::from(number) * 33 + late);
            inbound.arrived(&packet(number, u32::from(number) * 33 * 90, at));
        }
        assert!(
            (7..=8).contains(&inbound.stats.jitter_ms),
            "{:?}",
            inbound.stats
        );
    }

    #[test]
    fn tells_when_the_senders_report_came() {
        let now = Instant::now();
        let mut inbound = Inbound::new(7, 48_000);
        inbound.arrived(&packet(0, 0, now));
        let report = SenderReport {
            ntp_time: 0x1234_5678_9abc_def0,
            ..Default::default()
        };
        inbound.sender_reported(&report, now);
        let report = inbound
            .report(now + Duration::from_millis(500))
            .expect("a packet has come");
        assert_eq!(report.last_sender_report, 0x5678_9abc);
        assert_eq!(report.delay, 32_768);
    }
}
