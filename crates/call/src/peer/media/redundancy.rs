//! Copies of the sound before, in the packets that follow it (RFC 2198).

use std::collections::VecDeque;

use bytes::Bytes;
use vireo_media::rtp::{RedBlock, RtpPayload, red_blocks, red_packet};

/// No packet carries more copies than this.
pub(crate) const MAX_COPIES: usize = 3;

/// Packs what is sent and unpacks what comes, where both sides know how.
#[derive(Debug)]
pub(crate) struct Redundancy {
    /// Of such packets, and of the Opus in them.
    pub payload_type: u8,
    inner_type: u8,
    /// What was sent last, with its time, the newest first.
    sent: VecDeque<(Bytes, u32)>,
}

impl Redundancy {
    pub fn new(payload_type: u8, inner_type: u8) -> Self {
        Self {
            payload_type,
            inner_type,
            sent: VecDeque::new(),
        }
    }

    /// The payload with so many copies.
    pub fn pack(&mut self, payload: Bytes, timestamp: u32, copies: usize) -> Bytes {
        let before = self.sent.iter().take(copies);
        let blocks: Vec<RedBlock> = before
            .map(|(payload, of)| RedBlock {
                payload: payload.clone(),
                before: timestamp.wrapping_sub(*of),
            })
            .collect();
        let packet = red_packet(self.inner_type, &payload, &blocks);
        self.sent.push_front((payload, timestamp));
        self.sent.truncate(MAX_COPIES);
        packet
    }

    /// The packets in a packet, each with its own number and time; none of what makes no sense.
    pub fn unpack(&self, packet: &RtpPayload) -> impl Iterator<Item = RtpPayload> + use<> {
        let blocks = red_blocks(&packet.payload, self.inner_type).unwrap_or_default();
        let packet = packet.clone();
        (0_u16..).zip(blocks).map(move |(back, block)| RtpPayload {
            sequence_number: packet.sequence_number.wrapping_sub(back),
            timestamp: packet.timestamp.wrapping_sub(block.before),
            payload: block.payload,
            ..packet
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_lost_packet_is_in_those_that_follow() {
        let mut redundancy = Redundancy::new(63, 111);
        let sounds =
            ["one", "two", "three", "four"].map(|word| Bytes::from_static(word.as_bytes()));
        let packets: Vec<RtpPayload> = (0_u16..)
            .zip(&sounds)
            .map(|(number, sound)| {
                let timestamp = u32::from(number) * 960;
                RtpPayload {
                    sequence_number: number.wrapping_sub(2),
                    timestamp,
                    marker: false,
                    payload: redundancy.pack(sound.clone(), timestamp, 2),
                    received_at: Instant::now(),
                }
            })
            .collect();
        let unpacked: Vec<(u16, u32, Bytes)> = redundancy
            .unpack(&packets[3])
            .map(|packet| (packet.sequence_number, packet.timestamp, packet.payload))
            .collect();
        let [_, two, three, four] = sounds;
        let expected = [(1, 2_880, four), (0, 1_920, three), (65_535, 960, two)];
        assert_eq!(unpacked, expected);
        assert_eq!(redundancy.unpack(&packets[0]).count(), 1);
    }
}
