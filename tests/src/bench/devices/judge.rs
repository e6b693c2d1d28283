//! How speech sounds after its way, by PESQ, and how long that took.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde::Deserialize;

use crate::pulse::RATE;

const SCRIPT: &str = include_str!("judge.py");

/// Compares sounds. What it compares stays in a folder, to be listened to.
pub struct Judge {
    python: PathBuf,
    folder: PathBuf,
}

/// What became of speech.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// MOS-LQO of PESQ's wide band, 1 to 4.64; of pieces of eight seconds the mean.
    pub mean: f64,
    /// The worst piece's.
    pub worst: f64,
    /// How much later each piece was heard than said, in milliseconds.
    pub delays_ms: Vec<f64>,
}

impl Judgement {
    /// How much later the median piece was heard, in milliseconds.
    #[must_use]
    pub fn delay_ms(&self) -> f64 {
        crate::bench::percentile(&mut self.delays_ms.clone(), 0.5)
    }

    /// How far the delays of its pieces lie apart, in milliseconds.
    #[must_use]
    pub fn moved_ms(&self) -> f64 {
        let delays = self.delays_ms.iter().copied();
        let ends = delays.clone().reduce(f64::max).zip(delays.reduce(f64::min));
        ends.map_or(0.0, |(most, least)| most - least)
    }
}

impl Judge {
    /// By a Python that has PESQ.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(python: PathBuf, folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { python, folder })
    }

    /// Compares what was heard with what was said, from at most three seconds before on.
    ///
    /// # Errors
    /// When nothing like it was heard.
    pub fn judge(&self, name: &str, said: &[f64], heard: &[f64]) -> Result<Judgement> {
        let path = |what: &str| self.folder.join(format!("{name}-{what}.wav"));
        let (said_in, heard_in) = (path("said"), path("heard"));
        write(&said_in, said)?;
        write(&heard_in, heard)?;
        let judged = Command::new(&self.python)
            .args(["-c", SCRIPT])
            .args([said_in, heard_in])
            .output()
            .context("the Python with PESQ cannot be started")?;
        let complaint = String::from_utf8_lossy(&judged.stderr);
        ensure!(
            judged.status.success(),
            "{name} cannot be judged: {complaint}"
        );
        Ok(serde_json::from_slice(&judged.stdout)?)
    }

    /// Keeps a sound beside what was compared.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, name: &str, sound: &[f64]) -> Result<()> {
        write(&self.folder.join(format!("{name}.wav")), sound)
    }
}

fn write(path: &Path, samples: &[f64]) -> Result<()> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec)?;
    for sample in samples {
        writer.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
    }
    Ok(writer.finalize()?)
}
