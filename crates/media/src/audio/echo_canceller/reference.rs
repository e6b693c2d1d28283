//! What the loudspeaker was given.

use std::collections::VecDeque;

use super::spectrum::{PIECE, Spectrum, Transform, joined};

/// What is played, and what a loudspeaker that distorts may add to it.
pub const REFERENCES: usize = 2;

/// A loudspeaker that cannot swing as far as it should adds odd powers, of which the third is most: this many times, so that
/// both references are of a size in loud speech.
const CUBE: f32 = 4.0;

/// Speech is louder than this, in power.
const LOUD: f32 = 1e-5;

/// Pieces of 10 ms that are remembered.
const REMEMBERED: usize = 100;

/// After so many pieces it is seen whether more is kept waiting than need be.
const LOOKED_AT: usize = 200;

/// Pieces come when somebody plays and are wanted when somebody records, in no fixed order.
pub struct Reference {
    transform: Transform,
    pieces: VecDeque<[Spectrum; REFERENCES]>,
    last: [[f32; PIECE]; REFERENCES],
    /// Pieces that are newer than the one that belongs to what is recorded now.
    waiting: usize,
    least_waiting: usize,
    looked: usize,
}

impl Reference {
    pub fn new() -> Self {
        Self {
            transform: Transform::new(),
            pieces: vec![[Spectrum::ZERO; REFERENCES]; REMEMBERED].into(),
            last: [[0.0; PIECE]; REFERENCES],
            waiting: 0,
            least_waiting: usize::MAX,
            looked: 0,
        }
    }

    /// Another one is about to be played.
    pub fn push(&mut self, played: &[f32; PIECE]) {
        let new = [*played, played.map(|sample| CUBE * sample.powi(3))];
        self.pieces.pop_back();
        let spectra =
            std::array::from_fn(|r| self.transform.forward(joined(&self.last[r], &new[r])));
        self.pieces.push_front(spectra);
        self.last = new;
        self.waiting = (self.waiting + 1).min(REMEMBERED / 4);
    }

    /// Whether there is something to hear in the newest piece.
    pub fn is_loud(&self) -> bool {
        let energy: f32 = self.last[0].iter().map(|sample| sample * sample).sum();
        energy > LOUD * PIECE as f32
    }

    /// Another one was recorded. Gives by how many pieces the echo comes later from now on than before: more than none when more
    /// was waiting for long than need be, less when nothing new was played. The latter may come yet, and mostly does while an
    /// echo is heard; where none is, the speaker has left it out, as far as anybody knows.
    pub fn advance(&mut self, is_heard: bool) -> isize {
        if self.waiting == 0 {
            return if is_heard { -1 } else { 0 };
        }
        self.waiting -= 1;
        self.least_waiting = self.least_waiting.min(self.waiting);
        self.looked += 1;
        if self.looked < LOOKED_AT {
            return 0;
        }
        let excess = self.least_waiting.saturating_sub(1);
        (self.looked, self.least_waiting) = (0, usize::MAX);
        self.waiting -= excess;
        excess as isize
    }

    /// From so many pieces before the one that belongs to what is recorded now, the newest first.
    pub fn pieces(&self, before: usize) -> impl Iterator<Item = &[Spectrum]> + Clone {
        self.pieces
            .iter()
            .skip(self.waiting + before)
            .map(|piece| &piece[..])
    }
}
