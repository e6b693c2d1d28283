//! What becomes of the main window when it is closed or minimised: with a tray and without one, during a call and outside.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, sleep_until};
use vireo_tests::{
    display::{Display, OpenWindow},
    permissions::refuses_all_but,
    tray::Tray,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(30);

const SPEAKS_RUSSIAN: &str =
    "document.querySelector('[data-action=end]').ariaLabel === 'Завершить'";

/// One person alone, whose calls are Echo tests.
struct Desk {
    display: Display,
    window: Window,
    _folder: TempDir,
}

impl Desk {
    async fn open(display: Display, language: &'static str, dark: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = WindowOptions {
            language,
            dark,
            ..WindowOptions::of(folder.path(), "anna")
        };
        let window = Window::open(&display, &options).await?;
        window.sign_up("Anna").await?;
        Ok(Self {
            display,
            window,
            _folder: folder,
        })
    }

    fn open_window(&self, width: impl Fn(i32) -> bool) -> anyhow::Result<OpenWindow> {
        let process = self.window.application()?;
        self.display
            .find(|window| window.process == process && width(window.width))
    }

    fn main(&self) -> anyhow::Result<OpenWindow> {
        self.open_window(|width| width >= 720)
    }

    /// As a person does, by the window manager.
    fn close(&self) -> anyhow::Result<()> {
        self.display.close(&self.main()?)
    }

    async fn echo_test(&self) -> anyhow::Result<()> {
        self.window
            .click("[data-contact='Echo test'] [data-action=video-call]")
            .await?;
        self.window.phase("connected").await?;
        self.window.moving_pictures(3).await?;
        Ok(())
    }

    async fn hang_up(&self) -> anyhow::Result<()> {
        self.window.click("[data-action=end]").await?;
        self.window.click("[data-action=back]").await?;
        self.window.find("[data-contact='Echo test']").await?;
        Ok(())
    }
}

/// Waits until this is so.
async fn until(what: &str, so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let started = Instant::now();
    while !so()? {
        ensure!(started.elapsed() < PATIENCE, "{what}: not so");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_window_that_was_closed_comes_back_from_the_tray() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "en", false).await?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    assert_eq!(tray.tooltip().await?, "Vireo");
    let plain = tray.picture().await?;

    desk.close()?;
    desk.window.look_away("index").await?;
    desk.window.application()?;
    tray.click().await?;
    desk.window.look_at("index").await?;
    desk.window.find("[data-contact='Echo test']").await?;
    // And from its menu.
    desk.close()?;
    desk.window.look_away("index").await?;
    tray.choose("Open Vireo").await?;
    desk.window.look_at("index").await?;
    desk.window.find("[data-contact='Echo test']").await?;

    tray.choose("Do not disturb").await?;
    desk.window
        .session()
        .find("option[value=do-not-disturb]:checked")
        .await
        .ok();
    let started = Instant::now();
    while tray.tooltip().await? != "Vireo – Do not disturb" {
        ensure!(started.elapsed() < PATIENCE, "the tray does not say so");
        sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(tray.picture().await?, plain);
    let menu = tray.menu().await?;
    assert!(
        menu.iter().any(|entry| entry.ticked == Some(true)),
        "{menu:?}"
    );
    tray.choose("Do not disturb").await?;

    let application = desk.window.application()?;
    tray.choose("Quit Vireo").await?;
    until("it has ended", || {
        Ok(!std::path::Path::new(&format!("/proc/{application}/exe")).exists())
    })
    .await
}

/// What windows needed is given back when there has been none for two seconds, not two seconds after one has gone.
#[tokio::test]
async fn a_window_closed_for_the_second_time_soon_comes_back() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "en", false).await?;
    desk.close()?;
    desk.window.look_away("index").await?;
    let first = Instant::now();
    tray.click().await?;
    desk.window.look_at("index").await?;
    desk.window.find("[data-contact='Echo test']").await?;
    sleep_until(first + Duration::from_millis(1_500)).await;
    desk.close()?;
    desk.window.look_away("index").await?;
    sleep_until(first + Duration::from_millis(2_500)).await;
    tray.click().await?;
    desk.window.look_at("index").await?;
    desk.window.find("[data-contact='Echo test']").await?;
    desk.window.close().await
}

#[tokio::test]
async fn a_call_survives_its_window_and_is_asked_about_once() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "en", false).await?;
    let window = &desk.window;
    desk.echo_test().await?;
    tray.reads(&[
        "Open Vireo",
        "Mute the microphone",
        "Do not disturb",
        "Quit Vireo",
    ])
    .await?;
    assert_eq!(tray.tooltip().await?, "Vireo – In a call with Echo test");

    desk.close()?;
    window.find("[data-question=close]").await?;
    window.screenshot("close-question.en").await?;
    window.click("[data-action=stay]").await?;
    window.gone("[data-question=close]").await?;
    desk.close()?;
    window.click("[data-action=close-and-keep]").await?;

    window.look_at("small").await?;
    window.look_away("index").await?;
    window.look_at("small").await?;
    window.moving_pictures(5).await?;
    window.screenshot("small-window.en").await?;
    let small = desk.open_window(|width| width == 320)?;
    let properties = desk.display.properties(&small)?;
    assert!(properties.contains("_NET_WM_STATE_ABOVE"), "{properties}");
    assert!(
        small.x + small.width > 1880 && small.y + small.height > 1160,
        "{small:?}"
    );

    tray.choose("Mute the microphone").await?;
    window.find(".off[data-action=microphone]").await?;
    window.screenshot("small-window-muted.en").await?;
    tray.reads(&[
        "Open Vireo",
        "Unmute the microphone",
        "Do not disturb",
        "Quit Vireo",
    ])
    .await?;
    assert_eq!(
        tray.tooltip().await?,
        "Vireo – In a call with Echo test, muted"
    );
    window.click("[data-action=microphone]").await?;
    window.gone(".off[data-action=microphone]").await?;

    window.click("[data-action=open-main]").await?;
    window.look_at("index").await?;
    window.look_away("small").await?;
    window.look_at("index").await?;
    window.phase("connected").await?;
    window.moving_pictures(5).await?;

    // The answer is remembered.
    desk.close()?;
    window.look_at("small").await?;
    window.click("[data-action=end]").await?;
    window.look_away("small").await?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    tray.click().await?;
    window.look_at("index").await?;
    desk.window
        .find("[data-contact='Echo test'], [data-action=back]")
        .await?;
    Ok(())
}

#[tokio::test]
async fn the_question_and_the_small_window_speak_russian() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "ru", true).await?;
    desk.echo_test().await?;
    desk.close()?;
    desk.window.find("[data-question=close]").await?;
    desk.window.screenshot("close-question.ru").await?;
    desk.window.click("[data-action=close-and-keep]").await?;
    desk.window.look_at("small").await?;
    desk.window.look_away("index").await?;
    desk.window.look_at("small").await?;
    desk.window.moving_pictures(5).await?;
    desk.window.holds(SPEAKS_RUSSIAN).await?;
    desk.window.screenshot("small-window.ru").await?;
    let permitted = [
        "watch_call",
        "media_socket",
        "set_microphone_muted",
        "end_call",
        "show_main_window",
    ];
    refuses_all_but(&desk.window, &permitted).await?;
    desk.window.click("[data-action=end]").await?;
    desk.window.look_away("small").await?;
    tray.reads(&["Открыть Vireo", "Не беспокоить", "Выйти из Vireo"])
        .await?;
    tray.click().await?;
    desk.window.look_at("index").await?;
    Ok(())
}

#[tokio::test]
async fn without_a_tray_closing_minimises_and_a_small_window_shows_the_call() -> anyhow::Result<()>
{
    let desk = Desk::open(Display::start()?, "en", true).await?;
    let main = desk.main()?;
    let minimised = || Ok(desk.display.properties(&main)?.contains("Iconic"));
    desk.close()?;
    until("it is minimised", minimised).await?;
    desk.display
        .xdotool(&["windowactivate", "--sync", &main.number])?;
    desk.echo_test().await?;
    for by_closing in [true, false] {
        match by_closing {
            true => desk.close()?,
            false => desk
                .display
                .xdotool(&["windowminimize", "--sync", &main.number])
                .map(drop)?,
        }
        until("it is minimised", minimised).await?;
        desk.window.look_at("small").await?;
        desk.window.moving_pictures(5).await?;
        desk.display
            .xdotool(&["windowactivate", "--sync", &main.number])?;
        desk.window.look_away("small").await?;
        desk.window.look_at("index").await?;
        desk.window.phase("connected").await?;
        desk.window.moving_pictures(5).await?;
    }
    desk.hang_up().await
}

#[tokio::test]
async fn a_tray_that_goes_away_leaves_no_window_behind_it() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "en", false).await?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    desk.close()?;
    desk.window.look_away("index").await?;
    tray.end().await?;
    desk.window.look_at("index").await?;
    desk.window.find("[data-contact='Echo test']").await?;
    Ok(())
}

#[tokio::test]
async fn the_window_opens_where_it_was_left() -> anyhow::Result<()> {
    let display = Display::start()?;
    let tray = Tray::start(&display).await?;
    let desk = Desk::open(display, "en", false).await?;
    let main = desk.main()?;
    desk.display
        .xdotool(&["windowsize", "--sync", &main.number, "900", "600"])?;
    desk.display
        .xdotool(&["windowmove", "--sync", &main.number, "333", "222"])?;
    let left = desk.main()?;
    assert_eq!((left.width, left.height), (900, 600));
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    desk.close()?;
    desk.window.look_away("index").await?;
    tray.click().await?;
    desk.window.look_at("index").await?;
    let again = desk.main()?;
    assert_eq!(
        (again.x, again.y, again.width, again.height),
        (left.x, left.y, left.width, left.height)
    );
    Ok(())
}
