//! Devices that are there and cannot be used, in calls in real windows: why that is, and the way to the system's settings.
#![cfg(target_os = "linux")]

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use tokio::time::{Instant, sleep};
use vireo_tests::{
    binaries::binary,
    cli::Cli,
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(20);

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

/// Before a call and in the settings the same is said, and the button opens what the system has for it.
#[tokio::test]
async fn before_a_call_the_way_to_the_systems_settings_leads_there() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let programs = folder.path().join("bin");
    let opened = folder.path().join("opened");
    fs::create_dir_all(&programs)?;
    let settings = programs.join("gnome-control-center");
    fs::write(
        &settings,
        format!("#!/bin/sh\necho \"$@\" >> {}\n", opened.display()),
    )?;
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o755))?;
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut options = WindowOptions::of(folder.path(), "anna");
    options.variables = vec![
        ("VIREO_CAMERA", "taken"),
        ("VIREO_MICROPHONE", "denied"),
        ("VIREO_SPEAKER", "none"),
        ("PATH", &path),
    ];
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.click("[data-contact='Echo test'] .person").await?;
    window.click("[data-action=before-call]").await?;
    window.find("[data-problem=camera]").await?;
    window
        .reads("Vireo is not allowed to use the microphone.")
        .await?;
    window.screenshot("before-call-taken-denied.en").await?;
    window
        .click("[data-problem=microphone] [data-action=system-settings]")
        .await?;
    let by = Instant::now() + PATIENCE;
    while fs::read_to_string(&opened).unwrap_or_default() != "sound\n" {
        anyhow::ensure!(Instant::now() < by, "the system's settings did not open");
        sleep(Duration::from_millis(50)).await;
    }
    window.close().await
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
