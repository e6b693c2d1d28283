//! Sound through virtual devices: what is played into a microphone is measured at a speaker.
#![cfg(target_os = "linux")]

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use vireo_tests::{
    binaries::binary,
    cli::Cli,
    pulse::{MICROPHONE, Pulse, RATE, Recording, SPEAKER, tone},
    server::{Account, Server},
    sound_file::{audible, share_at},
};

const PATIENCE: Duration = Duration::from_secs(40);

/// `sound_path`, killed when dropped.
struct SoundPath {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl SoundPath {
    fn start(
        environment: Vec<(&'static str, OsString)>,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(binary("sound_path")?)
            .args(arguments)
            .envs(environment)
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

/// Three seconds of uninterrupted sound, once there are four.
fn three_seconds(recording: &Recording) -> anyhow::Result<Vec<f64>> {
    let enough = |samples: &[f64]| audible(samples, RATE).len() >= 4 * RATE as usize;
    let heard = recording.wait_until(PATIENCE, enough)?;
    Ok(last(audible(&heard, RATE), 3.0).to_vec())
}

#[test]
fn a_tone_goes_from_microphone_to_speaker() -> anyhow::Result<()> {
    let pulse = Pulse::start()?;
    let recording = pulse.record_speaker()?;
    let _playing = pulse.play_into_microphone(tone(700))?;
    // The noise suppressor takes a steady tone for noise: without it.
    let mut path = SoundPath::start(pulse.environment(), &["--raw"])?;
    path.line_with("ready")?;
    let heard = three_seconds(&recording)?;
    let heard = heard.as_slice();
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

/// What the speaker plays while somebody speaks for so many seconds, and after they have stopped.
fn speak(pulse: &Pulse, seconds: usize) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
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
    Ok((while_speaking, afterwards))
}

/// Nobody hears a howl: it stays at the level of speech, and ends with it.
fn is_stable(speaking: &[f64], afterwards: &[f64]) -> anyhow::Result<()> {
    let seconds = levels(speaking);
    let loudest = seconds.iter().copied().fold(0.0, f64::max);
    ensure!(rms(speaking) > 0.01, "nothing is heard: {seconds:.3?}");
    ensure!(loudest < 0.5, "it grows louder and louder: {seconds:.3?}");
    ensure!(
        rms(afterwards) < 0.02,
        "it goes on by itself: {} after {seconds:.3?}",
        rms(afterwards)
    );
    Ok(())
}

#[test]
fn a_room_with_an_echo_howls_without_the_voice_processor() -> anyhow::Result<()> {
    let pulse = Pulse::start()?;
    pulse.let_microphone_hear_speaker(Duration::from_millis(60), 6.0)?;
    let mut path = SoundPath::start(pulse.environment(), &["--raw", "--delay", "60"])?;
    path.line_with("ready")?;
    let (speaking, afterwards) = speak(&pulse, 6)?;
    ensure!(
        rms(&afterwards) > 0.1,
        "it is quiet: {} after {:.3?}",
        rms(&afterwards),
        levels(&speaking)
    );
    Ok(())
}

#[test]
fn the_voice_processor_keeps_a_room_with_an_echo_quiet() -> anyhow::Result<()> {
    let pulse = Pulse::start()?;
    pulse.let_microphone_hear_speaker(Duration::from_millis(60), -6.0)?;
    let mut path = SoundPath::start(pulse.environment(), &["--delay", "60"])?;
    path.line_with("ready")?;
    let (speaking, afterwards) = speak(&pulse, 15)?;
    is_stable(&speaking, &afterwards)
}

/// `vireo-cli` on the computer whose sound this is.
fn cli_at(
    pulse: &Pulse,
    server: &Server,
    who: &Account,
    arguments: &[&str],
) -> anyhow::Result<Cli> {
    let mut command = tokio::process::Command::new(binary("vireo-cli")?);
    command
        .args([
            "--server",
            &server.url,
            "--user",
            &who.name,
            "--password-file",
        ])
        .arg(&who.password_file);
    command.args(arguments).args([
        "--camera",
        "none",
        "--microphone",
        "device",
        "--speaker",
        "device",
    ]);
    command.envs(pulse.environment());
    Cli::spawn(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_test_does_not_howl_through_a_loudspeaker() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let ann = server.register("Ann").await?;
    server.until_online(&ann, "Echo test").await?;
    let sound = Pulse::start()?;
    sound.let_microphone_hear_speaker(Duration::from_millis(60), -6.0)?;
    let mut call = cli_at(&sound, &server, &ann, &["call", "Echo test"])?;
    call.event("connected").await?;
    let (speaking, afterwards) = speak(&sound, 15)?;
    call.interrupt().await?;
    let ended = call.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    is_stable(&speaking, &afterwards)
}

#[test]
fn devices_that_vanish_are_told_and_taken_back() -> anyhow::Result<()> {
    let mut pulse = Pulse::start()?;
    let mut path = SoundPath::start(pulse.environment(), &["--raw"])?;
    path.line_with("ready")?;
    pulse.kill();
    let both =
        [path.line_with("lost")?, path.line_with("lost")?].map(|line| line["lost"].to_string());
    for name in [MICROPHONE, SPEAKER] {
        let told = |text: &String| text.contains(name) && text.contains("disconnected");
        ensure!(both.iter().any(told), "{name}: {both:?}");
    }
    pulse.restart()?;
    path.line_with("ready")?;
    path.end()?;
    Ok(())
}

#[test]
fn a_computer_without_sound_is_told_in_words() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let environment = vec![
        ("HOME", folder.path().into()),
        ("XDG_RUNTIME_DIR", folder.path().into()),
        ("PULSE_SERVER", "unix:/nowhere".into()),
        ("ALSA_CONFIG_PATH", "/dev/null".into()),
    ];
    let mut path = SoundPath::start(environment, &[])?;
    let both =
        [path.line_with("lost")?, path.line_with("lost")?].map(|line| line["lost"].to_string());
    for noun in ["No microphone was found", "No speaker was found"] {
        ensure!(both.iter().any(|text| text.contains(noun)), "{both:?}");
    }
    path.end()?;
    Ok(())
}
