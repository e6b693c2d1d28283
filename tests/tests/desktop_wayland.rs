//! The application under Wayland: it starts, calls and is called.
#![cfg(target_os = "linux")]

use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

#[tokio::test]
async fn under_wayland_it_calls_and_is_called() -> anyhow::Result<()> {
    let display = Display::start_wayland()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let boris = server.register("Boris").await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    anna.click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    anna.phase("connected").await?;
    anna.moving_pictures(3).await?;
    anna.screenshot("call.wayland.en").await?;
    anna.click("[data-action=end]").await?;
    anna.find("[data-reason=hungUp]").await?;
    anna.click("[data-action=back]").await?;

    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.add_contact("Boris").await?;
    let call = [
        "call",
        "Anna",
        "--camera=pattern",
        "--microphone=tone",
        "--speaker=none",
    ];
    let mut call = server.cli(&boris, &call)?;
    anna.rings().await?;
    anna.screenshot("ringing.wayland.en").await?;
    anna.click("[data-action=answer]").await?;
    anna.look_at("index").await?;
    call.event("connected").await?;
    anna.moving_pictures(3).await?;
    call.interrupt().await?;
    anna.find("[data-reason=remoteHungUp]").await?;
    anna.close().await
}
