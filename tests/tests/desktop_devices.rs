//! Devices that are there and cannot be used, in calls in real windows: why that is, and the way to the system's settings.
#![cfg(target_os = "linux")]

use vireo_tests::{
    binaries::binary,
    cli::Cli,
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

async fn call_with(display: &Display, options: &WindowOptions<'_>) -> anyhow::Result<Window> {
    let window = Window::open(display, options).await?;
    window.sign_up("Anna").await?;
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    Ok(window)
}

/// In both languages: what it means, why it is, and, where that is the place to put it right, the system's settings.
#[tokio::test]
async fn a_camera_that_is_taken_and_a_microphone_that_is_denied_are_said_to_be_that()
-> anyhow::Result<()> {
    let display = Display::start()?;
    for (language, words) in [
        (
            "en",
            [
                "You cannot be seen. Another program is using the camera.",
                "You cannot be heard. Vireo is not allowed to use the microphone.",
            ],
        ),
        ("ru", ["Вас не видно.", "Вас не слышно."]),
    ] {
        let folder = tempfile::tempdir()?;
        let mut options = WindowOptions {
            language,
            ..WindowOptions::of(folder.path(), "anna")
        };
        options.variables = vec![
            ("VIREO_CAMERA", "taken"),
            ("VIREO_MICROPHONE", "denied"),
            ("VIREO_SPEAKER", "none"),
        ];
        let window = call_with(&display, &options).await?;
        window.find("[data-notice=camera]").await?;
        window
            .find("[data-notice=microphone] [data-action=system-settings]")
            .await?;
        for words in words {
            window.reads(words).await?;
        }
        window
            .screenshot(&format!("devices-taken-denied-call.{language}"))
            .await?;
        // Another program's device is nothing that the settings help with.
        let of_camera = "[data-notice=camera] [data-action=system-settings]";
        anyhow::ensure!(window.session().find(of_camera).await.is_err());
        window.click("[data-action=end]").await?;
        window.find("[data-reason=hungUp]").await?;
        window.close().await?;
    }
    Ok(())
}

/// A second device of the same person: what it shows when the first one has answered or declined.
#[tokio::test]
async fn what_is_answered_or_declined_elsewhere_is_said_so() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let boris = server.register("Boris").await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    let anna = Window::open(&display, &options).await?;
    anna.sign_up("Anna").await?;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.add_contact("Boris").await?;
    let silent = ["--camera=none", "--microphone=none", "--speaker=none"];
    // Her account on another device: the terminal's, which signs in by itself.
    let elsewhere = |words: &[&str]| -> anyhow::Result<Cli> {
        let mut command = tokio::process::Command::new(binary("vireo-cli")?);
        command.env("VIREO_PROFILE", &options.profile);
        command.args(words).args(silent);
        Cli::spawn(command)
    };
    for (how, reason) in [
        (
            &["answer", "--once", "--after=1500"][..],
            "answeredElsewhere",
        ),
        (
            &["answer", "--once", "--decline", "--after=1500"],
            "declinedElsewhere",
        ),
    ] {
        let mut other = elsewhere(how)?;
        other.event("ready").await?;
        let mut call = server.cli(&boris, &[&["call", "Anna"][..], &silent].concat())?;
        anna.rings().await?;
        call.event("ringing").await?;
        anna.look_at("index").await?;
        anna.find(&format!("[data-reason={reason}]")).await?;
        anna.screenshot(&format!("{reason}.en")).await?;
        anna.click("[data-action=back]").await?;
        if reason == "answeredElsewhere" {
            call.event("connected").await?;
            call.interrupt().await?;
        }
        call.end().await?;
        other.end().await?;
    }
    anna.close().await
}
