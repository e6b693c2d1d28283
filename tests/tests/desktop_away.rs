//! A start while the server is away: who is known is there, and the connection comes by itself when the server does.
#![cfg(target_os = "linux")]

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use vireo_tests::{
    binaries::binary,
    cli::{Cli, Ended},
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

/// Anna, whose list holds Boris, has closed her window.
async fn anna_and_boris(
    display: &Display,
    server: &Server,
    options: &WindowOptions<'_>,
) -> anyhow::Result<()> {
    let boris = server.register("Boris").await?;
    let anna = Window::open(display, options).await?;
    anna.sign_up("Anna").await?;
    server.run(&boris, &["contacts", "add", "Anna"]).await?;
    anna.add_contact("Boris").await?;
    anna.close().await
}

/// The pictures move, so that nothing is missing any more.
async fn calls_the_echo(window: &Window) -> anyhow::Result<()> {
    window
        .click("[data-contact='Echo test'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    window.moving_pictures(3).await?;
    window.click("[data-action=end]").await?;
    window.find("[data-reason=hungUp]").await?;
    window.click("[data-action=back]").await
}

#[tokio::test]
async fn a_start_without_the_server_shows_who_is_known_and_connects_by_itself() -> anyhow::Result<()>
{
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    anna_and_boris(&display, &server, &options).await?;
    for (language, dark, unreachable, later) in [
        (
            "en",
            false,
            "Server unreachable – trying again…",
            "You can call once the server is back.",
        ),
        (
            "ru",
            true,
            "Сервер недоступен, пробуем снова…",
            "Позвонить можно будет, когда сервер снова станет доступен.",
        ),
    ] {
        server.kill().await?;
        let options = WindowOptions {
            language,
            dark,
            ..options.clone()
        };
        let theme = if dark { "dark" } else { "light" };
        let anna = Window::open(&display, &options).await?;
        anna.find("[data-contact=Boris]").await?;
        anna.reads(unreachable).await?;
        anna.screenshot(&format!("start.server-away.{language}.{theme}"))
            .await?;
        anna.click("[data-contact=Boris] .person").await?;
        anna.reads(later).await?;
        anna.screenshot(&format!("start.server-away.person.{language}.{theme}"))
            .await?;
        server.start_again().await?;
        anna.find("[data-contact='Echo test'] [data-action=video-call]")
            .await?;
        let text = anna.text().await?;
        ensure!(!text.contains(unreachable), "{text}");
        calls_the_echo(&anna).await?;
        anna.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_goes_away_leaves_nobody_online() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    anna_and_boris(&display, &server, &options).await?;
    for (language, dark, offline) in [("en", false, "Offline"), ("ru", true, "Не в сети")] {
        let options = WindowOptions {
            language,
            dark,
            ..options.clone()
        };
        let theme = if dark { "dark" } else { "light" };
        let anna = Window::open(&display, &options).await?;
        anna.find("[data-contact='Echo test'] [data-action=video-call]")
            .await?;
        anna.find("aside select").await?;
        anna.click("[data-contact=Boris] .person").await?;
        server.kill().await?;
        anna.find("[data-own-status=unreachable]").await?;
        anna.reads(offline).await?;
        anna.gone("[data-action=video-call]").await?;
        anna.gone(".dot").await?;
        anna.screenshot(&format!("home.server-lost.{language}.{theme}"))
            .await?;
        server.start_again().await?;
        anna.find("[data-contact='Echo test'] [data-action=video-call]")
            .await?;
        anna.find("aside select").await?;
        anna.gone("[data-own-status]").await?;
        anna.close().await?;
    }
    Ok(())
}

/// It takes connections and says nothing, as one does that hangs.
#[tokio::test]
async fn a_start_does_not_wait_for_a_server_that_says_nothing() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    anna_and_boris(&display, &server, &options).await?;
    server.kill().await?;
    let address = server.url.strip_prefix("http://").context("an address")?;
    let silent = TcpListener::bind(address.trim_end_matches('/'))?;
    let anna = Window::open(&display, &options).await?;
    let opened = Instant::now();
    anna.find("[data-contact=Boris]").await?;
    ensure!(opened.elapsed() < Duration::from_secs(2), "it waits");
    anna.find("[data-own-status=connecting]").await?;
    anna.reads("Connecting to the server…").await?;
    anna.screenshot("start.server-silent.en.light").await?;
    drop(silent);
    server.start_again().await?;
    calls_the_echo(&anna).await?;
    anna.close().await
}

/// The session that was kept has ended meanwhile, which shows only when the server is back.
#[tokio::test]
async fn a_session_that_has_ended_while_the_server_was_away_is_made_anew() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(&[]).await?;
    let options = WindowOptions {
        server: Some(server.url.clone()),
        ..WindowOptions::of(folder.path(), "anna")
    };
    anna_and_boris(&display, &server, &options).await?;
    for line in sessions(&options, &[]).await?.lines {
        if line["current"] == false {
            let id = line["id"].as_str().context("a session has an id")?;
            sessions(&options, &["revoke", id]).await?;
        }
    }
    server.kill().await?;
    let anna = Window::open(&display, &options).await?;
    anna.find("[data-contact=Boris]").await?;
    server.start_again().await?;
    calls_the_echo(&anna).await?;
    anna.close().await
}

/// As the person of this window, who signs in by themselves in the terminal too.
async fn sessions(options: &WindowOptions<'_>, words: &[&str]) -> anyhow::Result<Ended> {
    let mut command = tokio::process::Command::new(binary("vireo-cli")?);
    command.env("VIREO_PROFILE", &options.profile);
    command.arg("sessions").args(words);
    let ended = Cli::spawn(command)?.end().await?;
    ensure!(ended.status == 0, "{ended:?}");
    Ok(ended)
}
