//! Pieces of sound by frequency.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex};

/// Samples of 10 ms at 16 kHz: the canceller works below 8 kHz.
pub const PIECE: usize = 160;

/// Two pieces are looked at together.
pub const LENGTH: usize = 2 * PIECE;

/// Frequencies, 50 Hz apart.
pub const BINS: usize = PIECE + 1;

/// A value for each frequency.
pub type Bins = [f32; BINS];

/// A complex value for each frequency, parts apart: the compiler then makes vectors of them.
#[derive(Clone)]
pub struct Spectrum {
    pub re: Bins,
    pub im: Bins,
}

impl Spectrum {
    pub const ZERO: Self = Self {
        re: [0.0; BINS],
        im: [0.0; BINS],
    };

    /// The power at each frequency.
    pub fn power(&self) -> Bins {
        std::array::from_fn(|k| self.re[k] * self.re[k] + self.im[k] * self.im[k])
    }

    /// Adds the product of both.
    pub fn add_product(&mut self, a: &Self, b: &Self) {
        for k in 0..BINS {
            self.re[k] += a.re[k] * b.re[k] - a.im[k] * b.im[k];
            self.im[k] += a.re[k] * b.im[k] + a.im[k] * b.re[k];
        }
    }
}

/// The Fourier transform of two pieces, and its inverse.
pub struct Transform {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Transform {
    pub fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(LENGTH);
        let inverse = planner.plan_fft_inverse(LENGTH);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            bins: forward.make_output_vec(),
            scratch: vec![Complex::default(); scratch],
            forward,
            inverse,
        }
    }

    pub fn forward(&mut self, mut samples: [f32; LENGTH]) -> Spectrum {
        let outcome =
            self.forward
                .process_with_scratch(&mut samples, &mut self.bins, &mut self.scratch);
        debug_assert!(outcome.is_ok(), "the lengths are those of the plan");
        Spectrum {
            re: std::array::from_fn(|k| self.bins[k].re),
            im: std::array::from_fn(|k| self.bins[k].im),
        }
    }

    pub fn inverse(&mut self, spectrum: &Spectrum) -> [f32; LENGTH] {
        for (k, bin) in self.bins.iter_mut().enumerate() {
            *bin = Complex::new(spectrum.re[k], spectrum.im[k]);
        }
        // The first and the last are real, whatever rounding has made of them.
        self.bins[0].im = 0.0;
        self.bins[PIECE].im = 0.0;
        let mut samples = [0.0; LENGTH];
        let outcome =
            self.inverse
                .process_with_scratch(&mut self.bins, &mut samples, &mut self.scratch);
        debug_assert!(outcome.is_ok(), "the lengths are those of the plan");
        samples.map(|sample| sample / LENGTH as f32)
    }
}

/// Two pieces one after the other.
pub fn joined(first: &[f32; PIECE], second: &[f32; PIECE]) -> [f32; LENGTH] {
    std::array::from_fn(|i| {
        if i < PIECE {
            first[i]
        } else {
            second[i - PIECE]
        }
    })
}

/// The second of two pieces.
pub fn second_piece(both: &[f32; LENGTH]) -> [f32; PIECE] {
    std::array::from_fn(|i| both[PIECE + i])
}
