//! Takes what the loudspeaker plays out of what the microphone hears, and leaves who speaks in the room.
//!
//! ```text
//! played ── bands ── reference ──┬── delay: where the echo begins
//!                                └── adaptive filter ── echo
//! recorded ── bands ───────────────────────────────────── − ── suppressor ── bands ── sent
//! ```
//! All of it works below 8 kHz; what is above follows what is below.

mod adaptive_filter;
mod delay;
mod fit;
mod near_end;
mod reference;
mod residual;
mod spectrum;
mod suppressor;

use sonora::three_band_filter_bank::{NUM_BANDS, ThreeBandFilterBank};

use self::{
    adaptive_filter::{AdaptiveFilter, Learning},
    delay::Delay,
    fit::Fit,
    reference::{REFERENCES, Reference},
    spectrum::{BINS, PIECE, Transform, joined, second_piece},
    suppressor::Suppressor,
};
use super::AudioFrame;

/// How much of a room is followed: 220 ms, to −33 dB in a living room.
const PARTITIONS: usize = 22;

/// A room is expected to fade by 60 dB in half a second, and to stay as it is for a minute.
const LEARNING: Learning = Learning {
    memory: 0.99995,
    doubt: 0.05,
    fading: 0.76,
    renewal: 0.0,
};

/// A filter that leaves a larger share of the echo does not know the room any more.
const LOST: f32 = 0.5;

/// What it knew is then wrong by this share, so that it learns faster.
const WRONG: f32 = 0.02;

/// An echo moves by parts of a sample as well, which changes this share of what was known.
const MOVED: f32 = 0.1;

/// A filter that is right makes nothing louder by so much...
const WORSE: f32 = 1.3;

/// ...in a third of a second.
const SOON: f32 = 0.03;

/// Looks for one sound in another.
pub(super) struct EchoCanceller {
    transform: Transform,
    played: ThreeBandFilterBank,
    recorded: ThreeBandFilterBank,
    sent: ThreeBandFilterBank,
    reference: Reference,
    delay: Delay,
    /// After how many pieces the filter begins.
    begin: usize,
    filter: AdaptiveFilter,
    fit: Fit,
    /// How much of the prediction was taken away at the end of the piece before.
    trust: f32,
    suppressor: Suppressor,
    above: Above,
    recorded_power: f32,
    left_power: f32,
}

impl EchoCanceller {
    /// One that has heard nothing yet.
    pub(super) fn new() -> Self {
        Self {
            transform: Transform::new(),
            played: ThreeBandFilterBank::new(),
            recorded: ThreeBandFilterBank::new(),
            sent: ThreeBandFilterBank::new(),
            reference: Reference::new(),
            delay: Delay::new(),
            begin: 0,
            filter: AdaptiveFilter::new(LEARNING, 0..BINS, PARTITIONS, REFERENCES),
            fit: Fit::new(),
            trust: 1.0,
            suppressor: Suppressor::new(),
            above: Above::new(),
            recorded_power: 0.0,
            left_power: 0.0,
        }
    }

    /// What is about to be played.
    pub(super) fn render(&mut self, frame: &AudioFrame) {
        let mut bands = [[0.0; PIECE]; NUM_BANDS];
        self.played.analysis(&frame.0, &mut bands);
        self.reference.push(&bands[0]);
    }

    /// Cleans what was recorded, in place; 10 ms later than it came.
    pub(super) fn capture(&mut self, frame: &mut AudioFrame) {
        let mut bands = [[0.0; PIECE]; NUM_BANDS];
        self.recorded.analysis(&frame.0, &mut bands);
        let [below, above @ ..] = bands;
        self.align(&below);
        let (left, echo) = self.filtered(&below);
        let unknown = self.delay.doubted();
        let doubted = unknown.as_ref().unwrap_or(self.filter.doubted());
        let mistrust = 1.0 - self.trust;
        let suppressed =
            self.suppressor
                .suppress(&left, &echo, doubted, mistrust, &mut self.transform);
        if self.suppressor.leak() > LOST {
            self.filter.doubt(WRONG);
        }
        let [first, second] = self.above.follow(above, suppressed.above);
        self.sent
            .synthesis(&[suppressed.sound, first, second], &mut frame.0);
    }

    /// What is left without the echo as it is predicted, and that echo.
    fn filtered(&mut self, recorded: &[f32; PIECE]) -> ([f32; PIECE], [f32; PIECE]) {
        let pieces = self.reference.pieces(self.begin);
        let predicted = self.filter.predict(pieces.clone());
        let echo = second_piece(&self.transform.inverse(&predicted));
        let left = std::array::from_fn(|i| recorded[i] - echo[i]);
        let error = self.transform.forward(joined(&[0.0; PIECE], &left));
        self.filter.learn(pieces, &error);
        self.filter.constrain(&mut self.transform);
        self.recorded_power += SOON * (power(recorded) - self.recorded_power);
        self.left_power += SOON * (power(&left) - self.left_power);
        self.fit.push(recorded, &echo);
        if let Some(by) = self.fit.moved() {
            self.move_by(by);
        } else if self.fit.knows_nothing() && self.left_power > WORSE * self.recorded_power {
            self.begin_anew();
        }
        (self.without(recorded, &echo), echo)
    }

    /// What is recorded without as much of the echo as the prediction is trusted: a wrong one would be heard as a second echo.
    fn without(&mut self, recorded: &[f32; PIECE], echo: &[f32; PIECE]) -> [f32; PIECE] {
        let trust = 1.0 - self.fit.mistrust();
        let before = std::mem::replace(&mut self.trust, trust);
        std::array::from_fn(|i| {
            let trust = before + (trust - before) * i as f32 / PIECE as f32;
            recorded[i] - trust * echo[i]
        })
    }

    /// The same echo comes so many samples later from now on.
    fn move_by(&mut self, samples: isize) {
        tracing::debug!(samples, "the echo has moved");
        let piece = PIECE as isize;
        let (pieces, rest) = (samples.div_euclid(piece), samples.rem_euclid(piece));
        match self.begin.checked_add_signed(pieces) {
            Some(begin) => {
                self.begin = begin;
                self.filter.delay(rest, &mut self.transform);
            }
            None => self.filter.delay(samples, &mut self.transform),
        }
        self.filter.doubt(MOVED);
        self.delay.shift(pieces);
        self.fit.forget();
        self.left_power = self.recorded_power;
    }

    /// The echo comes from elsewhere or at another time, and what is known of it only adds to it.
    fn begin_anew(&mut self) {
        tracing::debug!("the echo is another one");
        self.delay = Delay::new();
        self.filter.forget();
        self.fit.forget();
        self.suppressor.forget();
        self.left_power = self.recorded_power;
    }

    /// Lets the filter begin where the echo does.
    fn align(&mut self, recorded: &[f32; PIECE]) {
        let later = self.reference.advance(self.fit.tells());
        if later != 0 {
            self.delay.shift(later);
            match self.begin.checked_add_signed(later) {
                Some(begin) => self.begin = begin,
                None => self.filter.shift(later),
            }
        }
        let found = self
            .delay
            .find(&self.reference, recorded, &mut self.transform);
        // A piece earlier, as the echo may begin at the end of one.
        let begin = found.map_or(self.begin, |found| found.saturating_sub(1));
        if begin != self.begin {
            tracing::debug!(before = self.begin, begin, "the echo comes at another time");
            self.filter.shift(self.begin as isize - begin as isize);
            self.begin = begin;
        }
    }
}

fn power(piece: &[f32; PIECE]) -> f32 {
    piece.iter().map(|sample| sample * sample).sum()
}

/// Sound above 8 kHz, a piece late as the rest is.
struct Above {
    bands: [[f32; PIECE]; NUM_BANDS - 1],
    gain: f32,
}

impl Above {
    const fn new() -> Self {
        Self {
            bands: [[0.0; PIECE]; NUM_BANDS - 1],
            gain: 1.0,
        }
    }

    /// The piece before, with a gain that goes from what it was to what it shall be.
    fn follow(
        &mut self,
        new: [[f32; PIECE]; NUM_BANDS - 1],
        gain: f32,
    ) -> [[f32; PIECE]; NUM_BANDS - 1] {
        let mut bands = std::mem::replace(&mut self.bands, new);
        let before = std::mem::replace(&mut self.gain, gain);
        for band in &mut bands {
            for (i, sample) in band.iter_mut().enumerate() {
                *sample *= before + (gain - before) * i as f32 / PIECE as f32;
            }
        }
        bands
    }
}

#[cfg(test)]
mod tests;
