//! The time code of sound: what the pattern camera's blocks are to a picture, a row of beeps is to a sound, so that whoever
//! hears one knows how old it is.
//!
//! A beep of 20 ms begins with every quarter of a second of Unix time. Its pitch says which of eight quarters it is, so ages
//! up to 2 s are told apart. A soft hum goes on beneath, as silence would not be sent.

use std::{collections::VecDeque, f64::consts::TAU};

use super::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE};

/// From one beep to the next, in milliseconds.
const EVERY_MS: f64 = 250.0;

/// How long a beep lasts, in milliseconds and in samples.
const BEEP_MS: f64 = 20.0;
const BEEP_SAMPLES: usize = 960;

/// The pitches, in hertz, one after the other. In 20 ms they do not touch each other.
const PITCHES: [f64; 8] = [
    800.0, 1_100.0, 1_400.0, 1_700.0, 2_000.0, 2_300.0, 2_600.0, 2_900.0,
];

/// How loud a beep and the hum are, of full scale.
const LOUDNESS: f64 = 0.5;
const HUM: f64 = 0.02;
const HUM_HERTZ: f64 = 200.0;

/// The sound is looked at so often: every 2 ms.
const HOP: usize = 96;

/// What is softer than this, of full scale, is no beep.
const AUDIBLE: f64 = 0.12;

/// The swell of a beep at a sample of it.
fn swell(sample: f64) -> f64 {
    0.5 - 0.5 * (TAU * sample / BEEP_SAMPLES as f64).cos()
}

const fn samples_to_ms(samples: f64) -> f64 {
    samples * 1_000.0 / SAMPLE_RATE as f64
}

/// 10 ms of the time code, whose first sample belongs to this moment.
#[must_use]
pub fn sound_time_code(unix_ms: f64) -> AudioFrame {
    let mut frame = AudioFrame::SILENCE;
    for (index, sample) in frame.0.iter_mut().enumerate() {
        let ms = unix_ms + samples_to_ms(index as f64);
        let (number, since) = ((ms / EVERY_MS).floor(), ms.rem_euclid(EVERY_MS));
        // Only the fraction of a second matters to a sine of a whole number of hertz.
        let seconds = ms.rem_euclid(1_000.0) / 1_000.0;
        let mut value = HUM * (TAU * HUM_HERTZ * seconds).sin();
        if since < BEEP_MS {
            let pitch = PITCHES[number.rem_euclid(PITCHES.len() as f64) as usize];
            value += LOUDNESS
                * swell(since * BEEP_SAMPLES as f64 / BEEP_MS)
                * (TAU * pitch * since / 1_000.0).sin();
        }
        *sample = value as f32;
    }
    frame
}

/// A beep that was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beep {
    /// When its middle was heard, in Unix milliseconds.
    pub unix_ms: f64,
    /// How old it was then, in milliseconds, 0 to 2,000.
    pub age_ms: f64,
}

/// Listens for the time code. Knows no clock.
#[derive(Debug)]
pub struct SoundTimeCodeReader {
    /// A beep of each pitch, as pairs of cosine and sine.
    references: Vec<Vec<(f64, f64)>>,
    /// The newest samples, and when the first of them was heard.
    samples: VecDeque<f32>,
    first_ms: f64,
    /// The beep that is being heard.
    hearing: Option<Hearing>,
}

/// The centre of a beep is the centre of the loudness around it.
#[derive(Debug, Clone, Copy, Default)]
struct Hearing {
    weight: f64,
    weighted_ms: f64,
    loudest: f64,
    pitch: usize,
}

impl Default for SoundTimeCodeReader {
    fn default() -> Self {
        let reference = |pitch: &f64| {
            let at = |sample: usize| {
                let phase = TAU * pitch * sample as f64 / f64::from(SAMPLE_RATE);
                let swell = swell(sample as f64);
                (swell * phase.cos(), swell * phase.sin())
            };
            (0..BEEP_SAMPLES).map(at).collect()
        };
        Self {
            references: PITCHES.iter().map(reference).collect(),
            samples: VecDeque::new(),
            first_ms: 0.0,
            hearing: None,
        }
    }
}

impl SoundTimeCodeReader {
    /// Takes the next 10 ms, which begin to be heard at this moment. Gives the beep that has ended, if one has.
    pub fn hear(&mut self, frame: &AudioFrame, unix_ms: f64) -> Option<Beep> {
        self.samples.extend(frame.0);
        // Each frame says anew when it is heard: clocks of devices differ.
        self.first_ms = unix_ms - samples_to_ms((self.samples.len() - FRAME_SAMPLES) as f64);
        let mut ended = None;
        while self.samples.len() >= BEEP_SAMPLES {
            ended = self.look().or(ended);
            self.samples.drain(..HOP);
            self.first_ms += samples_to_ms(HOP as f64);
        }
        ended
    }

    fn look(&mut self) -> Option<Beep> {
        let (pitch, loudness) = self.loudest();
        if loudness < AUDIBLE {
            return self.hearing.take().map(Hearing::beep);
        }
        let centre_ms = self.first_ms + BEEP_MS / 2.0;
        let hearing = self.hearing.get_or_insert_default();
        // Above the threshold only, so that the edges do not weigh.
        let weight = (loudness - AUDIBLE).powi(2);
        hearing.weight += weight;
        hearing.weighted_ms += weight * centre_ms;
        if loudness > hearing.loudest {
            (hearing.loudest, hearing.pitch) = (loudness, pitch);
        }
        None
    }

    /// The pitch that is loudest in the oldest 20 ms, and how loud it is, of full scale.
    fn loudest(&mut self) -> (usize, f64) {
        let samples = &self.samples.make_contiguous()[..BEEP_SAMPLES];
        let loudness = |reference: &Vec<(f64, f64)>| {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (sample, (cosine, sine)) in samples.iter().zip(reference) {
                real += f64::from(*sample) * cosine;
                imaginary += f64::from(*sample) * sine;
            }
            // What a beep itself would give is half the sum of its squared swell.
            real.hypot(imaginary) / (0.375 * BEEP_SAMPLES as f64 / 2.0)
        };
        let found = self.references.iter().map(loudness).enumerate();
        found
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap_or_default()
    }
}

impl Hearing {
    fn beep(self) -> Beep {
        let unix_ms = self.weighted_ms / self.weight.max(f64::MIN_POSITIVE);
        let round = EVERY_MS * PITCHES.len() as f64;
        let middle_ms = self.pitch as f64 * EVERY_MS + BEEP_MS / 2.0;
        Beep {
            unix_ms,
            age_ms: (unix_ms - middle_ms).rem_euclid(round),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: f64 = 1_795_000_123_456.7;

    /// What is heard of three seconds that are so much later when they are heard.
    fn heard(late_ms: f64, mut change: impl FnMut(&mut AudioFrame)) -> Vec<Beep> {
        let mut reader = SoundTimeCodeReader::default();
        let frames = (0..300).map(|frame| START_MS + f64::from(frame) * 10.0);
        frames
            .filter_map(|ms| {
                let mut frame = sound_time_code(ms);
                change(&mut frame);
                reader.hear(&frame, ms + late_ms)
            })
            .collect()
    }

    #[test]
    fn every_beep_tells_its_age() {
        for late_ms in [0.4, 37.0, 250.0, 1_930.0] {
            let beeps = heard(late_ms, |_| {});
            assert_eq!(beeps.len(), 12, "{late_ms}");
            for beep in beeps {
                assert!((beep.age_ms - late_ms).abs() < 0.5, "{late_ms}: {beep:?}");
            }
        }
    }

    #[test]
    fn silence_and_hum_tell_nothing() {
        assert_eq!(heard(5.0, |frame| *frame = AudioFrame::SILENCE), []);
        let hum = |frame: &mut AudioFrame| {
            for (index, sample) in frame.0.iter_mut().enumerate() {
                *sample = (0.3 * (TAU * 200.0 * index as f64 / 48_000.0).sin()) as f32;
            }
        };
        assert_eq!(heard(5.0, hum), []);
    }

    #[test]
    fn softer_beeps_are_heard_too() {
        let beeps = heard(20.0, |frame| {
            for sample in &mut frame.0 {
                *sample *= 0.5;
            }
        });
        assert_eq!(beeps.len(), 12);
        assert!(beeps.iter().all(|beep| (beep.age_ms - 20.0).abs() < 0.5));
    }
}
