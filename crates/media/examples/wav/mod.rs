//! Sound in WAV files, as it is and as PESQ wants it.

use std::{error::Error, f64::consts::PI, path::Path};

/// What is compared: PESQ's wide band.
const QUALITY_RATE: u32 = 16_000;
const RATE: u32 = 48_000;

/// A mono file of any rate, at 48 kHz.
pub fn read(path: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut reader = hound::WavReader::open(path)?;
    let rate = reader.spec().sample_rate;
    let samples: Vec<f32> = reader
        .samples::<i16>()
        .map(|sample| Ok(f32::from(sample?) / 32_768.0))
        .collect::<Result<_, hound::Error>>()?;
    Ok(resampled(&samples, rate, RATE))
}

/// Sound of 48 kHz as a file of 16 kHz.
pub fn write(path: &Path, samples: &[f32]) -> Result<(), Box<dyn Error>> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: QUALITY_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for sample in resampled(samples, RATE, QUALITY_RATE) {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
    }
    Ok(writer.finalize()?)
}

/// By a windowed sinc, in one go.
fn resampled(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
    const ZERO_CROSSINGS: f64 = 12.0;
    let step = f64::from(from) / f64::from(to);
    let cutoff = (1.0 / step).min(1.0) * 0.97;
    let reach = ZERO_CROSSINGS / cutoff;
    let length = (samples.len() as f64 / step) as usize;
    let value = |index: usize| {
        let middle = index as f64 * step;
        let first = (middle - reach).ceil().max(0.0) as usize;
        let last = ((middle + reach) as usize).min(samples.len().saturating_sub(1));
        let sum: f64 = (first..=last)
            .map(|i| {
                let x = i as f64 - middle;
                let window = 0.5 + 0.5 * (PI * x / reach).cos();
                let angle = PI * x * cutoff;
                let sinc = if angle.abs() < 1e-9 {
                    1.0
                } else {
                    angle.sin() / angle
                };
                f64::from(samples[i]) * sinc * window * cutoff
            })
            .sum();
        sum as f32
    };
    (0..length).map(value).collect()
}
