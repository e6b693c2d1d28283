//! Finds out how long sound takes from being played to being recorded.

use super::{
    adaptive_filter::{AdaptiveFilter, Learning},
    reference::Reference,
    spectrum::{self, PIECE, Transform, joined, second_piece},
};

/// The longest delay that is looked for: half a second.
const LONGEST: usize = 50;

/// Where voices are strong: 200 to 3,000 Hz.
const BINS: std::ops::Range<usize> = 4..60;

const HIGHEST: std::ops::Range<usize> = 40..60;

const LEARNING: Learning = Learning {
    memory: 0.9995,
    doubt: 0.02,
    fading: 1.0,
    renewal: 0.02,
};

/// Where no echo was found in three seconds of sound there is none: a headset.
const GIVE_UP: u32 = 300;

/// Another delay has to be seen for so many pieces.
const SURE: usize = 20;

/// The first sound may be less loud than a reflection.
const BEGIN: f32 = 0.3;

/// By so much the strongest has to exceed the average.
const STANDS_OUT: f32 = 5.0;

/// A coarse filter over everything that may be.
pub struct Delay {
    filter: AdaptiveFilter,
    candidate: Option<usize>,
    seen: usize,
    /// Pieces in which there was something to hear.
    played: u32,
    /// Whether the delay has been found, or there seems to be no echo at all.
    known: bool,
}

impl Delay {
    pub fn new() -> Self {
        Self {
            filter: AdaptiveFilter::new(LEARNING, BINS, LONGEST, 1),
            candidate: None,
            seen: 0,
            played: 0,
            known: false,
        }
    }

    /// The echo comes so many pieces later.
    pub fn shift(&mut self, pieces: isize) {
        self.filter.shift(pieces);
    }

    /// After how many pieces the echo of what is recorded begins, when that is certain.
    pub fn find(
        &mut self,
        reference: &Reference,
        recorded: &[f32; PIECE],
        transform: &mut Transform,
    ) -> Option<usize> {
        let predicted = self.filter.predict(reference.pieces(0));
        let echo = second_piece(&transform.inverse(&predicted));
        let error: [f32; PIECE] = std::array::from_fn(|i| recorded[i] - echo[i]);
        let error = transform.forward(joined(&[0.0; PIECE], &error));
        self.filter.learn(reference.pieces(0), &error);
        let begin = self.peak();
        if begin.is_none() || begin != self.candidate {
            (self.candidate, self.seen) = (begin, 0);
            return None;
        }
        self.seen += 1;
        let sure = begin.filter(|_| self.seen >= SURE);
        self.played += u32::from(reference.is_loud());
        self.known |= sure.is_some() || self.played == GIVE_UP;
        sure
    }

    /// Until the delay is known: the power of the echo there may be. What it says of higher voices goes for all that is higher.
    pub fn doubted(&self) -> Option<spectrum::Bins> {
        let doubted = self.filter.doubted();
        let highest = &doubted[HIGHEST];
        let above = highest.iter().sum::<f32>() / highest.len() as f32;
        (!self.known).then(|| {
            std::array::from_fn(|k| match k {
                k if k < BINS.start => doubted[BINS.start],
                k if k < BINS.end => doubted[k],
                _ => above,
            })
        })
    }

    /// Where most of the echo begins, if any of it stands out.
    fn peak(&self) -> Option<usize> {
        let energies: Vec<f32> = self.filter.energies().collect();
        let strongest = energies.iter().copied().fold(0.0, f32::max);
        let average = energies.iter().sum::<f32>() / LONGEST as f32;
        let begin = energies
            .iter()
            .position(|energy| *energy >= BEGIN * strongest);
        begin.filter(|_| strongest > STANDS_OUT * average)
    }
}
