//! The window of a call that rings, under a window manager: what it looks like, what it can do, and what it cannot.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::ensure;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use vireo_tests::{
    display::{Display, OpenWindow},
    permissions::refuses_all_but,
    window::{Window, WindowOptions, screens},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Anna, and Boris, in whose window the focus is when he calls her.
struct Two {
    display: Display,
    anna: Window,
    boris: Window,
    _folder: TempDir,
}

impl Two {
    async fn open(language: &'static str, dark: bool) -> anyhow::Result<Self> {
        let display = Display::start()?;
        let folder = tempfile::tempdir()?;
        let first = WindowOptions {
            language,
            dark,
            ..WindowOptions::of(folder.path(), "anna")
        };
        let anna = Window::open(&display, &first).await?;
        anna.sign_up("Anna").await?;
        let server = std::fs::read_to_string(first.profile.join("server-url"))?;
        let second = WindowOptions {
            server: Some(server),
            ..WindowOptions::of(folder.path(), "boris")
        };
        let boris = Window::open(&display, &second).await?;
        boris.sign_up("Boris Kovalenko").await?;
        boris.add_contact("Anna").await?;
        anna.add_contact("Boris Kovalenko").await?;
        boris.find("[data-action=video-call]").await?;
        Ok(Self {
            display,
            anna,
            boris,
            _folder: folder,
        })
    }

    /// The only window of an application's, or its ringing one.
    fn window(&self, whose: &Window, ringing: bool) -> anyhow::Result<OpenWindow> {
        let process = whose.application()?;
        self.display
            .find(|window| window.process == process && (window.width == 400) == ringing)
    }

    /// Boris calls, and it rings at Anna's in a window of its own.
    async fn call(&self) -> anyhow::Result<OpenWindow> {
        let at_work = self.window(&self.boris, false)?;
        self.display
            .xdotool(&["windowactivate", "--sync", &at_work.number])?;
        self.boris
            .click("[data-contact='Anna'] [data-action=video-call]")
            .await?;
        self.anna.look_at("ringing").await?;
        self.anna.find("[data-action=answer]").await?;
        let ringing = self.window(&self.anna, true)?;
        ensure!(
            self.display.focused() == Some(at_work.number.clone()),
            "the focus was taken"
        );
        self.boris.phase("ringing").await?;
        Ok(ringing)
    }

    /// Lets the keys settle, and presses one in the ringing window.
    async fn press(&self, ringing: &OpenWindow, key: &str) -> anyhow::Result<()> {
        self.display
            .xdotool(&["windowactivate", "--sync", &ringing.number])?;
        let focus = "return document.hasFocus()";
        self.until(focus).await?;
        self.anna
            .session()
            .settle("return new Promise((done) => setTimeout(done, 800))")
            .await?;
        self.display.xdotool(&["key", key])?;
        Ok(())
    }

    async fn until(&self, script: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.anna.session().execute(script).await? != true {
            ensure!(started.elapsed() < PATIENCE, "not so: {script}");
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn over(&self, reason: &str) -> anyhow::Result<()> {
        self.boris.find(&format!("[data-reason={reason}]")).await?;
        self.boris.click("[data-action=back]").await?;
        self.anna.look_away("ringing").await?;
        self.anna.look_at("index").await
    }

    async fn close(self) -> anyhow::Result<()> {
        self.boris.close().await?;
        self.anna.close().await
    }
}

#[tokio::test]
async fn a_call_rings_over_everything_without_taking_the_focus_and_keys_answer_it()
-> anyhow::Result<()> {
    let two = Two::open("en", false).await?;
    let ringing = two.call().await?;
    two.anna.reads("Boris Kovalenko").await?;
    two.anna.reads("Incoming video call").await?;
    two.anna.screenshot("ringing-window.en").await?;
    two.display
        .picture(&screens()?.join("ringing-window-on-the-desktop.en.png"))?;
    // At the top, in the middle, without a frame, over everything.
    let middle = ringing.x + ringing.width / 2;
    assert!((middle - 960).abs() <= 1, "{ringing:?}");
    assert!((0..60).contains(&ringing.y), "{ringing:?}");
    let properties = two.display.properties(&ringing)?;
    assert!(properties.contains("_NET_WM_STATE_ABOVE"), "{properties}");
    assert!(
        properties.contains("_NET_WM_STATE_SKIP_TASKBAR"),
        "{properties}"
    );
    // It rings in one place.
    two.anna.look_at("index").await?;
    two.anna.find("[data-contact='Boris Kovalenko']").await?;
    ensure!(
        two.anna.session().find("[data-phase]").await.is_err(),
        "it rings in the main window too"
    );

    two.anna.look_at("ringing").await?;
    two.press(&ringing, "Return").await?;
    two.anna.look_away("ringing").await?;
    two.anna.look_at("index").await?;
    two.anna.phase("connected").await?;
    let main = two.window(&two.anna, false)?;
    let started = Instant::now();
    while two.display.focused().as_ref() != Some(&main.number) {
        ensure!(
            started.elapsed() < PATIENCE,
            "the call's window is not in front"
        );
        sleep(Duration::from_millis(50)).await;
    }
    two.anna.moving_pictures(5).await?;
    two.boris.moving_pictures(5).await?;
    two.boris.click("[data-action=end]").await?;
    two.boris.find("[data-reason=hungUp]").await?;
    two.boris.click("[data-action=back]").await?;
    two.anna.click("[data-action=back]").await?;

    // Without this side's picture.
    let ringing = two.call().await?;
    two.press(&ringing, "shift+Return").await?;
    two.anna.look_away("ringing").await?;
    two.anna.look_at("index").await?;
    two.anna.phase("connected").await?;
    two.boris.reads("Camera is off").await?;
    two.boris.click("[data-action=end]").await?;
    two.boris.find("[data-reason=hungUp]").await?;
    two.boris.click("[data-action=back]").await?;
    two.anna.click("[data-action=back]").await?;

    let ringing = two.call().await?;
    two.press(&ringing, "Escape").await?;
    two.over("declined").await?;
    two.anna.find("[data-contact='Boris Kovalenko']").await?;
    two.close().await
}

#[tokio::test]
async fn a_ringing_that_is_put_away_goes_on_for_the_caller() -> anyhow::Result<()> {
    let two = Two::open("ru", true).await?;
    two.call().await?;
    two.anna.reads("Входящий видеозвонок").await?;
    two.anna.screenshot("ringing-window.ru").await?;
    two.anna.click("[data-action=dismiss]").await?;
    two.anna.look_away("ringing").await?;
    two.anna.look_at("index").await?;
    two.anna.find("[data-contact='Boris Kovalenko']").await?;
    two.boris.phase("ringing").await?;
    two.boris.click("[data-action=end]").await?;
    two.over("cancelled").await?;
    // Nothing is left of it, and the next call rings again; closed by the window manager it is put away too.
    let ringing = two.call().await?;
    two.display.close(&ringing)?;
    two.anna.look_away("ringing").await?;
    two.boris.phase("ringing").await?;
    two.boris.click("[data-action=end]").await?;
    two.over("cancelled").await?;
    two.call().await?;
    two.boris.click("[data-action=end]").await?;
    two.over("cancelled").await?;
    two.close().await
}

#[tokio::test]
async fn the_ringing_window_can_call_nothing_else() -> anyhow::Result<()> {
    let two = Two::open("en", true).await?;
    two.call().await?;
    let permitted = [
        "watch_call",
        "accept_call",
        "decline_call",
        "dismiss_ringing",
    ];
    refuses_all_but(&two.anna, &permitted).await?;
    // Nothing from elsewhere, and no way around.
    for attempt in [
        "return fetch('https://example.org/')",
        "return fetch('http://127.0.0.1:1/')",
        "return new Promise((_, no) => { new WebSocket('ws://127.0.0.1:1/').onerror = no; })",
        "return new Promise((ok) => ok(new Function('return 1')()))",
    ] {
        let answer = two.anna.session().settle(attempt).await?;
        ensure!(answer[0] == false, "{attempt}: {answer}");
    }
    two.anna.click("[data-action=answer-without-video]").await?;
    two.anna.look_away("ringing").await?;
    two.anna.look_at("index").await?;
    two.anna.phase("connected").await?;
    two.close().await
}
