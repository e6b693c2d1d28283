//! The sounds themselves, computed: nothing is recorded and nothing is loaded.

use std::f32::consts::TAU;

use vireo_media::audio::{AudioFrame, FRAME_SAMPLES, SAMPLE_RATE};

/// What is heard: the first two repeat, the others sound once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Somebody calls.
    Ring,
    /// It rings at the other end.
    Ringback,
    /// The connection of a call is lost.
    Lost,
    /// It is there again.
    Back,
}

/// One note of the ring tone: when it is struck, in seconds, and its pitch in hertz.
const NOTES: [(f32, f32); 6] = [
    (0.0, 659.3),
    (0.16, 830.6),
    (0.32, 987.8),
    (0.8, 659.3),
    (0.96, 830.6),
    (1.12, 987.8),
];

/// Down, as something that falls, and up again.
const LOST: [(f32, f32); 2] = [(0.0, 587.3), (0.18, 392.0)];
const BACK: [(f32, f32); 2] = [(0.0, 392.0), (0.18, 587.3)];

/// How soon a note fades, per second.
const FADE: f32 = 5.0;

/// How soon a note or beep begins, in seconds: any sooner and it would click.
const ATTACK: f32 = 0.008;

/// Loud enough for the next room.
const RING_LEVEL: f32 = 0.3;

/// Heard in the midst of a call, from headphones as well.
const CUE_LEVEL: f32 = 0.12;

/// The beep that people know from the telephone: 425 Hz, one second in five. Soft, since it comes close to the ear.
const BEEP: (f32, f32) = (425.0, 1.0);
const BEEP_LEVEL: f32 = 0.06;

impl Tone {
    /// After how many seconds it begins anew, or is over.
    fn period(self) -> f32 {
        match self {
            Self::Ring => 3.0,
            Self::Ringback => 5.0,
            Self::Lost | Self::Back => 1.5,
        }
    }

    /// How many frames it has; none for one that repeats.
    pub fn frames(self) -> Option<usize> {
        match self {
            Self::Ring | Self::Ringback => None,
            Self::Lost | Self::Back => Some(self.samples() / FRAME_SAMPLES),
        }
    }

    fn samples(self) -> usize {
        (self.period() * SAMPLE_RATE as f32) as usize
    }

    /// The frame of this number, 10 ms each.
    pub fn frame(self, number: usize) -> AudioFrame {
        let period = self.samples();
        let mut frame = AudioFrame::SILENCE;
        for (index, sample) in frame.0.iter_mut().enumerate() {
            let position = (number * FRAME_SAMPLES + index) % period;
            let seconds = position as f32 / SAMPLE_RATE as f32;
            *sample = match self {
                Self::Ring => RING_LEVEL * melody(&NOTES, seconds),
                Self::Ringback => beep(seconds),
                Self::Lost => CUE_LEVEL * melody(&LOST, seconds),
                Self::Back => CUE_LEVEL * melody(&BACK, seconds),
            };
        }
        frame
    }
}

fn melody(notes: &[(f32, f32)], seconds: f32) -> f32 {
    notes.iter().map(|note| struck(*note, seconds)).sum()
}

/// A soft bell: the pitch and a little of its octave, loud at first.
fn struck((start, hz): (f32, f32), seconds: f32) -> f32 {
    let since = seconds - start;
    if since < 0.0 {
        return 0.0;
    }
    let envelope = (since / ATTACK).min(1.0) * (-FADE * since).exp();
    let angle = TAU * hz * since;
    envelope * (0.75 * angle.sin() + 0.25 * (2.0 * angle).sin())
}

fn beep(seconds: f32) -> f32 {
    let (hz, length) = BEEP;
    let envelope = (seconds / ATTACK)
        .min((length - seconds) / ATTACK)
        .clamp(0.0, 1.0);
    BEEP_LEVEL * envelope * (TAU * hz * seconds).sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loudest(tone: Tone, frames: std::ops::Range<usize>) -> f32 {
        let samples = frames.flat_map(|number| tone.frame(number).0);
        samples.fold(0.0, |loudest, sample: f32| loudest.max(sample.abs()))
    }

    #[test]
    fn a_cue_is_soft_and_ends_without_a_click() {
        for tone in [Tone::Lost, Tone::Back] {
            let frames = tone.frames().expect("it ends");
            let level = loudest(tone, 0..frames);
            assert!((0.05..0.2).contains(&level), "{level}");
            assert!(loudest(tone, frames - 5..frames) < 0.001);
        }
        assert_ne!(Tone::Lost.frame(3), Tone::Back.frame(3));
    }

    #[test]
    fn both_sound_and_pause_and_begin_anew_without_a_click_or_clipping() {
        for (tone, period) in [(Tone::Ring, 300), (Tone::Ringback, 500)] {
            assert!(loudest(tone, 0..period) > 0.05);
            assert!(loudest(tone, 0..period) < 0.8);
            assert!(loudest(tone, period - 10..period) < 0.001, "a pause");
            assert_eq!(tone.frame(7), tone.frame(7 + period));
            assert_eq!(tone.frame(0).0[0], 0.0);
        }
        assert_eq!(Tone::Ring.frames(), None);
        assert!(loudest(Tone::Ringback, 0..500) < loudest(Tone::Ring, 0..300) / 2.0);
    }
}
