//! What the window says when something is missing or breaks. The call goes on with what there is.
#![cfg(target_os = "linux")]

use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

#[tokio::test]
async fn without_camera_microphone_and_speaker_a_call_goes_on_and_says_so() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut options = WindowOptions::of(folder.path(), "anna");
    // Names that no device has, so that it does not matter what this machine has.
    options.variables = vec![
        ("VIREO_CAMERA", "device:nothing of this name"),
        ("VIREO_MICROPHONE", "device:nothing of this name"),
        ("VIREO_SPEAKER", "device:nothing of this name"),
    ];
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    for device in ["camera", "microphone", "speaker"] {
        window.find(&format!("[data-notice={device}]")).await?;
    }
    window.screenshot("no-devices-call.en").await?;
    window.click("[data-action=end]").await?;
    window.find("[data-reason=hungUp]").await?;
    window.close().await
}

#[tokio::test]
async fn a_call_survives_the_server_and_the_window_says_so() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let with_server = |name| WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), name)
    };
    let anna = Window::open(&display, &with_server("anna")).await?;
    let boris = Window::open(&display, &with_server("boris")).await?;
    // Nobody is called so yet.
    anna.find("#name").await?;
    anna.sign_up("Anna").await?;
    boris.sign_up("Boris").await?;
    anna.click("[data-action=add-contact]").await?;
    anna.fill("#add-name", "Nobody").await?;
    anna.click("form button[type=submit]").await?;
    anna.reads("Nobody here has this name").await?;
    anna.screenshot("add-contact-unknown.en.light").await?;
    anna.fill("#add-name", "Boris").await?;
    anna.click("form button[type=submit]").await?;
    boris.add_contact("Anna").await?;

    boris
        .click("[data-contact=Anna] [data-action=video-call]")
        .await?;
    anna.rings().await?;
    anna.click("[data-action=answer]").await?;
    anna.look_at("index").await?;
    boris.moving_pictures(3).await?;
    server.kill().await?;
    for window in [&anna, &boris] {
        window.find("[data-notice=server]").await?;
        let ages = window.moving_pictures(5).await?;
        assert!(ages.iter().all(|age| *age < 3000.0), "{ages:?}");
    }
    anna.screenshot("call.server-unreachable.en").await?;
    anna.click("[data-action=end]").await?;
    anna.find("[data-reason=hungUp]").await?;
    anna.click("[data-action=back]").await?;
    anna.reads("Server unreachable").await?;
    anna.screenshot("home.server-unreachable.en.light").await?;
    boris.close().await?;
    anna.close().await
}

#[tokio::test]
async fn a_second_window_of_the_same_person_says_that_vireo_is_already_open() -> anyhow::Result<()>
{
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let options = WindowOptions::of(folder.path(), "anna");
    let first = Window::open(&display, &options).await?;
    first.sign_up("Anna").await?;
    // Another session of the same person's: the first window cannot be brought to the front there.
    let elsewhere = Display::start()?;
    for (language, title) in [
        ("en", "Vireo is already open"),
        ("uk:ru:en", "Vireo уже открыт"),
    ] {
        let options = WindowOptions {
            language,
            ..options.clone()
        };
        let second = Window::open(&elsewhere, &options).await?;
        second.find("[data-failure=alreadyOpen]").await?;
        let text = second.text().await?;
        assert!(text.contains(title), "{text}");
        assert!(!text.contains("--data"), "{text}");
        second.close().await?;
    }
    // The first one does not mind.
    first.find("[data-contact='Echo test']").await?;
    first.close().await
}
