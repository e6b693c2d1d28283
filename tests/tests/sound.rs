//! Sound through virtual devices: what is played into a microphone is measured at a speaker.
#![cfg(target_os = "linux")]

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use vireo_tests::{
    binaries::binary,
    cli::{Cli, Ended},
    melody::Melody,
    pulse::{MICROPHONE, Pulse, RATE, Recording, SPEAKER, tone},
    server::{Account, Server},
    sound_file::share_at,
    speech::spoken,
};

const PATIENCE: Duration = Duration::from_secs(40);

/// What a speaker may leave out in three seconds: what a moment costs in which this computer does something else, and less than
/// opening the speaker anew.
const DEAD_AIR: Duration = Duration::from_millis(30);

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

    /// Waits until it hears and plays, and makes sure that it does so through cpal's PulseAudio host.
    fn until_ready(&mut self, pulse: &Pulse) -> anyhow::Result<()> {
        self.line_with("ready")?;
        pulse.ensure_used_directly(self.child.id())
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

fn rms(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// For how long nothing at all is heard, where it is more than the moment at which a wave crosses zero.
fn dead_air(samples: &[f64]) -> Duration {
    let silences = samples.chunk_by(|one, next| is_dead(*one) == is_dead(*next));
    let dead: usize = silences
        .filter(|part| is_dead(part[0]) && part.len() > RATE as usize / 2_000)
        .map(<[f64]>::len)
        .sum();
    Duration::from_secs_f64(dead as f64 / f64::from(RATE))
}

fn is_dead(sample: f64) -> bool {
    sample.abs() < 1e-4
}

/// How loud each second is.
fn levels(samples: &[f64]) -> Vec<f64> {
    samples.chunks(RATE as usize).map(rms).collect()
}

/// What was recorded from so long after the first sound on, for so long.
fn heard(recording: &Recording, after: Duration, length: Duration) -> anyhow::Result<Vec<f64>> {
    let samples_in = |time: Duration| (time.as_secs_f64() * f64::from(RATE)) as usize;
    let part = |samples: &[f64]| {
        let first = samples.iter().position(|sample| sample.abs() > 0.01)?;
        let begin = first + samples_in(after);
        Some(samples.get(begin..begin + samples_in(length))?.to_vec())
    };
    let all = recording.wait_until(PATIENCE, |samples| part(samples).is_some())?;
    part(&all).context("it was there")
}

/// How often a tone is sent. A computer that does something else for a moment makes holes in the sound of every program that
/// has to answer within 10 ms; one that Vireo makes when a call begins is there each time.
const ATTEMPTS: usize = 3;

/// What a busy computer may spoil in a tone. All else has to be right each time.
#[derive(Debug)]
struct Clarity {
    /// For how long there is nothing to hear in the first three seconds.
    dead_air: Duration,
    /// Of the power that is heard, so much is the tone (0–1).
    share: f64,
    /// Of the samples that were played, so many were made up (0–1).
    concealed: f64,
}

impl Clarity {
    fn is_right(&self) -> bool {
        self.dead_air <= DEAD_AIR && self.share > 0.9 && self.concealed < 0.1
    }
}

#[test]
fn a_tone_goes_from_microphone_to_speaker() -> anyhow::Result<()> {
    let mut heard = Vec::new();
    while heard.len() < ATTEMPTS {
        heard.push(send_a_tone()?);
        if heard.last().is_some_and(Clarity::is_right) {
            return Ok(());
        }
    }
    bail!("the tone was not clear in any attempt: {heard:?}")
}

fn send_a_tone() -> anyhow::Result<Clarity> {
    let pulse = Pulse::start()?;
    let recording = pulse.record_speaker()?;
    let _playing = pulse.play_into_microphone(tone(700))?;
    // The noise suppressor takes a steady tone for noise: without it.
    let mut path = SoundPath::start(pulse.environment(), &["--raw"])?;
    path.until_ready(&pulse)?;
    // From its very beginning: a speaker that runs dry until it is given a longer buffer crackles there.
    let heard = heard(
        &recording,
        Duration::from_millis(200),
        Duration::from_secs(3),
    )?;
    let heard = heard.as_slice();
    ensure!(share_at(heard, RATE, 900.0) < 0.02, "there is another tone");
    ensure!(
        (0.1..0.4).contains(&rms(heard)),
        "its level is {}",
        rms(heard)
    );
    let statistics = path.end()?;
    let samples = |key: &str| statistics[key].as_f64().context("a number");
    Ok(Clarity {
        dead_air: dead_air(heard),
        share: share_at(heard, RATE, 700.0),
        concealed: samples("concealedSamples")? / samples("totalSamplesReceived")?,
    })
}

const SENTENCES: &str =
    "The quick brown fox jumps over the lazy dog. Can you hear me? I can hear you very well.";

/// What the speaker plays while somebody speaks for so many seconds, and after they have stopped.
fn speak(pulse: &Pulse, seconds: usize) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let recording = pulse.record_speaker()?;
    let playing = pulse.play_into_microphone(spoken("en", SENTENCES)?)?;
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
    path.until_ready(&pulse)?;
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
    path.until_ready(&pulse)?;
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
    command.envs(pulse.environment());
    let devices = ["--camera=none", "--microphone=device", "--speaker=device"];
    let arguments = [arguments, &devices].concat();
    Cli::start_with(command, &server.url, who, &arguments)
}

/// One speaks, the other listens: what was played into the one's microphone comes out of the other's speaker, and out of
/// nobody else's. They take turns, because an echo canceller that does not know the room yet takes the voice of who
/// speaks at the same time for an echo.
fn goes_across(from: &Pulse, to: &Pulse, melody: Melody, other: Melody) -> anyhow::Result<()> {
    let (own, theirs) = (from.record_speaker()?, to.record_speaker()?);
    let _playing = from.play_into_microphone(melody.samples(RATE))?;
    let (settled, five) = (Duration::from_secs(2), Duration::from_secs(5));
    let sound = heard(&theirs, settled, five).context("nothing is heard")?;
    let found = melody.find_in(&sound, RATE);
    ensure!(found.share > 0.9, "it is not clear: {found:?}");
    ensure!(
        (0.1..0.5).contains(&found.level),
        "it is not as loud as speech: {found:?}"
    );
    // Of 20 notes in five seconds, and pauses of 60 to 100 ms between them.
    ensure!(found.steps >= 18, "notes are missing: {found:?}");
    ensure!(
        found.longest_pause < Duration::from_millis(200),
        "there is a hole: {found:?}"
    );
    let other = other.find_in(&sound, RATE);
    ensure!(other.share < 0.02, "it may be the other melody: {other:?}");
    let all = own.wait_until(PATIENCE, |samples| samples.len() > 5 * RATE as usize)?;
    let level = rms(&all[all.len() - 5 * RATE as usize..]);
    ensure!(level < 0.001, "one's own voice is heard: {level}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_hear_each_other_through_their_devices() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (ann, bob) = server.two_contacts().await?;
    let (ann_sound, bob_sound) = (Pulse::start()?, Pulse::start()?);
    let mut answer = cli_at(&bob_sound, &server, &bob, &["answer", "--once"])?;
    answer.event("ready").await?;
    let mut call = cli_at(&ann_sound, &server, &ann, &["call", "Bob"])?;
    call.event("connected").await?;
    let (anns, bobs) = (Melody::ONE, Melody::OTHER);
    goes_across(&ann_sound, &bob_sound, anns, bobs).context("Bob hears Ann")?;
    goes_across(&bob_sound, &ann_sound, bobs, anns).context("Ann hears Bob")?;
    for (sound, side) in [(&ann_sound, &call), (&bob_sound, &answer)] {
        sound.ensure_used_directly(side.id().context("it has ended")?)?;
    }
    call.interrupt().await?;
    for side in [call, answer] {
        let ended = side.end().await?;
        ensure!(ended.status == 0, "{ended:?}");
    }
    Ok(())
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
    sound.ensure_used_directly(call.id().context("it has ended")?)?;
    call.interrupt().await?;
    let ended = call.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    is_stable(&speaking, &afterwards)
}

#[test]
fn devices_that_vanish_are_told_and_taken_back() -> anyhow::Result<()> {
    let mut pulse = Pulse::start()?;
    let mut path = SoundPath::start(pulse.environment(), &["--raw"])?;
    path.until_ready(&pulse)?;
    pulse.kill();
    let both =
        [path.line_with("lost")?, path.line_with("lost")?].map(|line| line["lost"].to_string());
    for name in [MICROPHONE, SPEAKER] {
        let told = |text: &String| text.contains(name) && text.contains("disconnected");
        ensure!(both.iter().any(told), "{name}: {both:?}");
    }
    pulse.restart()?;
    path.until_ready(&pulse)?;
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

/// What `vireo-cli devices` calls the devices of this kind.
fn names<'a>(ended: &'a Ended, kind: &str) -> Vec<&'a str> {
    let of_kind = ended.lines.iter().filter(|device| device["kind"] == kind);
    of_kind
        .filter_map(|device| device["name"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_one_a_line() -> anyhow::Result<()> {
    let pulse = Pulse::start()?;
    let mut command = tokio::process::Command::new(binary("vireo-cli")?);
    command.envs(pulse.environment()).arg("devices");
    let ended = Cli::spawn(command)?.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    for (kind, name) in [("microphone", MICROPHONE), ("speaker", SPEAKER)] {
        let names = names(&ended, kind);
        let default = format!("System default ({name})");
        ensure!(names.first() == Some(&default.as_str()), "{ended:?}");
        ensure!(names.contains(&name), "no {name}: {ended:?}");
    }
    for device in &ended.lines {
        ensure!(device["id"].is_string(), "{device}");
    }
    Ok(())
}
