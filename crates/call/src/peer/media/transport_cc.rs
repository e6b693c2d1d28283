//! What was sent and when it arrived: the transport-wide sequence numbers of our packets and the other side's feedback on
//! them (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use rtc::{
    interceptor::convert_twcc,
    rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, TransportLayerCc},
};

/// What was sent so long ago gets no feedback any more.
const MAX_AGE: Duration = Duration::from_secs(5);

/// A bound for a sender that gets no feedback at all.
pub(super) const MAX_PACKETS: usize = 10_000;

/// The feedback's clock starts anew after so long: 2^24 times 64 ms.
const REFERENCE_WRAP: Duration = Duration::from_millis(64 << 24);

/// A packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SentPacket {
    /// Counts packets.
    pub number: u64,
    pub at: Instant,
    /// On the wire.
    pub bytes: usize,
    pub audio: bool,
    /// The probe it was part of.
    pub probe: Option<ProbeInfo>,
}

/// Which probe a packet was part of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ProbeInfo {
    pub id: i32,
    pub bits_per_second: f64,
    pub bytes: usize,
    pub packets: usize,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fate {
    pub packet: SentPacket,
    /// By the receiver's clock, whose zero is anywhere; none when it is lost.
    pub arrival: Option<Duration>,
}

/// The packets in flight.
#[derive(Debug, Default)]
pub(crate) struct TransportCc {
    next: u64,
    in_flight: VecDeque<SentPacket>,
    bytes_in_flight: usize,
    last_sent_at: Option<Instant>,
    reference: Option<(u32, Duration)>,
}

impl TransportCc {
    /// For how long nothing has been sent.
    pub fn idle(&self, now: Instant) -> Duration {
        self.last_sent_at
            .map_or(Duration::MAX, |at| now.saturating_duration_since(at))
    }

    /// Takes note of a packet that leaves now; gives the number to write into its header.
    pub fn sent(
        &mut self,
        now: Instant,
        bytes: usize,
        audio: bool,
        probe: Option<ProbeInfo>,
    ) -> (u16, SentPacket) {
        let packet = SentPacket {
            number: self.next,
            at: now,
            bytes,
            audio,
            probe,
        };
        self.next += 1;
        self.last_sent_at = Some(now);
        self.in_flight.push_back(packet);
        self.bytes_in_flight += bytes;
        while self.in_flight.len() > MAX_PACKETS
            || self
                .in_flight
                .front()
                .is_some_and(|oldest| now.duration_since(oldest.at) > MAX_AGE)
        {
            if let Some(oldest) = self.in_flight.pop_front() {
                self.bytes_in_flight -= oldest.bytes;
            }
        }
        (packet.number as u16, packet)
    }

    /// Bytes that have been sent and not yet been reported on.
    pub fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Reads the other side's feedback. A packet reported as lost may still be reported as received later.
    pub fn feedback(&mut self, feedback: &TransportLayerCc) -> Vec<Fate> {
        let turn = self.turn(feedback.reference_time);
        let mut fates = Vec::new();
        // The last chunk is filled up with packets that are not reported on: they look lost, and are under way.
        let reported = usize::from(feedback.packet_status_count);
        for acknowledgement in convert_twcc(feedback).into_iter().take(reported) {
            let Some(number) = self.number(acknowledgement.sequence_number) else {
                continue;
            };
            let Ok(index) = self
                .in_flight
                .binary_search_by_key(&number, |packet| packet.number)
            else {
                continue;
            };
            let packet = self.in_flight[index];
            if acknowledgement.arrived && acknowledgement.arrival.is_none() {
                continue;
            }
            fates.push(Fate {
                packet,
                arrival: acknowledgement.arrival.map(|arrival| turn + arrival),
            });
            if acknowledgement.arrived {
                self.in_flight.remove(index);
                self.bytes_in_flight -= packet.bytes;
            }
        }
        fates
    }

    /// The packet that the other side means: the newest of ours with these 16 bits. None for one that was never sent.
    fn number(&self, sequence_number: u16) -> Option<u64> {
        let back = (self.next as u16).wrapping_sub(sequence_number);
        self.next.checked_sub(u64::from(back))
    }

    /// How often the 24 bits of the reference time have wrapped around, as time.
    fn turn(&mut self, reference: u32) -> Duration {
        let turn = match self.reference {
            Some((last, turn)) if last > reference && last - reference > 1 << 23 => {
                turn + REFERENCE_WRAP
            }
            Some((_, turn)) => turn,
            None => Duration::ZERO,
        };
        self.reference = Some((reference, turn));
        turn
    }
}

/// Of how many packets the feedback tells. Two bytes of it can tell of eight thousand.
pub(super) fn told_of(feedback: &TransportLayerCc) -> usize {
    let chunks = feedback.packet_chunks.iter();
    let told = chunks.map(|chunk| match chunk {
        PacketStatusChunk::RunLengthChunk(run) => usize::from(run.run_length),
        PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.len(),
    });
    told.sum()
}

#[cfg(test)]
mod tests {
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, RunLengthChunk, StatusVectorChunk, SymbolTypeTcc,
    };

    use super::*;

    fn feedback(base: u16, count: u16, symbol: SymbolTypeTcc, reference: u32) -> TransportLayerCc {
        let received = symbol != SymbolTypeTcc::PacketNotReceived;
        TransportLayerCc {
            base_sequence_number: base,
            packet_status_count: count,
            reference_time: reference,
            packet_chunks: vec![PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                packet_status_symbol: symbol,
                run_length: count,
                ..Default::default()
            })],
            recv_deltas: (0..if received { count } else { 0 })
                .map(|_| RecvDelta {
                    delta: 1_000,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }
    }

    #[test]
    fn joins_packets_with_their_fate_across_wrap_around() {
        let start = Instant::now();
        let mut transport = TransportCc::default();
        let mut reported = 0;
        for number in 0..70_000u32 {
            let (header, packet) = transport.sent(start, 100, false, None);
            assert_eq!(header, number as u16);
            assert_eq!(packet.number, u64::from(number));
            if number % 100 == 99 {
                let base = (number - 99) as u16;
                let symbol = SymbolTypeTcc::PacketReceivedSmallDelta;
                let fates = transport.feedback(&feedback(base, 100, symbol, 1));
                assert_eq!(fates.len(), 100);
                assert_eq!(fates[99].packet.number, u64::from(number));
                assert_eq!(fates[0].arrival, Some(Duration::from_millis(65)));
                reported += 100;
            }
        }
        assert_eq!(reported, 70_000);
        assert_eq!(transport.bytes_in_flight(), 0);
    }

    #[test]
    fn a_lost_packet_may_turn_up_later() {
        let start = Instant::now();
        let mut transport = TransportCc::default();
        transport.sent(start, 100, false, None);
        let lost = transport.feedback(&feedback(0, 1, SymbolTypeTcc::PacketNotReceived, 1));
        assert_eq!(lost[0].arrival, None);
        assert_eq!(transport.bytes_in_flight(), 100);
        let late = transport.feedback(&feedback(0, 1, SymbolTypeTcc::PacketReceivedSmallDelta, 2));
        assert!(late[0].arrival.is_some());
        assert_eq!(transport.bytes_in_flight(), 0);
    }

    /// A chunk holds seven or fourteen packets, however many are reported on.
    #[test]
    fn what_fills_a_chunk_up_is_not_lost() {
        let start = Instant::now();
        let mut transport = TransportCc::default();
        for _ in 0..7 {
            transport.sent(start, 100, false, None);
        }
        let received = SymbolTypeTcc::PacketReceivedSmallDelta;
        let lost = SymbolTypeTcc::PacketNotReceived;
        let symbols = [received, lost, received, lost, lost, lost, lost];
        let fates = transport.feedback(&TransportLayerCc {
            packet_status_count: 3,
            packet_chunks: vec![PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                symbol_list: symbols.to_vec(),
                ..Default::default()
            })],
            ..feedback(0, 2, received, 1)
        });
        let arrived: Vec<_> = fates.iter().map(|fate| fate.arrival.is_some()).collect();
        assert_eq!(arrived, [true, false, true]);
    }

    #[test]
    fn nonsense_about_packets_that_were_never_sent_changes_nothing() {
        let start = Instant::now();
        let mut transport = TransportCc::default();
        transport.sent(start, 100, false, None);
        for base in [1, 30_000, 60_000] {
            let nonsense = feedback(base, 5_000, SymbolTypeTcc::PacketReceivedSmallDelta, 1);
            assert!(transport.feedback(&nonsense).is_empty());
            let nonsense = feedback(base, 5_000, SymbolTypeTcc::PacketNotReceived, 1);
            assert!(transport.feedback(&nonsense).is_empty());
        }
        let genuine = feedback(0, 1, SymbolTypeTcc::PacketReceivedSmallDelta, 1);
        assert_eq!(transport.feedback(&genuine).len(), 1);
        assert_eq!(transport.bytes_in_flight(), 0);
    }

    #[test]
    fn the_receivers_clock_goes_on_when_its_bits_run_out() {
        let mut transport = TransportCc::default();
        assert_eq!(transport.turn(0xff_fff0), Duration::ZERO);
        assert_eq!(transport.turn(3), REFERENCE_WRAP);
        assert_eq!(transport.turn(5), REFERENCE_WRAP);
    }

    #[test]
    fn old_packets_are_forgotten() {
        let start = Instant::now();
        let mut transport = TransportCc::default();
        transport.sent(start, 100, false, None);
        transport.sent(start + 2 * MAX_AGE, 50, false, None);
        assert_eq!(transport.bytes_in_flight(), 50);
    }
}
