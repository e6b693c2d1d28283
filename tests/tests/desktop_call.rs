//! Two real application windows call each other, under a display of their own, through clicks and keys only.
#![cfg(target_os = "linux")]

use std::path::Path;

use anyhow::Context;
use vireo_tests::{
    display::Display,
    window::{Window, WindowOptions},
};

/// The address that the application publishes in its profile while it runs.
fn embedded_server(profile: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(profile.join("server-url")).context("the server is not published")
}

#[tokio::test]
async fn two_windows_call_each_other() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let first = WindowOptions::of(folder.path(), "anna");
    let anna = Window::open(&display, &first).await?;
    anna.sign_up("Anna Lindqvist").await?;

    let second = WindowOptions {
        server: Some(embedded_server(&first.profile)?),
        language: "ru",
        dark: true,
        ..WindowOptions::of(folder.path(), "boris")
    };
    let boris = Window::open(&display, &second).await?;
    boris.find("#name").await?;
    boris.screenshot("first-run-server.ru.dark").await?;
    boris.sign_up("Борис").await?;

    anna.add_contact("Борис").await?;
    anna.screenshot("requested.en.light").await?;
    boris
        .click("[data-contact='Anna Lindqvist'] .person")
        .await?;
    boris.screenshot("asked.ru.dark").await?;
    boris.click("[data-action=accept-contact]").await?;
    anna.find("[data-action=panel-video-call]").await?;
    anna.screenshot("home.en.light").await?;
    boris.find("[data-action=panel-video-call]").await?;
    boris.reads("Видеозвонок").await?;
    boris.screenshot("home.ru.dark").await?;

    anna.click("[data-action=panel-video-call]").await?;
    boris.phase("incoming").await?;
    anna.phase("ringing").await?;
    anna.find("[data-visible=true]").await?;
    anna.screenshot("ringing.en").await?;
    boris.screenshot("incoming.ru").await?;
    boris.click("[data-action=answer]").await?;
    anna.phase("connected").await?;
    boris.phase("connected").await?;
    for window in [&anna, &boris] {
        let ages = window.moving_pictures(20).await?;
        assert!(ages.iter().all(|age| *age < 3000.0), "{ages:?}");
    }
    anna.screenshot("call.en").await?;
    boris.screenshot("call.ru").await?;

    anna.click("[data-action=microphone]").await?;
    boris.find("[data-state=peer-muted]").await?;
    anna.click("[data-action=camera]").await?;
    boris.find(".person h1").await?;
    anna.screenshot("call.own-camera-off.en").await?;
    boris.screenshot("call.camera-off.ru").await?;
    anna.click("[data-action=camera]").await?;
    boris.gone(".person h1").await?;
    boris.moving_pictures(5).await?;
    anna.click("[data-action=microphone]").await?;
    boris.gone("[data-state=peer-muted]").await?;

    boris.click("[data-action=end]").await?;
    anna.find("[data-reason=remoteHungUp]").await?;
    boris.find("[data-reason=hungUp]").await?;
    anna.screenshot("ended.en").await?;
    boris.screenshot("ended.ru").await?;
    for window in [&anna, &boris] {
        window.click("[data-action=back]").await?;
        window.find("[data-contact='Echo test']").await?;
    }

    // The other way round, declined.
    boris
        .click("[data-contact='Anna Lindqvist'] [data-action=audio-call]")
        .await?;
    // The focus is in the other person's window, so that it rings in one of its own.
    anna.look_at("ringing").await?;
    anna.find("[data-action=decline]").await?;
    anna.screenshot("ringing-window-audio.en").await?;
    anna.click("[data-action=decline]").await?;
    boris.find("[data-reason=declined]").await?;
    boris.screenshot("declined.ru").await?;
    anna.look_away("ringing").await?;
    anna.look_at("index").await?;
    anna.find("[data-contact='Echo test']").await?;

    boris.close().await?;
    anna.close().await
}

#[tokio::test]
async fn one_person_alone_sees_that_everything_works_in_the_echo_test() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.screenshot("home-empty.en.light").await?;
    window.click("[data-contact='Echo test'] .person").await?;
    window.screenshot("echo-test.en.light").await?;
    window.click("[data-action=panel-video-call]").await?;
    window.phase("connected").await?;
    let ages = window.moving_pictures(20).await?;
    assert!(ages.iter().all(|age| *age < 3000.0), "{ages:?}");
    window.screenshot("echo-test-call.en").await?;
    window.click("[data-action=end]").await?;
    window.click("[data-action=back]").await?;

    // The account and its secret survive, and so does the contact list.
    window.close().await?;
    let again = Window::open(&display, &options).await?;
    again
        .find("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    again.close().await
}

#[tokio::test]
async fn a_web_view_that_cannot_decode_gets_pictures_that_were_decoded_natively()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut options = WindowOptions::of(folder.path(), "anna");
    // Every decoder that GStreamer could offer to the web view for H.264 and VP8.
    let none = [
        "avdec_h264",
        "openh264dec",
        "vah264dec",
        "vaapih264dec",
        "v4l2h264dec",
        "vp8dec",
        "avdec_vp8",
    ];
    let none = none.map(|name| format!("{name}:NONE")).join(",");
    options
        .variables
        .push(("GST_PLUGIN_FEATURE_RANK", none.as_str()));
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    let ages = window.moving_pictures(20).await?;
    assert!(ages.iter().all(|age| *age < 3000.0), "{ages:?}");
    window.screenshot("native-decoding-call.en").await?;
    let log = std::fs::read_to_string(options.profile.join("window.log"))?;
    assert!(log.contains("decoding natively"), "the web view decoded");
    window.close().await
}
