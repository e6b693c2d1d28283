//! What is in a WAV file.

use std::f64::consts::TAU;
use std::path::Path;

use anyhow::Context;

/// The samples of a mono file, −1 to 1, and their rate.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> anyhow::Result<(Vec<f64>, u32)> {
    let reader =
        hound::WavReader::open(path).with_context(|| format!("no WAV at {}", path.display()))?;
    let spec = reader.spec();
    let samples = match spec.sample_format {
        hound::SampleFormat::Float => reader
            .into_samples::<f32>()
            .map(|sample| sample.map(f64::from))
            .collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let full = f64::from(2_u32.pow(u32::from(spec.bits_per_sample) - 1));
            reader
                .into_samples::<i32>()
                .map(|sample| sample.map(|sample| f64::from(sample) / full))
                .collect::<Result<_, _>>()?
        }
    };
    Ok((samples, spec.sample_rate))
}

/// Writes a mono file with a sine.
///
/// # Errors
/// When the file cannot be written.
pub fn write_tone(path: &Path, hertz: f64, seconds: f64, rate: u32) -> anyhow::Result<()> {
    let mut writer = hound::WavWriter::create(
        path,
        hound::WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        },
    )?;
    for sample in 0..(seconds * f64::from(rate)) as u32 {
        let value = (TAU * hertz * f64::from(sample) / f64::from(rate)).sin();
        writer.write_sample((value * 8000.0) as i16)?;
    }
    Ok(writer.finalize()?)
}

/// The longest stretch without silence: what was heard before the call came up, or after its end, tells nothing.
#[must_use]
pub fn audible(samples: &[f64], rate: u32) -> &[f64] {
    let block = (rate / 20) as usize;
    let loud = |block: &[f64]| block.iter().any(|sample| sample.abs() > 0.01);
    let (mut best, mut start) = (0..0, 0);
    for (index, chunk) in samples.chunks(block).enumerate() {
        let end = index * block + chunk.len();
        if !loud(chunk) {
            start = end;
        } else if end - start > best.len() {
            best = start..end;
        }
    }
    &samples[best]
}

/// Which share of the sound's power lies at this frequency (0–1). Measured in blocks of 100 ms, so that a jitter buffer that
/// stretches time by a few milliseconds does not count as another frequency.
#[must_use]
pub fn share_at(samples: &[f64], rate: u32, hertz: f64) -> f64 {
    let (mut at, mut total) = (0.0, 0.0);
    for block in samples.chunks_exact((rate / 10) as usize) {
        at += power_at(block, rate, hertz);
        total += block.iter().map(|sample| sample * sample).sum::<f64>();
    }
    if total == 0.0 { 0.0 } else { at / total }
}

/// The power at one frequency (Goertzel), in the same measure as a sum of squares.
pub fn power_at(samples: &[f64], rate: u32, hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / f64::from(rate)).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (sample + coefficient * one - two, one);
    }
    (one * one + two * two - coefficient * one * two) * 2.0 / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_where_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tone.wav");
        write_tone(&path, 1000.0, 1.0, 48_000).expect("written");
        let (mut samples, rate) = read(&path).expect("read");
        let mut padded = vec![0.0; 4800];
        padded.append(&mut samples);
        padded.extend([0.0; 9600]);
        let heard = audible(&padded, rate);
        assert!((45_000..=50_000).contains(&heard.len()), "{}", heard.len());
        assert!(share_at(heard, rate, 1000.0) > 0.9);
        assert!(share_at(heard, rate, 1300.0) < 0.05);
        assert_eq!(share_at(&[], rate, 1000.0), 0.0);
    }
}
