//! A melody that is told from another one after both went through a call.
//!
//! A steady tone will not do: noise suppression takes it for a hum and removes it, as it should. Notes that come and go like
//! syllables pass as speech does.

use std::{f64::consts::TAU, time::Duration};

use crate::sound_file::power_at;

/// Notes in a melody, and in a second of it.
const NOTES: usize = 4;

/// What is looked at at once: 20 ms. Notes that lie a multiple of 50 Hz apart do not touch each other in it.
const BLOCKS_A_SECOND: u32 = 50;

/// A block below this level (root mean square) is a pause.
const PAUSE: f64 = 0.01;

/// Four notes, one after the other, each a fifth of a second long, swelling and fading; again every second.
#[derive(Debug, Clone, Copy)]
pub struct Melody([f64; NOTES]);

/// What was found of a melody.
#[derive(Debug)]
pub struct Heard {
    /// Which share of the sound's power lies at the melody's notes (0–1).
    pub share: f64,
    /// How loud the sound is (root mean square).
    pub level: f64,
    /// How often a note was followed by the one that comes after it in the melody.
    pub steps: usize,
    /// The longest time without a note.
    pub longest_pause: Duration,
}

impl Melody {
    /// One melody.
    pub const ONE: Self = Self([500.0, 800.0, 1_100.0, 1_400.0]);

    /// Another one: no note of it is in the first, nor are its notes' overtones.
    pub const OTHER: Self = Self([600.0, 900.0, 1_300.0, 1_700.0]);

    /// One second of it.
    #[must_use]
    pub fn samples(&self, rate: u32) -> Vec<f32> {
        let second = f64::from(rate);
        let sounding = second / 5.0;
        let note = |hertz: &f64| {
            let hertz = *hertz;
            (0..rate / NOTES as u32).map(move |i| {
                let i = f64::from(i);
                let swell = if i < sounding {
                    0.5 - 0.5 * (TAU * i / sounding).cos()
                } else {
                    0.0
                };
                (0.4 * swell * (TAU * hertz * i / second).sin()) as f32
            })
        };
        self.0.iter().flat_map(note).collect()
    }

    /// Looks for it in what was recorded.
    #[must_use]
    pub fn find_in(&self, samples: &[f64], rate: u32) -> Heard {
        let (mut at_notes, mut total, mut steps) = (0.0, 0.0, 0);
        let (mut last, mut pause, mut longest) = (None, 0, 0);
        for block in samples.chunks_exact((rate / BLOCKS_A_SECOND) as usize) {
            let power: f64 = block.iter().map(|sample| sample * sample).sum();
            let notes = self.0.map(|hertz| power_at(block, rate, hertz));
            at_notes += notes.iter().sum::<f64>();
            total += power;
            let is_loud = power > PAUSE * PAUSE * block.len() as f64;
            let clear = (0..NOTES).find(|note| is_loud && notes[*note] > power / 2.0);
            pause = if clear.is_some() { 0 } else { pause + 1 };
            longest = longest.max(pause);
            if let (Some(now), Some(before)) = (clear, last) {
                steps += usize::from(now == (before + 1) % NOTES);
            }
            last = clear.or(last);
        }
        Heard {
            share: if total == 0.0 { 0.0 } else { at_notes / total },
            level: (total / samples.len().max(1) as f64).sqrt(),
            steps,
            longest_pause: Duration::from_secs(1) * longest / BLOCKS_A_SECOND,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn four_seconds() -> Vec<f64> {
        let second = Melody::ONE.samples(RATE);
        second.repeat(4).into_iter().map(f64::from).collect()
    }

    #[test]
    fn a_melody_is_found_and_told_from_another() {
        let heard = Melody::ONE.find_in(&four_seconds(), RATE);
        assert!(heard.share > 0.95, "{heard:?}");
        assert!((0.14..0.18).contains(&heard.level), "{heard:?}");
        assert_eq!(heard.steps, 15);
        assert!(
            heard.longest_pause < Duration::from_millis(100),
            "{heard:?}"
        );
        let other = Melody::OTHER.find_in(&four_seconds(), RATE);
        assert!(other.share < 0.01 && other.steps == 0, "{other:?}");
        assert!(other.longest_pause > Duration::from_secs(3), "{other:?}");
    }

    #[test]
    fn silence_and_a_broken_melody_are_no_melody() {
        let silence = Melody::ONE.find_in(&[0.0; 48_000], RATE);
        assert_eq!((silence.share, silence.level, silence.steps), (0.0, 0.0, 0));
        assert_eq!(silence.longest_pause, Duration::from_secs(1));
        // A speaker that runs dry: 10 ms are missing of every 30.
        let mut broken = four_seconds();
        for block in broken.chunks_mut(1_440) {
            block[..480].fill(0.0);
        }
        let broken = Melody::ONE.find_in(&broken, RATE);
        assert!(broken.share < 0.85, "{broken:?}");
        let half = Melody::ONE.find_in(&four_seconds()[..24_000].repeat(8), RATE);
        assert!(half.steps < 10, "{half:?}");
    }
}
