//! A synthetic voice.

use std::process::Command;

use vireo_media::audio::SAMPLE_RATE;

/// What espeak-ng's voice of this name makes of the text, at 48 kHz.
pub fn say(voice: &str, text: &str) -> Vec<f32> {
    let output = Command::new("espeak-ng")
        .args(["--stdout", "-v", voice, text])
        .output()
        .expect("espeak-ng can be started: is it installed?");
    // It writes to a pipe and cannot fill in the lengths of the header: 44 bytes, then 16 bits a sample at 22,050 Hz.
    let samples: Vec<f32> = output.stdout[44..]
        .chunks_exact(2)
        .map(|bytes| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) / 32_768.0)
        .collect();
    let step = 22_050.0 / f64::from(SAMPLE_RATE);
    let length = (samples.len() as f64 / step) as usize - 2;
    (0..length)
        .map(|i| {
            let position = i as f64 * step;
            let (index, part) = (position as usize, position.fract() as f32);
            samples[index] * (1.0 - part) + samples[index + 1] * part
        })
        .collect()
}
