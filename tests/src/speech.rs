//! Speech by a synthetic voice.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::pulse::RATE;

/// What a voice of espeak-ng says, and a pause of half a second; mono, at [`RATE`].
///
/// # Errors
/// When espeak-ng is not installed or does not know the voice.
pub fn spoken(voice: &str, text: &str) -> anyhow::Result<Vec<f32>> {
    let output = Command::new("espeak-ng")
        .args(["-v", voice, "--stdout", text])
        .output()
        .context("espeak-ng cannot be started; is it installed?")?;
    // It writes to a pipe and cannot fill in the lengths of the header: 44 bytes, then 16 bits a sample at 22,050 Hz.
    let samples: Vec<f32> = output
        .stdout
        .get(44..)
        .context("espeak-ng says nothing")?
        .chunks_exact(2)
        .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32_768.0)
        .collect();
    ensure!(samples.len() > 2, "espeak-ng says nothing");
    let step = 22_050.0 / f64::from(RATE);
    let length = (samples.len() as f64 / step) as usize - 4;
    let mut resampled: Vec<f32> = (0..length)
        .map(|i| {
            let position = i as f64 * step;
            let (index, part) = (position as usize, position.fract() as f32);
            samples[index] * (1.0 - part) + samples[index + 1] * part
        })
        .collect();
    resampled.extend(vec![0.0; RATE as usize / 2]);
    Ok(resampled)
}
