//! Sources and sinks without a device: a tone, silence, nowhere.

use std::f64::consts::TAU;

use super::{AudioFrame, AudioSink, AudioSource, SAMPLE_RATE, pace::Pace, sound_time_code};
use crate::{MediaError, video::unix_ms_now};

/// Loud enough to measure, far from clipping (−12 dBFS).
const TONE_AMPLITUDE: f64 = 0.25;

/// A microphone that hears a sine tone, in real time.
#[derive(Debug)]
pub struct ToneMicrophone {
    step: f64,
    phase: f64,
    pace: Pace,
}

impl ToneMicrophone {
    /// A tone of `hz`, between 20 Hz and 20 kHz; anything else is brought into that range.
    #[must_use]
    pub fn new(hz: f64) -> Self {
        let hz = if hz.is_finite() {
            hz.clamp(20.0, 20_000.0)
        } else {
            440.0
        };
        Self {
            step: TAU * hz / f64::from(SAMPLE_RATE),
            phase: 0.0,
            pace: Pace::new(),
        }
    }
}

impl AudioSource for ToneMicrophone {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        self.pace.wait();
        let mut frame = AudioFrame::SILENCE;
        for sample in &mut frame.0 {
            *sample = (TONE_AMPLITUDE * self.phase.sin()) as f32;
            self.phase = (self.phase + self.step) % TAU;
        }
        Ok(frame)
    }
}

/// A frame lasts so long, in milliseconds.
const FRAME_MS: f64 = 10.0;

/// A clock that is off by more than this was set, or the computer slept.
const OTHER_TIME_MS: f64 = 30.0;

/// A microphone that hears the time code of sound, in real time: what the pattern camera is to pictures.
#[derive(Debug)]
pub struct PatternMicrophone {
    /// The moment to which the next frame's first sample belongs, in Unix milliseconds.
    next_ms: f64,
    pace: Pace,
}

impl PatternMicrophone {
    /// Begins now.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            next_ms: 0.0,
            pace: Pace::new(),
        }
    }
}

impl Default for PatternMicrophone {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioSource for PatternMicrophone {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        self.pace.wait();
        // A microphone gives 10 ms when they are over.
        let began_ms = unix_ms_now() - FRAME_MS;
        // A thread wakes up late, never early: the earliest moment is the true one.
        if began_ms < self.next_ms || began_ms > self.next_ms + OTHER_TIME_MS {
            self.next_ms = began_ms;
        }
        let frame = sound_time_code(self.next_ms);
        self.next_ms += FRAME_MS;
        Ok(frame)
    }
}

/// A microphone that hears nothing, in real time.
#[derive(Debug)]
pub struct SilentSource {
    pace: Pace,
}

impl SilentSource {
    /// Begins now.
    #[must_use]
    pub const fn new() -> Self {
        Self { pace: Pace::new() }
    }
}

impl Default for SilentSource {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioSource for SilentSource {
    fn read(&mut self) -> Result<AudioFrame, MediaError> {
        self.pace.wait();
        Ok(AudioFrame::SILENCE)
    }
}

/// A speaker that nobody hears. It takes sound in real time, so that whatever feeds it keeps its pace.
#[derive(Debug)]
pub struct NullSink {
    pace: Pace,
}

impl NullSink {
    /// Begins now.
    #[must_use]
    pub const fn new() -> Self {
        Self { pace: Pace::new() }
    }
}

impl Default for NullSink {
    fn default() -> Self {
        Self::new()
    }
}

impl AudioSink for NullSink {
    fn write(&mut self, _frame: &AudioFrame) -> Result<(), MediaError> {
        self.pace.wait();
        Ok(())
    }
}

/// Root mean square of a frame, 0 to 1.
#[cfg(test)]
pub(crate) fn level(frame: &AudioFrame) -> f32 {
    let energy: f32 = frame.0.iter().map(|sample| sample * sample).sum();
    (energy / frame.0.len() as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_has_its_level_and_its_frequency() {
        let mut tone = ToneMicrophone::new(1_000.0);
        let frame = tone.read().expect("a tone never ends");
        assert!((f64::from(level(&frame)) - TONE_AMPLITUDE / 2f64.sqrt()).abs() < 0.01);
        let crossings = frame
            .0
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
            .count();
        assert!((9..=10).contains(&crossings), "{crossings}");
    }

    #[test]
    fn an_absurd_frequency_is_tamed() {
        for hz in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e9] {
            let frame = ToneMicrophone::new(hz).read().expect("a tone never ends");
            assert!(frame.0.iter().all(|sample| sample.is_finite()));
        }
    }
}
