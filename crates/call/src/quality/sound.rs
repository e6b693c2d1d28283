//! How sound is coded and protected.

use vireo_media::audio::DEFAULT_AUDIO_BITRATE;

/// What sound gets, in bits a second, where there is no room even for the least pictures.
pub(super) const LEAST_BITS: u32 = 24_000;

/// What to do from some loss on.
struct Level {
    /// In percent.
    loss: u8,
    /// So much has to be left for pictures, in bits a second.
    room: u32,
    copies: usize,
    /// For each of the copies and the sound itself.
    bits: u32,
}

/// Whole copies of the sounds before, in each packet (RFC 2198). Below it Opus's own coarse copy of the one before is nearly
/// as good and costs much less, in bits and in time: each copy is waited for 20 ms longer. By `cargo xtask bench sound`,
/// PESQ at 10 % loss is 3.1 with Opus's own and 3.7 with two copies; at 30 % it is 1.7, 2.6 and, with three, 3.5.
const LEVELS: [Level; 2] = [
    Level {
        loss: 15,
        room: 400_000,
        copies: 3,
        bits: 32_000,
    },
    Level {
        loss: 4,
        room: 250_000,
        copies: 2,
        bits: 24_000,
    },
];

/// Where little gets lost and pictures have so much room, in bits a second, packets are short: sound is on its way 10 ms sooner and
/// waits for the next as much less, for 23 kbit/s of headers.
const SHORT_ROOM: u32 = 1_000_000;
/// They stay so as long as there is so much.
const STILL_SHORT_ROOM: u32 = 700_000;
/// More loss, in percent, is protected against; each copy takes its packet along.
const SHORT_LOSS: u8 = 3;

/// How sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioQuality {
    /// What the codec aims at. Each copy takes as much again.
    pub bits_per_second: u32,
    /// How much loss Opus's own error correction is to be ready for, in percent; zero turns it off.
    pub expected_loss: u8,
    /// So many of the sounds before go with each packet (RFC 2198).
    pub copies: usize,
    /// Packets hold 10 ms and not 20.
    pub short_packets: bool,
}

impl AudioQuality {
    /// For so much loss, in percent. `room`: bits a second that are sent as pictures; none where there is no room for any.
    /// `copies`: the other side takes copies.
    pub(super) fn new(expected_loss: u8, room: Option<u32>, copies: bool) -> Self {
        let fits =
            |level: &&Level| copies && expected_loss >= level.loss && room >= Some(level.room);
        if let Some(level) = LEVELS.iter().find(fits) {
            return Self {
                bits_per_second: level.bits,
                expected_loss: 0, // Two ways of correction for the same sound would be one too many.
                copies: level.copies,
                short_packets: false,
            };
        }
        Self {
            bits_per_second: room.map_or(LEAST_BITS, |_| DEFAULT_AUDIO_BITRATE),
            expected_loss,
            copies: 0,
            short_packets: false,
        }
    }

    /// With packets as short as a path allows on which pictures have so much room, where they were short `before` or not.
    pub(super) fn with_packets(self, for_pictures: u32, before: bool) -> Self {
        let room = if before { STILL_SHORT_ROOM } else { SHORT_ROOM };
        let calm = self.copies == 0 && self.expected_loss <= SHORT_LOSS;
        Self {
            short_packets: calm && for_pictures >= room,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_short_where_nothing_is_in_the_way() {
        let mut short = false;
        for (loss, for_pictures, expected) in [
            (3, 900_000, false),
            (3, 1_000_000, true),
            (3, 800_000, true),
            (4, 2_000_000, false),
            (3, 800_000, false),
            (3, 2_000_000, true),
            (3, 600_000, false),
        ] {
            let quality = AudioQuality::new(loss, Some(for_pictures), false);
            short = quality.with_packets(for_pictures, short).short_packets;
            assert_eq!(short, expected, "{loss} % {for_pictures}");
        }
    }

    #[test]
    fn copies_are_sent_where_much_gets_lost_there_is_room_and_the_other_side_takes_them() {
        for (loss, room, taken, copies) in [
            (3, Some(2_000_000), true, 0),
            (4, Some(2_000_000), true, 2),
            (14, Some(250_000), true, 2),
            (15, Some(2_000_000), true, 3),
            (15, Some(300_000), true, 2),
            (100, Some(200_000), true, 0),
            (30, Some(2_000_000), false, 0),
            (30, None, true, 0),
        ] {
            let quality = AudioQuality::new(loss, room, taken);
            assert_eq!(quality.copies, copies, "{loss} % {room:?} {taken}");
            assert_eq!(quality.expected_loss > 0, copies == 0, "{quality:?}");
        }
    }
}
