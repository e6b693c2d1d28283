//! Whether somebody speaks: from the sound of 10 ms at a time to a yes or no that does not flicker.

use earshot::Detector;

use super::{AudioFrame, SAMPLE_RATE, resample::Resampler};

/// What the detector hears: pieces of 16 ms.
const RATE: u32 = 16_000;
const PIECE: usize = 256;

/// How sure (0 to 1) the detector must be that a piece is speech, …
const SPEECH: f32 = 0.6;

/// … and how unsure that it is none. What lies between changes nothing.
const NO_SPEECH: f32 = 0.4;

/// Root mean square below which nobody in front of the microphone speaks: −56 dBFS.
const QUIET: f32 = 0.0016;

/// So many pieces of speech, less the pieces of none between them, before somebody speaks: 112 ms. A click has fewer.
const ATTACK: u32 = 7;

/// So many pieces without speech in a row before they do not any more: 0.6 s, longer than the pauses between words.
const HOLD: u32 = 38;

/// Hears one person's sound, at 48 kHz; costs less than a thousandth of a core.
pub struct VoiceActivity {
    detector: Box<Detector>,
    resampler: Resampler,
    waiting: Vec<f32>,
    gate: Gate,
}

impl VoiceActivity {
    /// One that has heard nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            detector: Detector::default_boxed(),
            resampler: Resampler::new(SAMPLE_RATE, RATE).expect("both rates are supported"),
            waiting: Vec::with_capacity(2 * PIECE),
            gate: Gate::default(),
        }
    }

    /// Takes the next 10 ms; whether somebody speaks now.
    pub fn hear(&mut self, frame: &AudioFrame) -> bool {
        self.resampler.push(&frame.0, &mut self.waiting);
        while self.waiting.len() >= PIECE {
            let mut piece = [0.0; PIECE];
            for (sample, heard) in piece.iter_mut().zip(self.waiting.drain(..PIECE)) {
                *sample = heard.clamp(-1.0, 1.0);
            }
            let score = self.detector.predict_f32(&piece);
            let score = if level(&piece) < QUIET { 0.0 } else { score };
            self.gate.take(score);
        }
        self.gate.open
    }
}

impl Default for VoiceActivity {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for VoiceActivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceActivity")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// Opens after a while of speech and closes after a while without.
#[derive(Debug, Default)]
struct Gate {
    open: bool,
    /// While it is shut: pieces of speech, less those of none.
    rising: u32,
    /// While it is open: pieces of none in a row.
    falling: u32,
}

impl Gate {
    fn take(&mut self, score: f32) {
        if score >= SPEECH {
            self.falling = 0;
            self.rising += 1;
        } else if score <= NO_SPEECH {
            self.falling += 1;
            self.rising = self.rising.saturating_sub(1);
        }
        if self.open && self.falling >= HOLD {
            *self = Self::default();
        } else if !self.open && self.rising >= ATTACK {
            self.open = true;
            self.falling = 0;
        }
    }
}

fn level(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}
