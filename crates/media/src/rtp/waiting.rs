//! The packets that wait until their frame is complete, and where key frames begin among them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::RtpPayload;

/// No frame has more packets than this: with them it would be larger than 1 MB.
const MAX_FRAME_PACKETS: usize = 1_000;

/// What can be said about a frame from the packets that are there.
pub(super) enum Found {
    /// Its packets are this range.
    Whole(Range<i64>),
    /// Something is missing from this number on.
    Missing(i64),
    /// It has more packets than any frame has.
    Endless,
}

/// Packets by their extended sequence number.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    packets: BTreeMap<i64, RtpPayload>,
    /// Where key frames begin, one place for each: the first. So no packet is looked at twice in one search, however often
    /// a frame says that it begins.
    key_frames: BTreeMap<i64, u32>,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.packets.len()
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        self.packets.contains_key(&number)
    }

    pub(super) fn insert(&mut self, number: i64, packet: RtpPayload, begins_key_frame: bool) {
        if begins_key_frame {
            self.begin_key_frame(number, packet.timestamp);
        }
        self.packets.insert(number, packet);
    }

    fn begin_key_frame(&mut self, number: i64, timestamp: u32) {
        let same = |(&at, &of): (&i64, &u32)| (of == timestamp).then_some(at);
        let before = self.key_frames.range(..number).next_back();
        if before.and_then(same).is_some() {
            return;
        }
        let after = self.key_frames.range(number..).next();
        if let Some(later) = after.and_then(same) {
            self.key_frames.remove(&later);
        }
        self.key_frames.insert(number, timestamp);
    }

    /// Takes the packets before this number out.
    pub(super) fn take_before(&mut self, number: i64) -> BTreeMap<i64, RtpPayload> {
        self.key_frames = self.key_frames.split_off(&number);
        let rest = self.packets.split_off(&number);
        std::mem::replace(&mut self.packets, rest)
    }

    /// Where the newest key frame after the given packet begins.
    pub(super) fn newest_key_frame(&self, after: i64) -> Option<i64> {
        self.key_frames_after(after).next()
    }

    /// The newest key frame after the given packet that can be dealt with at once: it has come as a whole, or has no end.
    pub(super) fn found_key_frame(&self, after: i64) -> Option<i64> {
        self.key_frames_after(after)
            .find(|&start| !matches!(self.find_frame(start), Found::Missing(_)))
    }

    /// The newest first.
    fn key_frames_after(&self, number: i64) -> impl Iterator<Item = i64> {
        let after = self.key_frames.range(number.saturating_add(1)..);
        after.rev().map(|(&number, _)| number)
    }

    /// Looks at the frame whose first packet, or empty packets before it, should be at `start`.
    pub(super) fn find_frame(&self, start: i64) -> Found {
        let mut expected = start;
        let mut timestamp = None;
        for (&number, packet) in self.packets.range(start..) {
            if number != expected {
                break;
            }
            expected += 1;
            if packet.payload.is_empty() {
                // Padding that a sender probes the path with; it comes between frames.
                continue;
            }
            let own = *timestamp.get_or_insert(packet.timestamp);
            if own != packet.timestamp {
                return Found::Whole(start..number);
            }
            if packet.marker {
                return Found::Whole(start..expected);
            }
            if (number - start) as usize >= MAX_FRAME_PACKETS {
                return Found::Endless;
            }
        }
        Found::Missing(expected)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;

    fn packet(timestamp: u32) -> RtpPayload {
        RtpPayload {
            sequence_number: 0,
            timestamp,
            marker: false,
            payload: Bytes::from_static(b"part"),
            received_at: Instant::now(),
        }
    }

    #[test]
    fn a_key_frame_begins_once_whatever_the_order() {
        for order in [[5, 6, 7, 8], [8, 7, 6, 5], [6, 8, 5, 7]] {
            let mut waiting = Waiting::default();
            waiting.insert(2, packet(1), true);
            for number in order {
                waiting.insert(number, packet(9), true);
            }
            let starts: Vec<i64> = waiting.key_frames_after(i64::MIN).collect();
            assert_eq!(starts, [5, 2]);
            waiting.take_before(6);
            assert_eq!(
                waiting.newest_key_frame(i64::MIN),
                None,
                "its start is gone"
            );
        }
    }

    #[test]
    fn a_frame_without_an_end_is_told_from_one_that_is_not_here_yet() {
        let mut waiting = Waiting::default();
        for number in 0..=1_000 {
            assert!(matches!(waiting.find_frame(0), Found::Missing(missing) if missing == number));
            waiting.insert(number, packet(9), true);
        }
        assert!(matches!(waiting.find_frame(0), Found::Endless));
        assert_eq!(waiting.found_key_frame(i64::MIN), Some(0));
    }
}
