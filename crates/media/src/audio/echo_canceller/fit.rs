//! Whether what is predicted is what is heard, and by how much it would have to move to be.
//!
//! A device that leaves out some milliseconds moves all of the echo at once: a hole in the speaker's sound, a microphone that
//! lost some. Taking away what was predicted then adds a second echo. Who speaks in the room cannot look like that: their voice
//! has nothing to do with the prediction, so that what is heard still holds all of it.

use std::{collections::VecDeque, ops::RangeInclusive};

use super::spectrum::PIECE;

/// Pieces that are remembered, 160 ms: long enough for voices, which repeat themselves after some 10 ms, to be told apart.
const REMEMBERED: usize = 16;

/// How fast it is noticed, every 10 ms.
const NOTICE: f32 = 0.4;

/// The same before anything is moved.
const BELIEVE: f32 = 0.2;

/// Of what is predicted, so much is heard when all is well...
const RIGHT: f32 = 0.75;

/// ...and no more than so much when it is another echo.
const WRONG: f32 = 0.5;

/// An echo that is this share of what is heard says nothing: somebody speaks.
const FAINT: f32 = 0.05;

/// As many samples earlier or later are looked at: 40 ms.
const FARTHEST: isize = 640;

/// An echo that has moved is heard as much as this once it is moved back.
const FOUND: RangeInclusive<f32> = 0.6..=1.5;

/// It has to be found that much more than where it was...
const BETTER: f32 = 0.2;

/// ...and more than by luck: as one of so many values that are spread as widely...
const LUCK: f32 = 2.0;

/// ...as means of so many products are that have nothing to do with each other.
const INDEPENDENT: f32 = 400.0;

/// After so many pieces it is looked for again.
const AGAIN: usize = 4;

/// An echo that was looked for so often in vain is another one.
const GIVE_UP: u32 = 2;

/// What is weaker than this in power says nothing.
const SILENCE: f32 = 1e-6 * PIECE as f32;

/// What is heard and what was predicted, of the last pieces.
pub struct Fit {
    heard: VecDeque<f32>,
    predicted: VecDeque<f32>,
    soon: Likeness,
    later: Likeness,
    /// Pieces since something was moved, or looked for.
    since: usize,
    /// Whether the prediction has been right before.
    was_right: bool,
    /// How often it was looked for in vain.
    vain: u32,
}

/// Means of products.
#[derive(Default)]
struct Likeness {
    both: f32,
    heard: f32,
    predicted: f32,
}

impl Likeness {
    fn follow(&mut self, rate: f32, new: &Self) {
        self.both += rate * (new.both - self.both);
        self.heard += rate * (new.heard - self.heard);
        self.predicted += rate * (new.predicted - self.predicted);
    }

    /// Whether there is enough of an echo to say anything.
    fn tells(&self) -> bool {
        self.predicted > FAINT * self.heard + SILENCE
    }

    /// How much of the prediction is heard: 1 where all is well.
    fn share(&self) -> f32 {
        self.both / (self.predicted + SILENCE)
    }
}

impl Fit {
    pub fn new() -> Self {
        Self {
            heard: vec![0.0; REMEMBERED * PIECE].into(),
            predicted: vec![0.0; REMEMBERED * PIECE].into(),
            soon: Likeness::default(),
            later: Likeness::default(),
            since: 0,
            was_right: false,
            vain: 0,
        }
    }

    /// The next piece, and what was predicted of it.
    pub fn push(&mut self, heard: &[f32; PIECE], predicted: &[f32; PIECE]) {
        remember(&mut self.heard, &sharpened(heard));
        remember(&mut self.predicted, &sharpened(predicted));
        let new = Likeness {
            both: heard.iter().zip(predicted).map(|(a, b)| a * b).sum(),
            heard: heard.iter().map(|sample| sample * sample).sum(),
            predicted: predicted.iter().map(|sample| sample * sample).sum(),
        };
        self.soon.follow(NOTICE, &new);
        self.later.follow(BELIEVE, &new);
        self.since += 1;
        if self.later.tells() && self.later.share() > RIGHT {
            (self.was_right, self.vain) = (true, 0);
        }
    }

    /// Whether there is an echo to tell by.
    pub fn tells(&self) -> bool {
        self.later.tells()
    }

    /// How little the prediction is to be trusted: from 0 to 1.
    pub fn mistrust(&self) -> f32 {
        if !self.soon.tells() || !self.was_right {
            return 0.0;
        }
        ((RIGHT - self.soon.share()) / (RIGHT - WRONG)).clamp(0.0, 1.0)
    }

    /// By how many samples the echo comes later than predicted, or earlier where that is negative. Looks now and then, and only
    /// where the prediction is certainly wrong.
    pub fn moved(&mut self) -> Option<isize> {
        let is_wrong = self.was_right && self.later.tells() && self.later.share() < WRONG;
        if !is_wrong || self.since < AGAIN {
            return None;
        }
        self.since = 0;
        self.vain += 1;
        let (heard, predicted) = (
            self.heard.make_contiguous(),
            self.predicted.make_contiguous(),
        );
        let (by, share) = (-FARTHEST..=FARTHEST)
            .map(|by| (by, share_at(heard, predicted, by)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        tracing::debug!(by, share, "an echo that does not fit");
        let luck = (self.later.heard / (self.later.predicted * INDEPENDENT)).sqrt();
        let better = share - share_at(heard, predicted, 0);
        (FOUND.contains(&share) && better > BETTER + LUCK * luck).then_some(by)
    }

    /// Whether no way is known from what was predicted to what is heard.
    pub fn knows_nothing(&self) -> bool {
        !self.was_right || self.vain >= GIVE_UP
    }

    /// All that was predicted was of another echo.
    pub fn forget(&mut self) {
        *self = Self::new();
    }
}

/// Voices are strongest where they are low, where one period looks like the next.
fn sharpened(sound: &[f32; PIECE]) -> [f32; PIECE] {
    std::array::from_fn(|i| sound[i] - 0.9 * sound[i.saturating_sub(1)])
}

fn remember(all: &mut VecDeque<f32>, new: &[f32; PIECE]) {
    all.drain(..PIECE);
    all.extend(new);
}

/// How much of the prediction is heard so many samples later.
fn share_at(heard: &[f32], predicted: &[f32], later: isize) -> f32 {
    let (skipped, left_out) = (later.max(0) as usize, (-later).max(0) as usize);
    let heard = &heard[skipped..heard.len() - left_out];
    let predicted = &predicted[left_out..predicted.len() - skipped];
    let (mut both, mut alone) = (0.0, SILENCE);
    for (heard, predicted) in heard.iter().zip(predicted) {
        both += heard * predicted;
        alone += predicted * predicted;
    }
    both / alone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise, so many samples of it late.
    struct Noise(u32, VecDeque<f32>);

    impl Noise {
        fn new(seed: u32, late: usize) -> Self {
            Self(seed, vec![0.0; late].into())
        }

        fn piece(&mut self) -> [f32; PIECE] {
            std::array::from_fn(|_| {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let new = (self.0 >> 8) as f32 / (1 << 24) as f32 - 0.5;
                self.1.push_back(new);
                self.1.pop_front().unwrap_or_default()
            })
        }
    }

    /// The piece that moves. Both sounds begin anew after 100 pieces, with silence.
    const MOVED: usize = 110;

    /// The echo comes as predicted for a second, then so many samples later than before, while somebody speaks as loud or not at
    /// all. Gives after how many pieces it is mistrusted and after how many it is found, and where.
    fn found_after(late: usize, near: f32) -> (usize, Option<(usize, isize)>) {
        let mut fit = Fit::new();
        let (mut predicted, mut voice) = (Noise::new(1, 1_000), Noise::new(2, 0));
        let mut mistrusted = usize::MAX;
        for (i, echo) in [Noise::new(1, 1_000), Noise::new(1, 1_000 + late)]
            .iter_mut()
            .flat_map(|echo| (0..100).map(|_| echo.piece()).collect::<Vec<_>>())
            .enumerate()
        {
            if i == 100 {
                predicted = Noise::new(1, 1_000);
            }
            let spoken = voice.piece();
            let heard = std::array::from_fn(|i| echo[i] + near * spoken[i]);
            fit.push(&heard, &predicted.piece());
            if i >= MOVED && fit.mistrust() > 0.9 {
                mistrusted = mistrusted.min(i - MOVED);
            }
            if let Some(by) = fit.moved() {
                return (mistrusted, Some((i.saturating_sub(MOVED), by)));
            }
        }
        (mistrusted, None)
    }

    #[test]
    fn an_echo_that_moves_is_mistrusted_at_once_and_found_soon() {
        for near in [0.0, 1.0, 2.0] {
            for late in [20, 112, 400] {
                let (mistrusted, found) = found_after(late, near);
                assert!(mistrusted <= 3, "mistrusted after {mistrusted} pieces");
                let (after, by) = found.expect("it is found");
                assert!(after <= 20, "found after {after} pieces");
                assert_eq!(by, late as isize, "beside a voice of {near}");
            }
        }
    }

    #[test]
    fn who_speaks_is_not_taken_for_an_echo_that_has_moved() {
        for near in [0.0, 1.0, 3.0, 10.0] {
            let (_, found) = found_after(0, near);
            assert_eq!(found, None, "beside a voice of {near}");
        }
    }
}
