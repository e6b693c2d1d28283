//! Sound devices that are changed, plugged in and pulled out during a call, and devices of every rate and number of channels.
//! The gaps are measured in what the other side, or the person, hears.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the gaps are worth to be seen")]

use std::time::Duration;

use anyhow::{Context, ensure};
use vireo_tests::{
    binaries::binary,
    cli::Cli,
    pulse::{MICROPHONE, Plug, Pulse, RATE, Recording, SPEAKER, tone},
    server::{Account, Server},
    sound_file::{power_at, share_at},
};

const PATIENCE: Duration = Duration::from_secs(40);

/// What a change of devices may take from the sound.
const MAX_GAP: Duration = Duration::from_millis(200);

/// Looked at at once.
const BLOCK: Duration = Duration::from_millis(10);

/// A tone is there where it holds this level.
const AUDIBLE: f64 = 0.05;

/// Sound devices, with nothing done to the voice: a steady tone would be taken for noise.
const DEVICES: [&str; 6] = [
    "--camera=none",
    "--microphone=device",
    "--speaker=device",
    "--noise-suppression=off",
    "--no-echo-cancellation",
    "--no-automatic-gain",
];

/// `vireo-cli` on the computer whose sound this is.
fn cli_at(
    pulse: &Pulse,
    server: &Server,
    who: &Account,
    arguments: &[&str],
) -> anyhow::Result<Cli> {
    let mut command = tokio::process::Command::new(binary("vireo-cli")?);
    command.envs(pulse.environment());
    let arguments = [arguments, &DEVICES].concat();
    Cli::start_controlled(command, &server.url, who, &arguments)
}

/// Ann calls Bob; each has sound of their own.
struct Calling {
    _server: Server,
    ann: Cli,
    bob: Cli,
    anns: Pulse,
    bobs: Pulse,
}

impl Calling {
    async fn connected() -> anyhow::Result<Self> {
        let server = Server::start(&[]).await?;
        let (ann, bob) = server.two_contacts().await?;
        let (anns, bobs) = (Pulse::start()?, Pulse::start()?);
        let mut bob = cli_at(&bobs, &server, &bob, &["answer", "--once"])?;
        bob.event("ready").await?;
        let mut ann = cli_at(&anns, &server, &ann, &["call", "Bob"])?;
        ann.event("connected").await?;
        Ok(Self {
            _server: server,
            ann,
            bob,
            anns,
            bobs,
        })
    }

    async fn end(self) -> anyhow::Result<()> {
        self.ann.interrupt().await?;
        for side in [self.ann, self.bob] {
            let ended = side.end().await?;
            ensure!(ended.status == 0, "{ended:?}");
        }
        Ok(())
    }
}

/// Which of the tones is heard in each block; none where there is no sound.
fn tones(samples: &[f64], hertz: &[f64]) -> Vec<Option<usize>> {
    let length = (BLOCK.as_secs_f64() * f64::from(RATE)) as usize;
    let heard = |block: &[f64]| {
        let level = |hertz: &f64| (power_at(block, RATE, *hertz) / length as f64).sqrt();
        (0..hertz.len()).find(|tone| level(&hertz[*tone]) > AUDIBLE)
    };
    samples.chunks_exact(length).map(heard).collect()
}

/// The longest time without any of the tones.
fn longest_gap(heard: &[Option<usize>]) -> Duration {
    let silent = heard.split(Option::is_some).map(<[_]>::len);
    BLOCK * silent.max().unwrap_or_default() as u32
}

/// A recording, listened to from a moment on.
struct Listening<'a> {
    recording: &'a Recording,
    begin: usize,
    hertz: &'a [f64],
}

impl<'a> Listening<'a> {
    /// From now on, for these tones.
    fn to(recording: &'a Recording, hertz: &'a [f64]) -> anyhow::Result<Self> {
        let begin = recording.wait_until(PATIENCE, |_| true)?.len();
        Ok(Self {
            recording,
            begin,
            hertz,
        })
    }

    /// Waits until this tone alone is heard for a second from now on, and says the longest gap since the beginning.
    fn until(&self, what: &str, tone: usize) -> anyhow::Result<Duration> {
        let second = (Duration::from_secs(1).as_nanos() / BLOCK.as_nanos()) as usize;
        let now = self.recording.wait_until(PATIENCE, |_| true)?.len();
        let settled = |samples: &[f64]| {
            let heard = tones(&samples[now..], self.hertz);
            let last = heard.len().checked_sub(second);
            last.is_some_and(|last| heard[last..].iter().all(|heard| *heard == Some(tone)))
        };
        let all = self
            .recording
            .wait_until(PATIENCE, settled)
            .with_context(|| format!("{what}: {} Hz is not heard", self.hertz[tone]))?;
        let gap = longest_gap(&tones(&all[self.begin..], self.hertz));
        println!("{what}: gap {} ms", gap.as_millis());
        Ok(gap)
    }

    /// The same, and makes sure that there was no gap to speak of.
    fn smoothly(&self, what: &str, tone: usize) -> anyhow::Result<()> {
        let gap = self.until(what, tone)?;
        ensure!(gap <= MAX_GAP, "{what}: nothing was heard for {gap:?}");
        Ok(())
    }
}

/// Waits until this device is used.
async fn uses(side: &mut Cli, kind: &str, name: &str) -> anyhow::Result<serde_json::Value> {
    side.event_like("device", |event| {
        event["kind"] == kind && event["change"] == "used" && event["name"] == name
    })
    .await
}

const PLUG: Plug = Plug {
    speaker: false,
    rate: 48_000,
    channels: 1,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_hears_no_gap_when_the_microphone_changes() -> anyhow::Result<()> {
    let mut call = Calling::connected().await?;
    let hertz = [700.0, 1_100.0];
    let _first = call.anns.play_into_microphone(tone(700))?;
    let recording = call.bobs.record_speaker()?;
    let listen = || Listening::to(&recording, &hertz);
    listen()?.until("(the call begins)", 0)?;

    let heard = listen()?;
    let headset = call.anns.plug_in(PLUG, "Headset")?;
    let appeared = call
        .ann
        .event_like("device", |event| event["change"] == "appeared")
        .await?;
    ensure!(
        appeared["kind"] == "microphone" && appeared["name"] == "Headset",
        "{appeared}"
    );
    let second = call.anns.play_into(&headset.feed, tone(1_100))?;
    heard.smoothly("one is plugged in", 0)?;

    let heard = listen()?;
    call.anns.pactl(&["set-default-source", &headset.id])?;
    uses(&mut call.ann, "microphone", "Headset").await?;
    // PulseAudio itself moves the stream that is open, and at first gives nothing of a null sink's monitor that was idle.
    heard.until("the system's default becomes one that was idle", 1)?;
    let heard = listen()?;
    call.anns.pactl(&["set-default-source", "microphone"])?;
    uses(&mut call.ann, "microphone", MICROPHONE).await?;
    heard.smoothly("the system's default is the first again", 0)?;
    let heard = listen()?;
    call.anns.pactl(&["set-default-source", &headset.id])?;
    uses(&mut call.ann, "microphone", "Headset").await?;
    heard.smoothly("the system's default becomes another", 1)?;
    call.anns.pactl(&["set-default-source", "microphone"])?;
    uses(&mut call.ann, "microphone", MICROPHONE).await?;

    let heard = listen()?;
    call.ann.tell("microphone device:Headset").await?;
    uses(&mut call.ann, "microphone", "Headset").await?;
    heard.smoothly("another one is chosen", 1)?;
    let heard = listen()?;
    call.anns.pull_out(headset)?;
    let told = uses(&mut call.ann, "microphone", MICROPHONE).await?;
    ensure!(told["gone"] == "Headset", "{told}");
    heard.smoothly("the chosen one is pulled out", 0)?;
    drop(second);
    let heard = listen()?;
    let headset = call.anns.plug_in(PLUG, "Headset")?;
    let _second = call.anns.play_into(&headset.feed, tone(1_100))?;
    uses(&mut call.ann, "microphone", "Headset").await?;
    heard.smoothly("the chosen one is plugged in again", 1)?;
    call.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hears_no_gap_when_the_speaker_changes() -> anyhow::Result<()> {
    let mut call = Calling::connected().await?;
    let _playing = call.anns.play_into_microphone(tone(700))?;
    let recording = call.bobs.record_speaker()?;
    let listen = || Listening::to(&recording, &[700.0]);
    listen()?.until("(the call begins)", 0)?;

    let heard = listen()?;
    let headset = call.bobs.plug_in_beside_speaker("Headset")?;
    call.bob
        .event_like("device", |event| {
            event["change"] == "appeared" && event["kind"] == "speaker"
        })
        .await?;
    call.bobs.pactl(&["set-default-sink", &headset.id])?;
    uses(&mut call.bob, "speaker", "Headset").await?;
    heard.smoothly("the system's default becomes another", 0)?;
    let heard = listen()?;
    call.bobs.pactl(&["set-default-sink", "speaker"])?;
    uses(&mut call.bob, "speaker", SPEAKER).await?;
    heard.smoothly("the system's default is the first again", 0)?;

    let heard = listen()?;
    call.bob.tell("speaker device:Headset").await?;
    uses(&mut call.bob, "speaker", "Headset").await?;
    heard.smoothly("another one is chosen", 0)?;
    let heard = listen()?;
    call.bobs.pull_out(headset)?;
    let told = uses(&mut call.bob, "speaker", SPEAKER).await?;
    ensure!(told["gone"] == "Headset", "{told}");
    heard.smoothly("the chosen one is pulled out", 0)?;
    let heard = listen()?;
    call.bobs.plug_in_beside_speaker("Headset")?;
    uses(&mut call.bob, "speaker", "Headset").await?;
    heard.smoothly("the chosen one is plugged in again", 0)?;
    call.end().await
}

/// Every rate and every number of channels at least once.
const KINDS: [(u32, u32); 6] = [
    (8_000, 1),
    (11_025, 2),
    (16_000, 6),
    (44_100, 8),
    (96_000, 6),
    (192_000, 2),
];

/// Waits until half a second is this tone and hardly anything else.
fn is_clear(recording: &Recording, what: &str, hertz: f64) -> anyhow::Result<()> {
    let half = RATE as usize / 2;
    let clear = |samples: &[f64]| {
        let last = samples.len().checked_sub(half);
        last.is_some_and(|last| share_at(&samples[last..], RATE, hertz) > 0.95)
    };
    let all = recording.wait_until(PATIENCE, clear);
    all.map(drop)
        .with_context(|| format!("{what}: {hertz} Hz is not clear"))
}

#[tokio::test(flavor = "multi_thread")]
async fn microphones_of_every_rate_and_number_of_channels_are_heard() -> anyhow::Result<()> {
    let mut call = Calling::connected().await?;
    let recording = call.bobs.record_speaker()?;
    for (rate, channels) in KINDS {
        let name = format!("Mic{rate}x{channels}");
        let plug = Plug {
            speaker: false,
            rate,
            channels,
        };
        let plugged = call.anns.plug_in(plug, &name)?;
        let _playing = call.anns.play_into(&plugged.feed, tone(700))?;
        let heard = Listening::to(&recording, &[700.0])?;
        call.ann.tell(&format!("microphone device:{name}")).await?;
        uses(&mut call.ann, "microphone", &name).await?;
        heard.until(&name, 0)?;
        is_clear(&recording, &name, 700.0)?;
        call.anns.pull_out(plugged)?;
        uses(&mut call.ann, "microphone", MICROPHONE).await?;
    }
    call.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn speakers_of_every_rate_and_number_of_channels_play() -> anyhow::Result<()> {
    let mut call = Calling::connected().await?;
    let _playing = call.anns.play_into_microphone(tone(700))?;
    for (rate, channels) in KINDS {
        let name = format!("Out{rate}x{channels}");
        let plug = Plug {
            speaker: true,
            rate,
            channels,
        };
        let plugged = call.bobs.plug_in(plug, &name)?;
        let recording = call.bobs.record(&plugged.feed)?;
        call.bob.tell(&format!("speaker device:{name}")).await?;
        uses(&mut call.bob, "speaker", &name).await?;
        Listening::to(&recording, &[700.0])?.until(&name, 0)?;
        is_clear(&recording, &name, 700.0)?;
        call.bobs.pull_out(plugged)?;
        uses(&mut call.bob, "speaker", SPEAKER).await?;
    }
    call.end().await
}
