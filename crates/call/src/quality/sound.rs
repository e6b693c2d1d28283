//! How sound is coded and protected.

use vireo_media::audio::DEFAULT_AUDIO_BITRATE;

/// What sound gets, in bits a second, where there is no room even for the least pictures.
pub(super) const LEAST_BITS: u32 = 24_000;

/// From so much loss on, in percent, each packet carries the two sounds before as well. Below it Opus's own coarse copy of
/// the one before, which costs much less, makes up for nearly everything.
const COPIES_FROM: u8 = 15;
const COPIES: usize = 2;

/// What the codec gets where each of its packets goes out three times: not much more on the wire than without copies, and
/// two copies of a slightly coarser sound say more than none of a finer one.
const BITS_WITH_COPIES: u32 = 24_000;

/// How sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioQuality {
    /// What the codec aims at. Each copy takes as much again.
    pub bits_per_second: u32,
    /// How much loss Opus's own error correction is to be ready for, in percent; zero turns it off.
    pub expected_loss: u8,
    /// So many of the sounds before go with each packet (RFC 2198).
    pub copies: usize,
}

impl AudioQuality {
    /// For so much loss, in percent. `room`: the path takes pictures as well. `copies`: the other side takes copies.
    pub(super) fn new(expected_loss: u8, room: bool, copies: bool) -> Self {
        if room && copies && expected_loss >= COPIES_FROM {
            return Self {
                bits_per_second: BITS_WITH_COPIES,
                expected_loss: 0, // Two ways of correction for the same sound would be one too many.
                copies: COPIES,
            };
        }
        Self {
            bits_per_second: if room {
                DEFAULT_AUDIO_BITRATE
            } else {
                LEAST_BITS
            },
            expected_loss,
            copies: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_sent_where_much_gets_lost_there_is_room_and_the_other_side_takes_them() {
        for (loss, room, taken, copies) in [
            (3, true, true, 0),
            (14, true, true, 0),
            (15, true, true, 2),
            (100, true, true, 2),
            (30, true, false, 0),
            (30, false, true, 0),
        ] {
            let quality = AudioQuality::new(loss, room, taken);
            assert_eq!(quality.copies, copies, "{loss} % {room} {taken}");
            assert_eq!(quality.expected_loss > 0, copies == 0, "{quality:?}");
        }
    }
}
