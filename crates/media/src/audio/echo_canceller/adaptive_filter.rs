//! Learns how a sound becomes another one, and goes on learning while somebody speaks over it.
//!
//! A partitioned Kalman filter in the frequency domain: Enzner and Vary, “Frequency-domain adaptive Kalman filter for acoustic
//! echo control in hands-free telephones” (2006); partitions by Kuech, Mabande and Enzner, “State-space architecture of the
//! partitioned-block-based acoustic echo controller” (2014). How sure it is of each weight decides how fast that is learnt, so
//! that there is no step size to be set and nobody who speaks meanwhile leads it astray.

use std::ops::Range;

use super::spectrum::{BINS, Bins, PIECE, Spectrum, Transform};

/// How a filter learns.
#[derive(Clone, Copy)]
pub struct Learning {
    /// The share of a weight that is still true after 10 ms.
    pub memory: f32,
    /// How unsure of the first partition's weights it begins, as a power gain.
    pub doubt: f32,
    /// How much less each further partition is expected to weigh: rooms fade.
    pub fading: f32,
    /// The share of the first doubt that comes back every 10 ms.
    pub renewal: f32,
}

/// A filter over so many pieces of each reference.
pub struct AdaptiveFilter {
    learning: Learning,
    bins: Range<usize>,
    partitions: usize,
    references: usize,
    /// Reference by reference, partition by partition.
    weights: Vec<Spectrum>,
    /// How far from the truth each may be, squared.
    doubts: Vec<Bins>,
    /// The power of what is no echo.
    noise: Bins,
    /// What of the echo it expects to have left.
    doubted: Bins,
    next_to_constrain: usize,
}

/// One in so many partitions has its weights made causal every 10 ms.
const CONSTRAINED: usize = 4;

/// How much less than of the first reference is expected of the second.
const SECOND: f32 = 0.2;

/// Who speaks in the room is taken to be so many times as loud as a moment ago: voices rise faster than they are measured, and what
/// is learnt from one is wrong for long.
const CAREFUL: f32 = 1.3;

/// Nothing is as quiet as this.
const SILENCE: f32 = 1e-7;

impl AdaptiveFilter {
    pub fn new(
        learning: Learning,
        bins: Range<usize>,
        partitions: usize,
        references: usize,
    ) -> Self {
        let mut filter = Self {
            learning,
            bins,
            partitions,
            references,
            weights: Vec::new(),
            doubts: Vec::new(),
            noise: [1e-4; BINS],
            doubted: [0.0; BINS],
            next_to_constrain: 0,
        };
        filter.forget();
        filter
    }

    /// Begins anew.
    pub fn forget(&mut self) {
        self.weights = vec![Spectrum::ZERO; self.partitions * self.references];
        self.doubts = (0..self.weights.len())
            .map(|i| [self.first_doubt(i); BINS])
            .collect();
    }

    fn first_doubt(&self, index: usize) -> f32 {
        let second = index >= self.partitions;
        self.learning.doubt
            * self.learning.fading.powi((index % self.partitions) as i32)
            * if second { SECOND } else { 1.0 }
    }

    /// What becomes of the reference, the newest piece of which comes first.
    pub fn predict<'a>(&self, pieces: impl Iterator<Item = &'a [Spectrum]>) -> Spectrum {
        let mut sum = Spectrum::ZERO;
        for (p, piece) in pieces.take(self.partitions).enumerate() {
            for (r, reference) in piece.iter().take(self.references).enumerate() {
                sum.add_product(&self.weights[r * self.partitions + p], reference);
            }
        }
        sum
    }

    /// Learns from what the prediction left over.
    pub fn learn<'a>(
        &mut self,
        pieces: impl Iterator<Item = &'a [Spectrum]> + Clone,
        error: &Spectrum,
    ) {
        let left = error.power();
        let mut expected = [SILENCE; BINS];
        for (p, piece) in pieces.clone().take(self.partitions).enumerate() {
            for (r, reference) in piece.iter().take(self.references).enumerate() {
                let doubt = &self.doubts[r * self.partitions + p];
                for k in self.bins.clone() {
                    let power =
                        reference.re[k] * reference.re[k] + reference.im[k] * reference.im[k];
                    expected[k] += 0.5 * doubt[k] * power;
                }
            }
        }
        self.doubted = expected;
        for k in self.bins.clone() {
            self.noise[k] += 0.5 * (left[k] - self.noise[k]);
            expected[k] += CAREFUL * self.noise[k];
        }
        let memory = self.learning.memory * self.learning.memory;
        for (p, piece) in pieces.take(self.partitions).enumerate() {
            for (r, reference) in piece.iter().take(self.references).enumerate() {
                let index = r * self.partitions + p;
                let renewal = self.learning.renewal * self.first_doubt(index);
                let (doubt, weight) = (&mut self.doubts[index], &mut self.weights[index]);
                for k in self.bins.clone() {
                    let (re, im) = (reference.re[k], reference.im[k]);
                    let gain = doubt[k] / expected[k];
                    weight.re[k] += gain * (re * error.re[k] + im * error.im[k]);
                    weight.im[k] += gain * (re * error.im[k] - im * error.re[k]);
                    let known = 1.0 - 0.5 * gain * (re * re + im * im);
                    let size = weight.re[k] * weight.re[k] + weight.im[k] * weight.im[k];
                    doubt[k] = memory * known * doubt[k] + (1.0 - memory) * (size + renewal);
                }
            }
        }
    }

    /// Takes out of some weights what would come before its cause.
    pub fn constrain(&mut self, transform: &mut Transform) {
        let all = self.weights.len();
        for index in (self.next_to_constrain..all).step_by(CONSTRAINED) {
            let mut response = transform.inverse(&self.weights[index]);
            response[PIECE..].fill(0.0);
            self.weights[index] = transform.forward(response);
        }
        self.next_to_constrain = (self.next_to_constrain + 1) % CONSTRAINED;
    }

    /// The reference now comes so many pieces later than before, or earlier where that is negative.
    pub fn shift(&mut self, pieces: isize) {
        let by = pieces.unsigned_abs().min(self.partitions);
        for r in 0..self.references {
            let range = r * self.partitions..(r + 1) * self.partitions;
            let (weights, doubts) = (&mut self.weights[range.clone()], &mut self.doubts[range]);
            let new = if pieces > 0 {
                weights.rotate_right(by);
                doubts.rotate_right(by);
                0..by
            } else {
                weights.rotate_left(by);
                doubts.rotate_left(by);
                self.partitions - by..self.partitions
            };
            for p in new {
                self.weights[r * self.partitions + p] = Spectrum::ZERO;
                self.doubts[r * self.partitions + p] =
                    [self.first_doubt(r * self.partitions + p); BINS];
            }
        }
    }

    /// What it has learnt comes so many samples later, or earlier where that is negative; what then lies outside is forgotten.
    pub fn delay(&mut self, samples: isize, transform: &mut Transform) {
        for weights in self.weights.chunks_mut(self.partitions) {
            let response: Vec<f32> = weights
                .iter()
                .flat_map(|weight| transform.inverse(weight)[..PIECE].to_vec())
                .collect();
            let at = |i: usize| {
                let earlier = i.checked_add_signed(-samples)?;
                response.get(earlier).copied()
            };
            for (p, weight) in weights.iter_mut().enumerate() {
                *weight = transform.forward(std::array::from_fn(|i| match i {
                    i if i < PIECE => at(p * PIECE + i).unwrap_or_default(),
                    _ => 0.0,
                }));
            }
        }
    }

    /// The power of the echo that the last prediction may have left, as far as it knows.
    pub const fn doubted(&self) -> &Bins {
        &self.doubted
    }

    /// It is that far off at least, as a share of what it predicts.
    pub fn doubt(&mut self, share: f32) {
        for (doubt, weight) in self.doubts.iter_mut().zip(&self.weights) {
            for k in self.bins.clone() {
                let size = weight.re[k] * weight.re[k] + weight.im[k] * weight.im[k];
                doubt[k] = doubt[k].max(share * size);
            }
        }
    }

    /// How much of the first reference comes after how many pieces.
    pub fn energies(&self) -> impl Iterator<Item = f32> {
        self.weights[..self.partitions].iter().map(|weight| {
            let bins = self.bins.clone();
            bins.map(|k| weight.re[k] * weight.re[k] + weight.im[k] * weight.im[k])
                .sum()
        })
    }
}
