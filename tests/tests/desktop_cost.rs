//! What the application costs while nobody looks at it, how soon it is there, and how it comes through a computer's sleep.
//! The figures are printed; they are those of a development build.
#![cfg(target_os = "linux")]
#![allow(
    clippy::print_stdout,
    reason = "the figures are read by whoever runs the test"
)]

use std::{process::Command, time::Duration};

use tokio::time::{Instant, sleep};
use vireo_tests::{
    application::{Application, Start},
    bench::desktop::{InTray, in_tray},
    display::Display,
    process_tree,
    server::Server,
    tray::Tray,
    window::{Window, WindowOptions},
};

/// What the process tree may cost in the tray, as a share of one core and in MB.
const GOAL: (f64, f64) = (0.01, 100.0);

/// What a window may take from its process's start until it can be used, on a machine that does nothing else.
const START_GOAL: Duration = Duration::from_secs(1);

#[tokio::test]
async fn in_the_tray_the_web_view_is_let_go() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let display = Display::start()?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(server.folder(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.close().await?;

    // Warm: everything has been read once.
    let mut application = Application::start(&display, &options)?;
    let Start { whole, steps } = application.usable().await?;
    println!("start to usable window: {whole:?} (goal {START_GOAL:?}); {steps}");
    application.end().await?;

    let tray = Tray::start(&display).await?;
    let InTray {
        cpu_share,
        memory_mb,
        with_window_mb,
        back_ms,
    } = in_tray(&display, &tray, &options).await?;
    println!(
        "with its window {with_window_mb:.0} MB; in the tray {memory_mb:.0} MB (goal {}), {:.1} % of a core (goal {}); back after {back_ms:.0} ms",
        GOAL.1,
        cpu_share * 100.0,
        GOAL.0 * 100.0
    );
    assert!(cpu_share <= GOAL.0, "{cpu_share}");
    assert!(memory_mb <= GOAL.1, "{memory_mb}");
    Ok(())
}

#[tokio::test]
async fn a_call_comes_back_after_the_computer_has_slept() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let bob = server.register("Bob").await?;
    let display = Display::start()?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(server.folder(), "anna")
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Anna").await?;
    window.add_contact("Bob").await?;
    server.run(&bob, &["contacts", "add", "Anna"]).await?;
    let answer = [
        "answer",
        "--once",
        "--camera",
        "pattern",
        "--microphone",
        "tone",
    ];
    let mut bob = server.cli(&bob, &[&answer[..], &["--speaker", "none"]].concat())?;
    bob.event("ready").await?;
    window
        .click("[data-contact='Bob'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    window.moving_pictures(5).await?;

    let asleep = process_tree::tree(window.application()?);
    let signal = |name: &str| {
        let processes = asleep.iter().map(ToString::to_string);
        Command::new("kill").arg(name).args(processes).status()
    };
    signal("-STOP")?;
    sleep(Duration::from_secs(15)).await;
    let awake = Instant::now();
    signal("-CONT")?;
    window.moving_pictures(5).await?;
    println!("pictures {:?} after a sleep of 15 s", awake.elapsed());
    window.phase("connected").await?;
    window.click("[data-action=end]").await?;
    bob.end().await?;
    window.close().await
}
