//! What is done to the voice, switched in a real window: in a call, at once, and kept.
#![cfg(target_os = "linux")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::{Value, json};
use vireo_tests::{
    display::Display,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until the profile's settings say this of the voice.
async fn kept(profile: &Path, voice: &Value) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(profile.join("settings.json")).unwrap_or_default();
        let settings: Value = serde_json::from_str(&text).unwrap_or_default();
        if settings["voice"] == *voice {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "the settings are {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What the settings show: the noise suppression, echo cancellation, automatic gain.
const SHOWN: &str = "
const on = (name) => document.querySelector(`[data-switch=${name}]`).checked;
return {
  noiseSuppression: document.querySelector('dialog [data-choice=noise] input:checked').value,
  echoCancellation: on('echoCancellation'),
  automaticGain: on('automaticGain'),
};
";

#[tokio::test]
async fn the_voice_processing_is_switched_in_a_call_and_stays_so() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    window.click("[data-action=microphone-menu]").await?;
    window.click("[data-choice=noise] [value=strong]").await?;
    let strong = json!({
        "echoCancellation": true, "noiseSuppression": "strong", "automaticGain": true,
    });
    kept(&options.profile, &strong).await?;
    window.screenshot("voice-menu-in-call.en").await?;
    window.click("[data-action=audio-settings]").await?;
    window.click("[data-switch=automaticGain]").await?;
    let changed = json!({
        "echoCancellation": true, "noiseSuppression": "strong", "automaticGain": false,
    });
    kept(&options.profile, &changed).await?;
    ensure!(window.session().execute(SHOWN).await? == changed);
    window.screenshot("voice-settings-in-call.en").await?;
    window.click("[data-action=close-settings]").await?;
    window.gone("[data-settings]").await?;
    // The call did not mind.
    window.moving_pictures(3).await?;
    window.click("[data-action=end]").await?;
    window.find("[data-reason=hungUp]").await?;
    window.close().await?;

    let window = Window::open(&display, &options).await?;
    window.click("[data-action=settings]").await?;
    window.find("[data-settings]").await?;
    let shown = window.session().execute(SHOWN).await?;
    ensure!(shown == changed, "after a restart: {shown}");
    window.close().await
}
