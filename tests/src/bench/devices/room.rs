//! A room with a small loudspeaker that distorts, as a microphone hears it.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::pulse::RATE;

/// The loudspeaker's largest swing: soft clipping that changes quiet sounds hardly at all and loud ones much.
const LARGEST: f32 = 0.5;

/// How much quieter the echo is than what is played: half the swing.
const GAIN: f32 = 0.5;

/// Until the first sound reaches the microphone, besides what the virtual devices take.
const DIRECT_SECONDS: f64 = 0.01;

/// After so long the echo has become quieter by 60 dB, as in a living room.
const REVERBERATION_SECONDS: f64 = 0.4;

/// How long it is followed: to −37 dB.
const LENGTH_SECONDS: f64 = 0.25;

/// Reflections a second, at random moments and with random signs: more of them would sound and measure the same (velvet noise:
/// Karjalainen and Järveläinen, “Reverberation modeling using velvet noise”, 2007).
const DENSITY: f64 = 1000.0;

const SEED: u64 = 4;

/// What a room makes of sound.
pub struct Room {
    /// How many samples later, and how loud.
    reflections: Vec<(usize, f32)>,
    /// What the loudspeaker has given, as far back as the last reflection goes.
    past: Vec<f32>,
}

impl Default for Room {
    /// The same one every time.
    fn default() -> Self {
        let mut luck = StdRng::seed_from_u64(SEED);
        let rate = f64::from(RATE);
        let mut reflections = vec![((DIRECT_SECONDS * rate) as usize, 1.0)];
        for number in 0..(LENGTH_SECONDS * DENSITY) as u32 {
            let after = (f64::from(number) + luck.random::<f64>()) / DENSITY;
            let gain = 0.5 * 10_f64.powf(-3.0 * after / REVERBERATION_SECONDS);
            let sign = if luck.random() { 1.0 } else { -1.0 };
            let samples = ((DIRECT_SECONDS + after) * rate) as usize;
            reflections.push((samples, (gain * sign) as f32));
        }
        let energy: f32 = reflections.iter().map(|(_, gain)| gain * gain).sum();
        for (_, gain) in &mut reflections {
            *gain *= GAIN / energy.sqrt();
        }
        let longest = reflections.iter().map(|(after, _)| *after).max();
        Self {
            reflections,
            past: vec![0.0; longest.unwrap_or(0)],
        }
    }
}

impl Room {
    /// Puts what the microphone hears in the place of what the speaker is given.
    pub fn pass(&mut self, sound: &mut [f32]) {
        let before = self.past.len();
        let given = sound
            .iter()
            .map(|sample| LARGEST * (sample / LARGEST).tanh());
        self.past.extend(given);
        sound.fill(0.0);
        for &(after, gain) in &self.reflections {
            let earlier = &self.past[before - after..][..sound.len()];
            for (heard, played) in sound.iter_mut().zip(earlier) {
                *heard += gain * played;
            }
        }
        self.past.drain(..sound.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of one sample of this size, in pieces as they come.
    fn response(size: f32) -> Vec<f32> {
        let mut room = Room::default();
        let mut played = vec![0.0; RATE as usize / 2];
        played[0] = size;
        played.chunks_mut(480).for_each(|piece| room.pass(piece));
        played
    }

    fn energy(sound: &[f32]) -> f32 {
        sound.iter().map(|sample| sample * sample).sum()
    }

    #[test]
    fn an_echo_begins_after_a_while_and_fades() {
        let heard = response(0.01);
        let level = |from: usize| energy(&heard[from..from + 2400]);
        assert_eq!(energy(&heard[..480]), 0.0);
        assert!(heard[480] > 0.0);
        assert!((energy(&heard).sqrt() / 0.01 - GAIN).abs() < 0.15);
        assert!(level(480) > 10.0 * level(7200));
        assert_eq!(energy(&heard[13_000..]), 0.0);
    }

    #[test]
    fn what_is_loud_is_clipped() {
        let (quiet, loud) = (energy(&response(0.01)), energy(&response(1.0)));
        assert!(loud < 0.3 * 10_000.0 * quiet, "{loud} {quiet}");
    }
}
