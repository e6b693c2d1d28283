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
        loop {
            let line = self.line()?;
            if line["end"] == true {
                return Ok(line);
            }
        }
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

/// How loud each second is.
fn levels(samples: &[f64]) -> Vec<f64> {
    samples.chunks(RATE as usize).map(rms).collect()
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

/// A sentence or two by a synthetic voice, and a pause.
fn speech() -> anyhow::Result<Vec<f32>> {
    let output = Command::new("espeak-ng")
        .args(["--stdout", "The quick brown fox jumps over the lazy dog. Can you hear me? I can hear you very well."])
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
    let step = 22_050.0 / f64::from(RATE);
    let length = (samples.len() as f64 / step) as usize - 2;
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

/// What the speaker plays in the echo test: while somebody speaks for so many seconds, and after they have stopped.
fn speak_into_echo(
    pulse: &Pulse,
    arguments: &[&str],
    seconds: usize,
) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let mut path = SoundPath::start(pulse, arguments)?;
    path.line_with("ready")?;
    let recording = pulse.record_speaker()?;
    let playing = pulse.play_into_microphone(speech()?)?;
    let rate = RATE as usize;
    let while_speaking =
        recording.wait_until(PATIENCE, |samples| samples.len() > seconds * rate)?;
    drop(playing);
    let all = recording.wait_until(PATIENCE, |samples| {
        samples.len() > while_speaking.len() + 4 * rate
    })?;
    let afterwards = all[while_speaking.len() + 2 * rate..].to_vec();
    path.end()?;
    Ok((while_speaking, afterwards))
}

#[test]
fn the_echo_test_does_not_howl_through_a_loudspeaker() -> anyhow::Result<()> {
    // That the loop is closed, and would howl: without echo cancellation, in a room that amplifies a little.
    let pulse = Pulse::start()?;
    pulse.let_microphone_hear_speaker(Duration::from_millis(60), 6.0)?;
    let (speaking, afterwards) = speak_into_echo(&pulse, &["--raw", "--delay", "60"], 6)?;
    let seconds = levels(&speaking);
    ensure!(
        rms(&afterwards) > 0.1,
        "the room does not echo: {} after {seconds:.3?}",
        rms(&afterwards)
    );
    drop(pulse);

    let pulse = Pulse::start()?;
    pulse.let_microphone_hear_speaker(Duration::from_millis(60), -6.0)?;
    let (speaking, afterwards) = speak_into_echo(&pulse, &["--delay", "60"], 15)?;
    let seconds = levels(&speaking);
    let loudest = seconds.iter().copied().fold(0.0, f64::max);
    ensure!(rms(&speaking) > 0.01, "nothing is heard: {seconds:?}");
    ensure!(loudest < 0.5, "it grows louder and louder: {seconds:?}");
    ensure!(
        rms(&afterwards) < 0.02,
        "it goes on by itself: {} after {seconds:?}",
        rms(&afterwards)
    );
    Ok(())
}
