//! Takes down what the filter has left of the echo, as far as nobody speaks at the same frequency.

use std::f32::consts::PI;

use super::{
    near_end::NearEnd,
    residual::Residual,
    spectrum::{BINS, Bins, LENGTH, PIECE, Spectrum, Transform, joined},
};

/// What depends on whether somebody in the room speaks: nobody at all, somebody for certain.
struct Between(f32, f32);

impl Between {
    fn at(&self, likelihood: f32) -> f32 {
        self.0 + likelihood * (self.1 - self.0)
    }
}

/// How much more residual echo is reckoned with than there should be.
const OVERESTIMATE: Between = Between(20.0, 1.0);

/// How much of the echo's own share of a frequency is kept of the piece before, which keeps what is left from twinkling
/// (Ephraim and Malah, “Speech enhancement using a minimum mean-square error short-time spectral amplitude estimator”, 1984).
const MEMORY: Between = Between(0.9, 0.4);

/// Nothing becomes quieter than by this, in decibels.
const LEAST_DB: Between = Between(-80.0, -20.0);

/// Everything becomes quieter by this, in decibels.
const ALL_DB: Between = Between(-25.0, 0.0);

/// By how much the noise of the room may rise in 10 ms.
const NOISE_RISE: f32 = 1.005;

/// What goes with the bands above 8 kHz: 4 to 8 kHz.
const HIGH: std::ops::Range<usize> = 80..BINS;

/// What is sent of a piece of sound.
pub struct Suppressed {
    /// A piece later than it came in.
    pub sound: [f32; PIECE],
    /// What is to be left of the sound above 8 kHz.
    pub above: f32,
}

/// Works on two pieces at a time, each of which fades over to the next two.
pub struct Suppressor {
    window: [f32; LENGTH],
    last_left: [f32; PIECE],
    last_echo: [f32; PIECE],
    tail: [f32; PIECE],
    residual: Residual,
    near_end: NearEnd,
    last_power: Bins,
    gains: Bins,
    noise: Bins,
}

impl Suppressor {
    pub fn new() -> Self {
        Self {
            window: std::array::from_fn(|i| (PI * (i as f32 + 0.5) / LENGTH as f32).sin()),
            last_left: [0.0; PIECE],
            last_echo: [0.0; PIECE],
            tail: [0.0; PIECE],
            residual: Residual::new(),
            near_end: NearEnd::default(),
            last_power: [0.0; BINS],
            gains: [1.0; BINS],
            noise: [1e-9; BINS],
        }
    }

    /// The echo is another one from now on.
    pub fn forget(&mut self) {
        self.residual = Residual::new();
    }

    /// How much of the echo the filter leaves: a share of its power.
    pub fn leak(&self) -> f32 {
        self.residual.share()
    }

    /// Goes on with what is left once the predicted echo has been taken away, that echo, the power of it that the filter is not
    /// sure of, and how little the whole prediction is to be trusted.
    pub fn suppress(
        &mut self,
        left: &[f32; PIECE],
        echo: &[f32; PIECE],
        doubted: &Bins,
        mistrust: f32,
        transform: &mut Transform,
    ) -> Suppressed {
        let sound = transform.forward(self.windowed(joined(&self.last_left, left)));
        let predicted = transform.forward(self.windowed(joined(&self.last_echo, echo)));
        (self.last_left, self.last_echo) = (*left, *echo);
        let power = sound.power();
        let predicted = predicted.power();
        let doubted = std::array::from_fn(|k| doubted[k].max(mistrust * predicted[k]));
        let residual = self.residual.estimate(&power, &predicted, &doubted);
        let likelihood = self.near_end.likelihood(&power, residual);
        self.follow_noise(&power);
        self.set_gains(&power, likelihood);
        let cleaned = self.windowed(transform.inverse(&self.weighted(&sound)));
        let sent = std::array::from_fn(|i| self.tail[i] + cleaned[i]);
        self.tail.copy_from_slice(&cleaned[PIECE..]);
        Suppressed {
            sound: sent,
            above: self.gains[HIGH].iter().sum::<f32>() / HIGH.len() as f32,
        }
    }

    fn windowed(&self, samples: [f32; LENGTH]) -> [f32; LENGTH] {
        std::array::from_fn(|i| samples[i] * self.window[i])
    }

    fn weighted(&self, sound: &Spectrum) -> Spectrum {
        Spectrum {
            re: std::array::from_fn(|k| self.gains[k] * sound.re[k]),
            im: std::array::from_fn(|k| self.gains[k] * sound.im[k]),
        }
    }

    /// The room's noise is the least that is heard.
    fn follow_noise(&mut self, power: &Bins) {
        for (noise, power) in self.noise.iter_mut().zip(power) {
            if power < noise {
                *noise += 0.1 * (power - *noise);
            } else {
                *noise *= NOISE_RISE;
            }
        }
    }

    fn set_gains(&mut self, power: &Bins, likelihood: f32) {
        let over = OVERESTIMATE.at(likelihood);
        let memory = MEMORY.at(likelihood);
        let least = amplitude(LEAST_DB.at(likelihood));
        let all = amplitude(ALL_DB.at(likelihood));
        let residual = self.residual.power();
        for k in 0..BINS {
            let echo = over * residual[k] + 1e-12;
            let now = (power[k] / echo - 1.0).max(0.0);
            let before = self.gains[k] * self.gains[k] * self.last_power[k] / echo;
            let voice = memory * before + (1.0 - memory) * now;
            // The room's noise stays, so that it does not come and go with the echo.
            let noise = (self.noise[k] / (power[k] + 1e-12)).min(1.0).sqrt();
            self.gains[k] = (all * (voice / (1.0 + voice)).max(least)).max(noise);
        }
        self.last_power = *power;
    }
}

fn amplitude(decibels: f32) -> f32 {
    10_f32.powf(decibels / 20.0)
}
