//! Between a device's or file's rate and ours.

use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use crate::MediaError;

/// Rates that sound cards and files have.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Length of the filter: 1.3 ms of delay at 48 kHz, flat to 19 kHz.
const SINC_LENGTH: usize = 128;

/// Turns a stream of mono samples of one rate into one of another. Takes any number of samples at a time.
pub(crate) struct Resampler {
    /// None where both rates are the same.
    inner: Option<Async<f32>>,
    waiting: Vec<f32>,
    scratch: Vec<f32>,
}

impl Resampler {
    /// # Errors
    /// [`MediaError::Device`] for a rate outside 8–192 kHz.
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, MediaError> {
        if !RATES.contains(&from) || !RATES.contains(&to) {
            return Err(MediaError::Device(format!(
                "A sample rate of {from} Hz is not supported; use one between 8 and 192 kHz."
            )));
        }
        if from == to {
            return Ok(Self {
                inner: None,
                waiting: Vec::new(),
                scratch: Vec::new(),
            });
        }
        let chunk = (from / 200) as usize;
        let parameters =
            SincInterpolationParameters::new(SINC_LENGTH, WindowFunction::BlackmanHarris2);
        let inner = Async::new_sinc(
            f64::from(to) / f64::from(from),
            1.0,
            &parameters,
            chunk,
            1,
            FixedAsync::Input,
        )
        .map_err(|error| {
            MediaError::Device(format!(
                "Sound cannot be converted from {from} to {to} Hz: {error}."
            ))
        })?;
        let scratch = vec![0.0; inner.output_frames_max()];
        Ok(Self {
            inner: Some(inner),
            waiting: Vec::with_capacity(4 * chunk),
            scratch,
        })
    }

    /// Converts `input`, appending what is ready to `output`.
    pub(crate) fn push(&mut self, input: &[f32], output: &mut impl Extend<f32>) {
        let Some(inner) = &mut self.inner else {
            output.extend(input.iter().copied());
            return;
        };
        self.waiting.extend_from_slice(input);
        let mut used = 0;
        loop {
            let needed = inner.input_frames_next();
            let Some(chunk) = self.waiting.get(used..used + needed) else {
                break;
            };
            let room = self.scratch.len();
            let source = InterleavedSlice::new(chunk, 1, needed)
                .expect("one channel of exactly this length");
            let mut target = InterleavedSlice::new_mut(&mut self.scratch, 1, room)
                .expect("one channel of exactly this length");
            let (_, written) = inner
                .process_into_buffer(&source, &mut target, None)
                .expect("the buffers have the sizes that the resampler asked for");
            output.extend(self.scratch[..written].iter().copied());
            used += needed;
        }
        self.waiting.drain(..used);
    }
}

/// Mixes interleaved samples of any number of channels down to one.
pub(crate) fn downmix(interleaved: &[f32], channels: usize, output: &mut Vec<f32>) {
    let scale = 1.0 / channels as f32;
    output.extend(
        interleaved
            .chunks_exact(channels)
            .map(|frame| frame.iter().sum::<f32>() * scale),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_frequency_and_level_at_every_rate() {
        for rate in [
            8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
        ] {
            let mut resampler = Resampler::new(rate, 48_000).expect("a rate that is supported");
            let input: Vec<f32> = (0..rate)
                .map(|i| (std::f32::consts::TAU * 1_000.0 * i as f32 / rate as f32).sin())
                .collect();
            let mut output = Vec::new();
            for part in input.chunks(97) {
                resampler.push(part, &mut output);
            }
            assert!(
                (47_000..=48_100).contains(&output.len()),
                "{rate}: {}",
                output.len()
            );
            let middle = &output[4_800..43_200];
            let crossings = middle
                .windows(2)
                .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
                .count();
            assert!((799..=801).contains(&crossings), "{rate}: {crossings}");
            let rms = (middle.iter().map(|s| s * s).sum::<f32>() / middle.len() as f32).sqrt();
            assert!(
                (rms - std::f32::consts::FRAC_1_SQRT_2).abs() < 0.01,
                "{rate}: {rms}"
            );
        }
    }

    #[test]
    fn rates_nobody_has_are_refused() {
        assert!(Resampler::new(0, 48_000).is_err());
        assert!(Resampler::new(4_000, 48_000).is_err());
        assert!(Resampler::new(384_000, 48_000).is_err());
    }

    #[test]
    fn eight_channels_become_one() {
        let mut mono = Vec::new();
        downmix(
            &[
                0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
            ],
            8,
            &mut mono,
        );
        assert_eq!(mono.len(), 2);
        assert!((mono[0] - 0.1).abs() < 1e-6 && (mono[1] - 1.0).abs() < 1e-6);
    }
}
