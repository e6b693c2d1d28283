//! What the window of a call says of the person's own microphone: that they speak while muted, that nothing is heard of them.
//! A synthetic voice speaks into a virtual microphone.
#![cfg(target_os = "linux")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use vireo_tests::{
    display::Display,
    pulse::Pulse,
    speech::spoken,
    window::{Window, WindowOptions},
};

const MUTED: &str = "[data-hint=muted]";
const NOTHING: &str = "[data-notice=hearsNothing]";

/// Nobody is told sooner than after three seconds of speech; sound comes in pieces.
const SOON: Duration = Duration::from_millis(2_500);

struct Language {
    name: &'static str,
    voice: &'static str,
    speech: &'static str,
    muted: &'static str,
    nothing: &'static str,
}

const ENGLISH: Language = Language {
    name: "en",
    voice: "en",
    speech: "I have something to tell you, and it takes a little while to say all of it.",
    muted: "You’re muted – press M or hold Space to talk",
    nothing: "We can’t hear your microphone.",
};

const RUSSIAN: Language = Language {
    name: "ru",
    voice: "ru",
    speech: "Мне нужно кое-что рассказать, и это займёт некоторое время.",
    muted: "Микрофон выключен: нажмите M или удерживайте пробел",
    nothing: "Вас не слышно: микрофон ничего не передаёт.",
};

/// A call of the Echo test with the microphone that is being tested.
async fn in_a_call(
    display: &Display,
    pulse: &Pulse,
    folder: &Path,
    language: &str,
) -> anyhow::Result<Window> {
    let sound = pulse.environment_of_window();
    let mut options = WindowOptions {
        language,
        ..WindowOptions::of(folder, "anna")
    };
    options.variables = vec![("VIREO_CAMERA", "pattern"), ("VIREO_SPEAKER", "none")];
    options
        .variables
        .extend(sound.iter().map(|(name, value)| (*name, value.as_str())));
    let window = Window::open(display, &options).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    Ok(window)
}

async fn hints(language: &Language) -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let pulse = Pulse::start()?;
    let window = in_a_call(&display, &pulse, folder.path(), language.name).await?;

    // Nothing is played into the virtual microphone, which has no noise of its own either.
    window.find(NOTHING).await?;
    window.reads(language.nothing).await?;
    window
        .screenshot(&format!("call.hears-nothing.{}", language.name))
        .await?;
    let voice = pulse.play_into_microphone(spoken(language.voice, language.speech)?)?;
    window.gone(NOTHING).await?;
    // Whoever is not muted is told nothing.
    tokio::time::sleep(2 * SOON).await;
    ensure!(window.session().find(MUTED).await.is_err());

    let before = Instant::now();
    window.click("[data-action=microphone]").await?;
    window.find(MUTED).await?;
    ensure!(before.elapsed() > SOON, "{:?}", before.elapsed());
    window.reads(language.muted).await?;
    window
        .screenshot(&format!("call.muted-hint.{}", language.name))
        .await?;
    window.click("[data-action=microphone]").await?;
    window.gone(MUTED).await?;
    drop(voice);
    window.click("[data-action=end]").await?;
    window.find("[data-reason=hungUp]").await?;
    window.close().await
}

#[tokio::test]
async fn who_speaks_while_muted_and_whose_microphone_is_dead_is_told_so() -> anyhow::Result<()> {
    hints(&ENGLISH).await
}

#[tokio::test]
async fn in_russian_who_speaks_while_muted_and_whose_microphone_is_dead_is_told_so()
-> anyhow::Result<()> {
    hints(&RUSSIAN).await
}
