//! Whether somebody in the room speaks, whatever the loudspeaker plays.

use super::spectrum::Bins;

/// Where voices are: 200 Hz to 4 kHz.
const VOICE: std::ops::Range<usize> = 4..80;

/// Somebody speaks where there is so much more than the residual echo, in all...
const MORE: f32 = 12.0;

/// ...and so much more...
const MORE_AT_A_FREQUENCY: f32 = 8.0;

/// ...at so many of the frequencies: a loudspeaker that distorts is loud at some.
const FREQUENCIES: f32 = 0.45;

/// For so many pieces of 10 ms, less those in between where it is not so.
const SIGNS: u32 = 5;

/// Who has spoken is taken to go on for so many pieces.
const HOLD: u32 = 70;

/// How fast it is believed that somebody has stopped, every 10 ms.
const FALL: f32 = 0.1;

/// Keeps in mind who spoke a moment ago.
#[derive(Default)]
pub struct NearEnd {
    signs: u32,
    hold: u32,
    likelihood: f32,
}

impl NearEnd {
    /// From 0, where all that is heard may be echo, to 1, where somebody speaks.
    pub fn likelihood(&mut self, power: &Bins, residual: &Bins) -> f32 {
        if is_more(power, residual) {
            self.signs = (self.signs + 1).min(SIGNS);
        } else {
            self.signs = self.signs.saturating_sub(1);
        }
        if self.signs == SIGNS {
            self.hold = HOLD;
        }
        if self.hold > 0 {
            self.hold -= 1;
            self.likelihood = 1.0;
        } else {
            self.likelihood -= FALL * self.likelihood;
        }
        self.likelihood
    }
}

fn is_more(power: &Bins, residual: &Bins) -> bool {
    let sum = |bins: &Bins| bins[VOICE].iter().sum::<f32>();
    let more = VOICE.filter(|&k| power[k] > MORE_AT_A_FREQUENCY * residual[k]);
    sum(power) > MORE * sum(residual) + 1e-8
        && more.count() as f32 > FREQUENCIES * VOICE.len() as f32
}
