//! Something like speech, coded by the real codec.

use vireo_media::{
    audio::{DEFAULT_AUDIO_BITRATE, SAMPLE_RATE},
    codec::OpusEncoder,
};

use super::listener::Spoken;

/// 10 s, which are said again and again.
const SAMPLES: usize = 480_000;

/// Packets of so many samples, made ready for some loss.
pub fn packets(samples: usize) -> Vec<Spoken> {
    let mut encoder = OpusEncoder::new(DEFAULT_AUDIO_BITRATE).expect("an encoder");
    encoder.set_packet_loss(20).expect("taken");
    let mut voice = Voice::default();
    (0..SAMPLES / samples)
        .map(|_| {
            let sound: Vec<f32> = (0..samples).map(|_| voice.sample()).collect();
            vec![encoder.encode(&sound).expect("coded")]
        })
        .collect()
}

/// Harmonics of a pitch that rises and falls, in syllables, with some breath.
#[derive(Default)]
struct Voice {
    sample: usize,
    phase: f32,
    random: u32,
}

impl Voice {
    fn sample(&mut self) -> f32 {
        let time = self.sample as f32 / SAMPLE_RATE as f32;
        self.sample += 1;
        let pitch = 140.0 + 40.0 * (1.3 * time).sin();
        self.phase = (self.phase + pitch / SAMPLE_RATE as f32).fract();
        let harmonics = 1..=12;
        let voiced: f32 = harmonics
            .map(|n| (std::f32::consts::TAU * self.phase * n as f32).sin() / n as f32)
            .sum();
        self.random = self
            .random
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let breath = (self.random >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let syllable = 0.55 + 0.45 * (25.0 * time).sin();
        0.15 * syllable * (voiced + 0.05 * breath)
    }
}
