//! The settings, the screen before a call, and what is kept of a call, in real windows.
#![cfg(target_os = "linux")]

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::Value;
use vireo_tests::{
    display::Display,
    window::{Window, WindowOptions},
};

const METER_MOVES: &str = "Number(document.querySelector('[data-meter]')?.ariaValueNow) > 20";
const FULL_HD_IS_ON: &str = "document.querySelector('[data-switch=fullHd]').checked";

/// The only file in this folder that ends so.
fn only_file(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    ensure!(files.len() == 1, "{files:?}");
    Ok(files.into_iter().next().unwrap_or_default())
}

#[tokio::test]
async fn devices_are_tried_out_and_choices_survive_a_restart() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=audio]").await?;
    window.holds(METER_MOVES).await?;
    window.click("[data-action=test-recording]").await?;
    window
        .find("[data-action=test-recording][data-test=recording]")
        .await?;
    window.screenshot("settings-recording.en.light").await?;
    window
        .find("[data-action=test-recording][data-test=none]")
        .await?;
    window.click("[data-page=video]").await?;
    window.find("[data-preview=true]").await?;
    window.screenshot("settings-preview.en.light").await?;
    window.click("[data-page=network]").await?;
    window.reads("On this computer").await?;

    window.click("[data-page=profile]").await?;
    window.fill("dialog form input", "Anna L.").await?;
    window.click("[data-action=save-name]").await?;
    window.reads("Account name: Anna").await?;
    window.click("[data-page=appearance]").await?;
    window.click("[data-choice=theme] [value=dark]").await?;
    window.find("html[data-theme=dark]").await?;
    window.click("[data-choice=language] [value=ru]").await?;
    window.find("html[lang=ru]").await?;
    window.reads("Внешний вид и язык").await?;
    window.click("[data-page=profile]").await?;
    window
        .holds("document.querySelector('dialog form input').value === 'Anna L.'")
        .await?;
    window.close().await?;

    let window = Window::open(&display, &options).await?;
    window.find("html[data-theme=dark][lang=ru]").await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=appearance]").await?;
    window
        .find("[data-choice=language] [value=ru]:checked")
        .await?;
    window
        .click("[data-choice=language] [value=system]")
        .await?;
    window.find("html[lang=en]").await?;
    window.close().await
}

#[tokio::test]
async fn a_call_begins_with_devices_that_were_looked_at_and_leaves_files_behind()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("home");
    fs::create_dir_all(&home)?;
    let home_text = home.display().to_string();
    let mut options = WindowOptions::of(folder.path(), "anna");
    options.variables.push(("HOME", &home_text));
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna Lindqvist").await?;
    window.click("[data-contact='Echo test'] .person").await?;
    window.click("[data-action=before-call]").await?;
    window.find("[data-preview=true]").await?;
    window.find("[data-connection=good]").await?;
    window.holds(METER_MOVES).await?;
    window.screenshot("before-call-live.en.light").await?;
    window.click("[data-action=start-call]").await?;
    window.phase("connected").await?;
    window.moving_pictures(5).await?;

    window.click("[data-action=microphone-menu]").await?;
    window.holds(METER_MOVES).await?;
    window.screenshot("microphone-menu-live.en").await?;
    window.click("[data-action=more]").await?;
    window.click("[data-action=screenshot]").await?;
    window.find("[data-toast=said]").await?;
    window.screenshot("screenshot-taken.en").await?;
    let png = fs::read(only_file(&home.join("Pictures"), ".png")?)?;
    ensure!(png.starts_with(b"\x89PNG"), "no picture");
    let width = png.get(16..20).context("no header")?;
    ensure!(
        u32::from_be_bytes(width.try_into()?) >= 320,
        "a small picture"
    );

    window.click("[data-action=more]").await?;
    window.click("[data-action=statistics]").await?;
    window.holds(
        "document.querySelectorAll('[data-state=statistics] figure path').length === 8 && \
         [...document.querySelectorAll('[data-state=statistics] figure path')].every((path) => path.getAttribute('d').includes('L'))",
    )
    .await?;
    window.screenshot("statistics-live.en").await?;
    window.click("[data-action=export-statistics]").await?;
    window.reads("Vireo statistics").await?;
    let figures = fs::read(only_file(&home.join("Downloads"), ".json")?)?;
    let figures: Vec<Value> = serde_json::from_slice(&figures)?;
    ensure!(figures.len() > 1 && figures.iter().all(|one| one["video"].is_object()));
    window.click("[data-action=end]").await?;
    window.click("[data-action=back]").await?;

    window.click("[data-action=settings]").await?;
    window.click("[data-page=about]").await?;
    window.click("[data-action=export-log]").await?;
    window.reads("Vireo log").await?;
    let log = fs::read_to_string(only_file(&home.join("Downloads"), ".txt")?)?;
    ensure!(log.lines().count() > 3, "hardly anything is in it: {log}");
    for secret in ["Anna", "Lindqvist", "Echo", &home_text, "://"] {
        ensure!(!log.contains(secret), "{secret} is in the log: {log}");
    }
    let words = || log.split(|sign: char| sign.is_whitespace() || "\"'=()[],".contains(sign));
    let is_address =
        |word: &&str| word.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok();
    ensure!(words().find(is_address).is_none(), "an address is in {log}");
    window.close().await
}

/// Two sets of pictures, one after the other, in one window: of the camera in the settings, and of the next call.
#[tokio::test]
async fn pictures_move_in_a_call_after_a_preview_in_the_settings() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    for _ in 0..2 {
        window.click("[data-action=settings]").await?;
        window.click("[data-page=video]").await?;
        window.find("[data-preview=true]").await?;
        window.click("[data-action=close-settings]").await?;
        window
            .click("[data-contact='Echo test'] [data-action=video-call]")
            .await?;
        window.phase("connected").await?;
        window.moving_pictures(5).await?;
        window.find(".self[data-visible=true]").await?;
        window.screenshot("call-after-preview.en").await?;
        window.click("[data-action=end]").await?;
        window.click("[data-action=back]").await?;
    }
    window.close().await
}

/// Whether what the canvas shows is higher than wide.
fn stands(canvas: &str) -> String {
    format!(
        "(([canvas]) => canvas !== undefined && canvas.width > 32 && canvas.height > canvas.width)(document.querySelectorAll('{canvas}'))"
    )
}

#[tokio::test]
async fn a_camera_that_lies_on_its_side_is_turned_before_a_call_in_it_and_after_a_restart()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=video]").await?;
    window.find("[data-preview=true]").await?;
    window
        .click("[data-choice=rotation] [value=quarter]")
        .await?;
    window.holds(&stands("[data-preview=true] canvas")).await?;
    window.screenshot("settings-rotated.en.light").await?;
    window.close().await?;

    let window = Window::open(&display, &options).await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    // What comes back from there is what was sent.
    window.holds(&stands("#remote:not(.hidden)")).await?;
    window.screenshot("rotated-in-call.en").await?;
    window.click("[data-action=camera-menu]").await?;
    window.click("[data-action=video-settings]").await?;
    window
        .find("[data-choice=rotation] [value=quarter]:checked")
        .await?;
    window.click("[data-choice=rotation] [value=none]").await?;
    window.screenshot("settings-rotation-in-call.en").await?;
    window.click("[data-action=close-settings]").await?;
    let lies = format!("!{}", stands("#remote:not(.hidden)"));
    window.holds(&lies).await?;
    window.moving_pictures(5).await?;
    window.click("[data-action=end]").await?;
    window.close().await
}

/// Chosen in the settings, sent in the next call, and still chosen after a restart.
#[tokio::test]
async fn the_next_call_sends_full_hd_where_that_is_wanted() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=video]").await?;
    window.click("[data-switch=fullHd]").await?;
    window.holds(FULL_HD_IS_ON).await?;
    window.screenshot("settings-full-hd.en.light").await?;
    window.click("[data-action=close-settings]").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    window.moving_pictures(5).await?;
    window.click("[data-action=more]").await?;
    window.click("[data-action=statistics]").await?;
    window.reads("1920 × 1080").await?;
    window.click("[data-action=end]").await?;
    window.close().await?;

    let window = Window::open(&display, &options).await?;
    window.click("[data-action=settings]").await?;
    window.click("[data-page=video]").await?;
    window.holds(FULL_HD_IS_ON).await?;
    window.close().await
}
