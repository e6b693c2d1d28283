//! A whole call without a pointer: found, placed, led and ended by keys, with the focus to be seen all the way.
#![cfg(target_os = "linux")]

use anyhow::{bail, ensure};
use vireo_tests::{
    display::Display,
    webdriver::keys::{CONTROL, DOWN, ENTER, ESCAPE, SHIFT, TAB},
    window::{Window, WindowOptions},
};

/// More controls than any screen has.
const MANY: usize = 60;

/// Goes on from control to control until this one has the focus.
async fn walk_to(window: &Window, selector: &str) -> anyhow::Result<()> {
    go_to(window, selector, TAB).await
}

/// Goes down in a menu until this item has the focus.
async fn down_to(window: &Window, selector: &str) -> anyhow::Result<()> {
    go_to(window, selector, DOWN).await
}

async fn go_to(window: &Window, selector: &str, key: &'static str) -> anyhow::Result<()> {
    window.find(selector).await?;
    let there =
        format!("const at = document.activeElement; return at?.matches(`{selector}`) ?? false");
    let seen = "return document.activeElement.matches(':focus-visible')";
    for _ in 0..MANY {
        window.session().press(&[key]).await?;
        if window.session().execute(&there).await? == true {
            ensure!(
                window.session().execute(seen).await? == true,
                "nobody sees that {selector} has the focus"
            );
            return Ok(());
        }
    }
    bail!("the keyboard does not get to {selector}")
}

#[tokio::test]
async fn a_whole_call_is_made_with_the_keyboard_alone() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    let press = |keys: &'static [&'static str]| {
        let session = window.session().clone();
        async move { session.press(keys).await }
    };

    walk_to(&window, "[data-contact=\"Echo test\"] .person").await?;
    press(&[ENTER]).await?;
    walk_to(&window, "[data-action=panel-video-call]").await?;
    press(&[ENTER]).await?;
    window.phase("connected").await?;
    window.moving_pictures(3).await?;

    press(&["m"]).await?;
    window.find("[data-action=microphone].off").await?;
    press(&[CONTROL, "d"]).await?;
    window.find("[data-action=microphone].on").await?;
    press(&["v"]).await?;
    window.find("[data-action=camera].off").await?;
    press(&[CONTROL, "e"]).await?;
    window.find("[data-action=camera].on").await?;

    press(&[SHIFT, "/"]).await?;
    window.find("[data-shortcuts][open]").await?;
    press(&[ESCAPE]).await?;
    window.gone("[data-shortcuts]").await?;
    press(&[CONTROL, ","]).await?;
    window.find("[data-settings][open]").await?;
    walk_to(&window, "[data-page=audio]").await?;
    press(&[DOWN]).await?;
    window.find("[data-page=video][aria-selected=true]").await?;
    press(&[ESCAPE]).await?;
    window.gone("[data-settings]").await?;

    walk_to(&window, "[data-action=microphone-menu]").await?;
    press(&[ENTER]).await?;
    window.find("[data-choice=noise]").await?;
    press(&[ESCAPE]).await?;
    window.gone("[data-choice=noise]").await?;
    walk_to(&window, "[data-action=more]").await?;
    press(&[ENTER]).await?;
    window.find("[role=menu]").await?;
    // What there is to choose before it depends on whether there is a picture to keep.
    down_to(&window, "[data-action=statistics]").await?;
    press(&[ENTER]).await?;
    window.find("[data-state=statistics]").await?;
    walk_to(&window, "[data-action=close-statistics]").await?;
    press(&[ENTER]).await?;
    window.gone("[data-state=statistics]").await?;

    press(&[CONTROL, SHIFT, "e"]).await?;
    window.find("[data-reason=hungUp]").await?;
    press(&[ESCAPE]).await?;
    window.find("[data-contact='Echo test']").await?;
    window.close().await
}

#[tokio::test]
async fn the_window_fills_the_screen_by_a_key_and_lets_go_of_it() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=audio-call]")
        .await?;
    window.phase("connected").await?;
    window.session().press(&["f"]).await?;
    window.find(":root:fullscreen").await?;
    window.session().press(&["f"]).await?;
    window.gone(":root:fullscreen").await?;
    window.close().await
}
