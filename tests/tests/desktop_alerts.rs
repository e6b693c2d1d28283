//! How a call is told beside the window that rings, as chosen in the settings: heard on which speakers, or not at all.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use anyhow::ensure;
use vireo_tests::{
    cli::Cli,
    display::Display,
    pulse::{Plug, Pulse, RATE, Recording},
    server::{Account, Server},
    sound_file::power_at,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// The first note of the ring tone, in hertz.
const NOTE: f64 = 659.3;

/// The ring tone begins anew after three seconds.
const A_WHILE: Duration = Duration::from_secs(4);

/// Whether the ring tone is in this sound.
fn rings(samples: &[f64]) -> bool {
    const PIECE: usize = RATE as usize / 10;
    let level = |piece: &[f64]| (power_at(piece, RATE, NOTE) / PIECE as f64).sqrt();
    samples.chunks_exact(PIECE).any(|piece| level(piece) > 0.02)
}

/// Waits until it rings in this recording, from now on.
fn until_it_rings(recording: &Recording) -> anyhow::Result<()> {
    let begin = recording.wait_until(PATIENCE, |_| true)?.len();
    let heard = |samples: &[f64]| samples.get(begin..).is_some_and(rings);
    recording.wait_until(PATIENCE, heard).map(drop)
}

async fn call(server: &Server, who: &Account) -> anyhow::Result<Cli> {
    let audio = ["--camera=none", "--microphone=tone", "--speaker=none"];
    let mut call = server.cli(who, &[&["call", "Anna"], &audio[..]].concat())?;
    call.event("ringing").await?;
    Ok(call)
}

/// In the main window, which has the focus.
async fn decline(anna: &Window, call: Cli) -> anyhow::Result<()> {
    anna.click("[data-action=decline]").await?;
    call.end().await?;
    anna.click("[data-action=back]").await
}

#[tokio::test]
async fn it_rings_on_a_second_speaker_or_without_a_sound() -> anyhow::Result<()> {
    let display = Display::start()?;
    let pulse = Pulse::start()?;
    let on_the_desk = Plug {
        speaker: true,
        rate: 48_000,
        channels: 2,
    };
    let on_the_desk = pulse.plug_in(on_the_desk, "Desk_speakers")?;
    let (headset, desk) = (pulse.record_speaker()?, pulse.record(&on_the_desk.id)?);
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let sound = pulse.environment_of_window();
    let mut options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    options
        .variables
        .extend(sound.iter().map(|(name, value)| (*name, value.as_str())));
    options.variables.push(("VIREO_SPEAKER", "device"));
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    let boris = server.register("Boris").await?;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.click("[data-contact=Boris] .person").await?;
    anna.click("[data-action=accept-contact]").await?;
    anna.reads("is offline").await?;

    let one = call(&server, &boris).await?;
    until_it_rings(&headset)?;
    ensure!(
        !rings(&desk.wait_until(PATIENCE, |_| true)?),
        "it rings there unasked"
    );
    decline(&anna, one).await?;

    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=notifications]").await?;
    let speakers = "[data-device=second-speaker]";
    anna.choose(speakers, "Desk_speakers").await?;
    anna.screenshot("settings-second-speaker.en.light").await?;
    anna.click("[data-action=close-settings]").await?;
    let two = call(&server, &boris).await?;
    until_it_rings(&desk)?;
    until_it_rings(&headset)?;
    decline(&anna, two).await?;
    // The end of the last note.
    let quiet = Instant::now() + Duration::from_secs(1);
    for speaker in [&headset, &desk] {
        ensure!(!rings(&speaker.heard(quiet, A_WHILE)?), "it rings on");
    }

    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=notifications]").await?;
    anna.click("[data-switch=ringtone]").await?;
    anna.find("[data-switch=ringtone]:not(:checked)").await?;
    anna.close().await?;
    let anna = Window::open(&display, &options).await?;
    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=notifications]").await?;
    anna.find("[data-switch=ringtone]:not(:checked)").await?;
    anna.find("[data-switch=notifications]:checked").await?;
    anna.chosen(speakers, "Desk_speakers").await?;
    let three = call(&server, &boris).await?;
    anna.phase("incoming").await?;
    for speaker in [&headset, &desk] {
        ensure!(
            !rings(&speaker.heard(Instant::now(), A_WHILE)?),
            "it is heard"
        );
    }
    decline(&anna, three).await?;
    anna.close().await
}
