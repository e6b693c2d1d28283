//! Sound through virtual devices: what is played into a microphone is measured at a speaker.
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use vireo_tests::{
    binaries::binary,
    pulse::{Pulse, RATE, tone},
    sound_file::{audible, share_at},
};

const PATIENCE: Duration = Duration::from_secs(40);

/// `sound_path`, killed when dropped.
struct SoundPath {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl SoundPath {
    fn start(pulse: &Pulse, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(binary("sound_path")?)
            .args(arguments)
            .envs(pulse.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("the pipe was asked for")?);
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        ensure!(self.lines.read_line(&mut line)? > 0, "sound_path has ended");
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits for a line with this key.
    fn line_with(&mut self, key: &str) -> anyhow::Result<Value> {
        loop {
            let line = self.line()?;
            if !line[key].is_null() {
                return Ok(line);
            }
        }
    }

    fn end(mut self) -> anyhow::Result<Value> {
        drop(self.child.stdin.take());
        self.line_with("packetsSent")
    }
}

impl Drop for SoundPath {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last so many seconds.
fn last(samples: &[f64], seconds: f64) -> &[f64] {
    &samples[samples
        .len()
        .saturating_sub((seconds * f64::from(RATE)) as usize)..]
}

fn rms(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

#[test]
fn a_tone_goes_from_microphone_to_speaker() -> anyhow::Result<()> {
    let pulse = Pulse::start()?;
    let recording = pulse.record_speaker()?;
    let _playing = pulse.play_into_microphone(tone(700))?;
    // The noise suppressor takes a steady tone for noise: without it.
    let mut path = SoundPath::start(&pulse, &["--raw"])?;
    path.line_with("ready")?;
    let seconds = |samples: &[f64]| audible(samples, RATE).len() / RATE as usize;
    let heard = recording.wait_until(PATIENCE, |samples| seconds(samples) >= 4)?;
    let heard = last(audible(&heard, RATE), 3.0);
    let share = share_at(heard, RATE, 700.0);
    ensure!(share > 0.9, "only {share} of what is heard is the tone");
    ensure!(share_at(heard, RATE, 900.0) < 0.02, "there is another tone");
    ensure!(
        (0.1..0.4).contains(&rms(heard)),
        "its level is {}",
        rms(heard)
    );
    let statistics = path.end()?;
    let concealed = statistics["concealedSamples"]
        .as_f64()
        .context("a number")?;
    let total = statistics["totalSamplesReceived"]
        .as_f64()
        .context("a number")?;
    ensure!(concealed < 0.1 * total, "{statistics}");
    Ok(())
}
