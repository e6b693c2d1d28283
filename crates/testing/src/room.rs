//! A room with a small loudspeaker that distorts, as a microphone hears it.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Samples a second.
pub const RATE: u32 = 48_000;

/// Reflections a second, at random moments and with random signs: more of them would sound and measure the same (velvet noise:
/// Karjalainen and Järveläinen, “Reverberation modeling using velvet noise”, 2007).
const DENSITY: f64 = 1000.0;

/// How a room and its loudspeaker are.
#[derive(Debug, Clone, Copy)]
pub struct Acoustics {
    /// How much the echo swings of what is played.
    pub gain: f32,
    /// Until the first sound reaches the microphone, besides what devices take.
    pub direct_seconds: f64,
    /// After so long the echo has become quieter by 60 dB.
    pub reverberation_seconds: f64,
    /// The loudspeaker gives nothing below, in hertz; 0 for one that does.
    pub lowest_hz: f32,
    /// What the loudspeaker makes of a sample: quiet ones it hardly changes, loud ones much.
    pub clipping: fn(f32) -> f32,
    /// Where the reflections are.
    pub seed: u64,
}

impl Acoustics {
    /// A living room and a speaker whose largest swing is one half.
    pub const LIVING_ROOM: Self = Self {
        gain: 0.5,
        direct_seconds: 0.01,
        reverberation_seconds: 0.4,
        lowest_hz: 0.0,
        clipping: |sample| 0.5 * (sample / 0.5).tanh(),
        seed: 4,
    };

    /// A small study and a laptop, whose speakers lie near its microphone, give no bass and distort more one way than the other.
    pub const STUDY: Self = Self {
        gain: 0.8,
        direct_seconds: 0.002,
        reverberation_seconds: 0.2,
        lowest_hz: 250.0,
        clipping: |sample| {
            let sample = sample - 0.15 * sample * sample;
            sample / (1.0 + (sample / 0.6).powi(4)).powf(0.25)
        },
        seed: 11,
    };
}

/// What a room makes of sound.
pub struct Room {
    /// How many samples later, and how loud.
    reflections: Vec<(usize, f32)>,
    /// What the loudspeaker has given, as far back as the last reflection goes.
    past: Vec<f32>,
    loudspeaker: Loudspeaker,
}

struct Loudspeaker {
    clipping: fn(f32) -> f32,
    /// What share of its bass goes with each sample.
    share: f32,
    bass: f32,
}

impl Loudspeaker {
    fn play(&mut self, sample: f32) -> f32 {
        self.bass += self.share * (sample - self.bass);
        (self.clipping)(sample - self.bass)
    }
}

impl Default for Room {
    /// The living room.
    fn default() -> Self {
        Self::new(Acoustics::LIVING_ROOM)
    }
}

impl Room {
    /// The same one every time.
    #[must_use]
    pub fn new(acoustics: Acoustics) -> Self {
        let mut luck = StdRng::seed_from_u64(acoustics.seed);
        let rate = f64::from(RATE);
        let direct = acoustics.direct_seconds;
        let mut reflections = vec![((direct * rate) as usize, 1.0)];
        // To −37 dB.
        let length = 0.625 * acoustics.reverberation_seconds;
        for number in 0..(length * DENSITY) as u32 {
            let after = (f64::from(number) + luck.random::<f64>()) / DENSITY;
            let gain = 0.5 * 10_f64.powf(-3.0 * after / acoustics.reverberation_seconds);
            let sign = if luck.random() { 1.0 } else { -1.0 };
            let samples = ((direct + after) * rate) as usize;
            reflections.push((samples, (gain * sign) as f32));
        }
        let energy: f32 = reflections.iter().map(|(_, gain)| gain * gain).sum();
        for (_, gain) in &mut reflections {
            *gain *= acoustics.gain / energy.sqrt();
        }
        let longest = reflections.iter().map(|(after, _)| *after).max();
        Self {
            reflections,
            past: vec![0.0; longest.unwrap_or(0)],
            loudspeaker: Loudspeaker {
                clipping: acoustics.clipping,
                share: 1.0 - (-std::f32::consts::TAU * acoustics.lowest_hz / RATE as f32).exp(),
                bass: 0.0,
            },
        }
    }

    /// Puts what the microphone hears in the place of what the speaker is given.
    pub fn pass(&mut self, sound: &mut [f32]) {
        let before = self.past.len();
        let given = sound.iter().map(|sample| self.loudspeaker.play(*sample));
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
    fn response(acoustics: Acoustics, size: f32) -> Vec<f32> {
        let mut room = Room::new(acoustics);
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
        let heard = response(Acoustics::LIVING_ROOM, 0.01);
        let level = |from: usize| energy(&heard[from..from + 2400]);
        assert_eq!(energy(&heard[..480]), 0.0);
        assert!(heard[480] > 0.0);
        assert!((energy(&heard).sqrt() / 0.01 - Acoustics::LIVING_ROOM.gain).abs() < 0.15);
        assert!(level(480) > 10.0 * level(7200));
        assert_eq!(energy(&heard[13_000..]), 0.0);
    }

    #[test]
    fn what_is_loud_is_clipped() {
        for acoustics in [Acoustics::LIVING_ROOM, Acoustics::STUDY] {
            let [quiet, loud] = [0.01, 1.0].map(|size| energy(&response(acoustics, size)));
            assert!(loud < 0.4 * 10_000.0 * quiet, "{loud} {quiet}");
        }
    }
}
