//! Whether Vireo is there when its window is not: started with the session, and in a call whose window is closed.
#![cfg(target_os = "linux")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};
use vireo_tests::{
    display::Display,
    tray::Tray,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Ended, as the session ends it, when dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Starts what the desktop entry says. What is quoted for it is quoted for a shell too.
fn start(display: &Display, options: &WindowOptions<'_>, entry: &Path) -> anyhow::Result<Started> {
    let entry = fs::read_to_string(entry)?;
    let exec = entry.lines().find_map(|line| line.strip_prefix("Exec="));
    let exec = exec.context("nothing is started")?;
    let child = Command::new("sh")
        .args(["-c", &format!("exec {exec}")])
        .envs(display.variables())
        .envs(options.variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Started(child))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

async fn about(window: &Window) -> anyhow::Result<()> {
    window.click("[data-action=settings]").await?;
    window.click("[data-page=about]").await
}

#[tokio::test]
async fn it_starts_with_the_session_in_the_tray_when_that_is_switched_on() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("config");
    let config_text = config.display().to_string();
    let mut options = WindowOptions::of(folder.path(), "anna's profile");
    options.variables.push(("XDG_CONFIG_HOME", &config_text));
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    about(&window).await?;
    let autostart = config.join("autostart");
    window.find("[data-switch=autostart]:not(:checked)").await?;
    ensure!(entries(&autostart).is_empty(), "it is on unasked");
    window.click("[data-switch=autostart]").await?;
    let started = Instant::now();
    while entries(&autostart).len() != 1 {
        ensure!(started.elapsed() < PATIENCE, "there is no entry");
        sleep(Duration::from_millis(50)).await;
    }
    window.screenshot("settings-autostart.en.light").await?;
    window.close().await?;

    let entry = entries(&autostart).remove(0);
    let started = start(&display, &options, &entry)?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    ensure!(display.windows()?.is_empty(), "it shows a window");
    tray.click().await?;
    display.find(|window| window.width >= 720)?;
    drop(started);

    // What the desktop has changed is shown, and can be changed back.
    let on = fs::read_to_string(&entry)?;
    fs::write(&entry, format!("{on}Hidden=true\n"))?;
    let window = Window::open(&display, &options).await?;
    window.find("[data-contact='Echo test']").await?;
    about(&window).await?;
    window.find("[data-switch=autostart]:not(:checked)").await?;
    window.click("[data-switch=autostart]").await?;
    window.find("[data-switch=autostart]:checked").await?;
    let started = Instant::now();
    while fs::read_to_string(&entry)? != on {
        ensure!(started.elapsed() < PATIENCE, "it is not on again");
        sleep(Duration::from_millis(50)).await;
    }
    window.click("[data-switch=autostart]").await?;
    let started = Instant::now();
    while entry.exists() {
        ensure!(started.elapsed() < PATIENCE, "it is not off");
        sleep(Duration::from_millis(50)).await;
    }
    window.close().await
}

#[tokio::test]
async fn the_answer_to_closing_during_a_call_is_shown_and_can_be_changed() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions {
        language: "ru",
        ..WindowOptions::of(folder.path(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Анна").await?;
    let call = async || -> anyhow::Result<()> {
        window
            .click("[data-contact='Echo test'] [data-action=audio-call]")
            .await?;
        window.phase("connected").await?;
        let main = display.find(|window| window.width >= 720)?;
        display.close(&main)
    };
    call().await?;
    window.click("[data-action=close-and-keep]").await?;
    window.look_away("index").await?;
    tray.click().await?;
    window.look_at("index").await?;
    window.phase("connected").await?;
    window.click("[data-action=end]").await?;
    window.click("[data-action=back]").await?;

    about(&window).await?;
    let chosen = |value| format!("[data-choice=closing] [value={value}]:checked");
    window.find(&chosen("keep")).await?;
    window.screenshot("settings-closing.ru.light").await?;
    window.click("[data-choice=closing] [value=end]").await?;
    window.find(&chosen("end")).await?;
    window.click("[data-action=close-settings]").await?;
    call().await?;
    // Without a question; and the call has gone with the window.
    window.look_away("index").await?;
    tray.click().await?;
    window.look_at("index").await?;
    window
        .find("[data-reason=hungUp] [data-action=back]")
        .await?;
    window.click("[data-action=back]").await?;

    about(&window).await?;
    window.click("[data-choice=closing] [value=ask]").await?;
    window.find(&chosen("ask")).await?;
    window.click("[data-action=close-settings]").await?;
    call().await?;
    window.find("[data-question=close][open]").await?;
    window.close().await
}
