//! What is coded and sent of a silence: its beginning, and a refresher now and then (discontinuous transmission).

/// Opus packets up to this size say "silence goes on" and need not be sent.
const DTX_SIZE: usize = 2;

/// While there is nothing to be heard, something is coded every so many samples: 400 ms, as Opus does by itself.
const REFRESH: usize = 19_200;

#[derive(Debug, Default)]
pub(super) struct Silence {
    /// The packet before said that silence goes on.
    before: bool,
    /// Samples since then that were not even coded.
    left_out: usize,
    /// The packet that is being coded is the first after those.
    refreshes: bool,
}

impl Silence {
    /// Whether the next samples need to be coded. `heard` is false for nothing at all: muted, or no microphone.
    pub(super) fn needs_coding(&mut self, samples: usize, heard: bool) -> bool {
        if !heard && self.before && self.left_out + samples < REFRESH {
            self.left_out += samples;
            return false;
        }
        self.refreshes = self.left_out > 0 && !heard;
        self.left_out = 0;
        true
    }

    /// Whether what was coded needs to be sent.
    pub(super) fn needs_sending(&mut self, length: usize) -> bool {
        let silent = length <= DTX_SIZE;
        let goes_on = std::mem::replace(&mut self.before, silent) && silent;
        length > 0 && (!goes_on || self.refreshes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::OPUS_FRAME_SAMPLES;

    /// How many of so many packets are coded, and how many are sent.
    fn pass(silence: &mut Silence, packets: u32, heard: bool, length: usize) -> (u32, u32) {
        let (mut coded, mut sent) = (0, 0);
        for _ in 0..packets {
            if silence.needs_coding(OPUS_FRAME_SAMPLES, heard) {
                coded += 1;
                sent += u32::from(silence.needs_sending(length));
            }
        }
        (coded, sent)
    }

    #[test]
    fn of_nothing_little_is_coded_and_of_sound_everything() {
        let mut silence = Silence::default();
        assert_eq!(pass(&mut silence, 50, true, 80), (50, 50));
        // Opus takes its time to find that it is silent.
        assert_eq!(pass(&mut silence, 10, false, 20), (10, 10));
        assert_eq!(pass(&mut silence, 1, false, 1), (1, 1));
        assert_eq!(pass(&mut silence, 100, false, 1), (5, 5));
        assert_eq!(pass(&mut silence, 50, true, 80), (50, 50));
    }

    #[test]
    fn a_quiet_room_is_listened_to_all_the_time() {
        let mut silence = Silence::default();
        assert_eq!(pass(&mut silence, 100, true, 1), (100, 1));
        assert_eq!(pass(&mut silence, 10, false, 1), (0, 0));
    }
}
