//! The keys that mute from anywhere: pressed while another program has the focus.
#![cfg(target_os = "linux")]

use std::fs;

use anyhow::ensure;
use vireo_tests::{
    binaries::binary,
    display::{Display, OpenWindow},
    window::{Window, WindowOptions},
};

/// Waits until the call's window shows the microphone like this.
async fn microphone(window: &Window, state: &str) -> anyhow::Result<()> {
    window
        .find(&format!("[data-action=microphone].{state}"))
        .await
        .map(drop)
}

async fn page(window: &Window) -> anyhow::Result<()> {
    window.click("[data-action=settings]").await?;
    window.click("[data-page=shortcuts]").await
}

/// Sets these keys as a person does, by pressing them.
async fn set(
    display: &Display,
    window: &Window,
    main: &OpenWindow,
    keys: &str,
) -> anyhow::Result<()> {
    window.click("[data-action=set-mute-key]").await?;
    window
        .find("[data-action=set-mute-key][aria-pressed=true]:focus")
        .await?;
    display.press(main, keys)
}

/// The window of this person's application.
fn main_of(display: &Display, window: &Window) -> anyhow::Result<OpenWindow> {
    let process = window.application()?;
    display.find(|open| open.process == process && open.width >= 720)
}

#[tokio::test]
async fn keys_mute_while_another_program_has_the_focus() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    page(&anna).await?;
    anna.reads("Not set (for example Ctrl+Alt+M)").await?;
    let main = main_of(&display, &anna)?;
    set(&display, &anna, &main, "ctrl+alt+m").await?;
    anna.find("[data-mute-key='Control+Alt+KeyM']").await?;
    anna.reads("Ctrl+Alt+M").await?;
    anna.screenshot("settings-mute-key.en.light").await?;
    anna.close().await?;

    // They survive a restart.
    let anna = Window::open(&display, &options).await?;
    anna.click("[data-contact='Echo test'] [data-action=audio-call]")
        .await?;
    anna.phase("connected").await?;
    microphone(&anna, "on").await?;
    let other = WindowOptions {
        language: "ru",
        ..WindowOptions::of(folder.path(), "boris")
    };
    fs::create_dir_all(&other.profile)?;
    let settings = r#"{"muteKey":"Control+Alt+KeyM"}"#;
    fs::write(other.profile.join("settings.json"), settings)?;
    let boris = Window::open(&display, &other).await?;
    boris.sign_up("Борис").await?;
    let theirs = main_of(&display, &boris)?;
    display.press(&theirs, "ctrl+alt+m")?;
    microphone(&anna, "off").await?;
    ensure!(
        display.focused() == Some(theirs.number.clone()),
        "the focus has moved"
    );
    let profile = options.profile.display().to_string();
    let ctl = tokio::process::Command::new(binary("vireo-cli")?)
        .args(["ctl", "toggle-mute", "--profile", &profile])
        .envs(display.variables())
        .output()
        .await?;
    let said = String::from_utf8_lossy(&ctl.stdout);
    ensure!(said.contains("\"microphone\":true"), "{said}");
    microphone(&anna, "on").await?;
    display.press(&theirs, "ctrl+alt+m")?;
    microphone(&anna, "off").await?;

    // Whoever came later is told that they are taken, and can have others.
    page(&boris).await?;
    boris.reads("Эти клавиши уже заняты").await?;
    boris.screenshot("settings-mute-key-taken.ru.light").await?;
    set(&display, &boris, &theirs, "ctrl+alt+n").await?;
    boris.find("[data-mute-key='Control+Alt+KeyN']").await?;
    boris.reads("Ctrl+Alt+N").await?;
    ensure!(
        !boris.text().await?.contains("уже заняты"),
        "it still says so"
    );
    boris.click("[data-action=clear-mute-key]").await?;
    boris.find("[data-mute-key='']").await?;
    boris.screenshot("settings-mute-key.ru.light").await?;
    boris.close().await?;

    // Let go of, they do nothing here, and others may have them.
    anna.click("[data-action=end]").await?;
    anna.click("[data-action=back]").await?;
    page(&anna).await?;
    anna.click("[data-action=clear-mute-key]").await?;
    anna.find("[data-mute-key='']").await?;
    anna.close().await
}

#[tokio::test]
async fn taken_keys_and_a_session_without_such_keys_are_explained() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let anna = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    anna.sign_up("Anna").await?;
    page(&anna).await?;
    // The window manager's own.
    let taken = "return window.__TAURI_INTERNALS__.invoke('set_mute_key', { keys: 'Alt+F4' })";
    let answer = anna.session().settle(taken).await?;
    ensure!(answer[0] == false, "openbox has Alt+F4: {answer}");
    anna.find("[data-mute-key='']").await?;
    anna.close().await?;

    let mut wayland = WindowOptions {
        language: "ru",
        ..WindowOptions::of(folder.path(), "boris")
    };
    wayland.variables.push(("XDG_SESSION_TYPE", "wayland"));
    let boris = Window::open(&display, &wayland).await?;
    boris.sign_up("Борис").await?;
    page(&boris).await?;
    boris.reads("vireo-cli ctl toggle-mute").await?;
    boris.gone("[data-action=set-mute-key]").await?;
    boris
        .screenshot("settings-mute-key-wayland.ru.light")
        .await?;
    boris.close().await
}

#[tokio::test]
async fn a_keyboard_without_latin_letters_is_explained() -> anyhow::Result<()> {
    let display = Display::start()?;
    display.set_layout("ru")?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions {
        language: "ru",
        ..WindowOptions::of(folder.path(), "boris")
    };
    fs::create_dir_all(&options.profile)?;
    let settings = r#"{"muteKey":"Control+Alt+KeyM"}"#;
    fs::write(options.profile.join("settings.json"), settings)?;
    let boris = Window::open(&display, &options).await?;
    boris.sign_up("Борис").await?;
    page(&boris).await?;
    boris.reads("нет латинских букв").await?;
    boris
        .screenshot("settings-mute-key-layout.ru.light")
        .await?;
    // What it advises helps.
    let advised =
        "return window.__TAURI_INTERNALS__.invoke('set_mute_key', { keys: 'Control+F9' })";
    let answer = boris.session().settle(advised).await?;
    ensure!(answer[0] == true, "{answer}");
    boris.find("[data-mute-key='Control+F9']").await?;
    ensure!(!boris.text().await?.contains("нет латинских букв"));
    boris.close().await
}
