//! Somebody calls who is in a call already: what each of the three hears and sees, and calling back.
#![cfg(target_os = "linux")]

use anyhow::ensure;
use vireo_tests::{
    cli::Cli,
    display::Display,
    server::{Account, Server},
    window::{Window, WindowOptions},
};

const SILENT: [&str; 3] = ["--camera=none", "--microphone=none", "--speaker=none"];

/// A call to Anna that is refused, since she is in another one.
async fn finds_anna_busy(server: &Server, who: &Account) -> anyhow::Result<()> {
    let refused = server.cli(who, &[&["call", "Anna"][..], &SILENT].concat())?;
    let refused = refused.end().await?;
    ensure!(refused.status == 4, "{refused:?}");
    let reason = refused.event("ended").map(|ended| ended["reason"].clone());
    ensure!(reason == Some("busy".into()), "{refused:?}");
    Ok(())
}

/// The newest of this person's past calls: which way it went, and how.
async fn last_call(server: &Server, who: &Account) -> anyhow::Result<(String, String)> {
    let history = server.run(who, &["history"]).await?;
    let word = |name: &str| history[0][name].as_str().unwrap_or_default().to_owned();
    Ok((word("direction"), word("outcome")))
}

fn waits_for_a_call(server: &Server, who: &Account) -> anyhow::Result<Cli> {
    server.cli(who, &[&["answer", "--once"][..], &SILENT].concat())
}

/// Anna and Boris in a call, the windows in these languages; Carla is a contact of Anna's.
async fn in_a_call(
    display: &Display,
    server: &Server,
    folder: &std::path::Path,
    languages: [&'static str; 2],
) -> anyhow::Result<(Window, Window, Account)> {
    let carla = server.register("Carla").await?;
    let options = |name, language| WindowOptions {
        server: Some(server.url.clone()),
        language,
        ..WindowOptions::of(folder, name)
    };
    let anna = Window::open(display, &options("anna", languages[0])).await?;
    let boris = Window::open(display, &options("boris", languages[1])).await?;
    anna.sign_up("Anna").await?;
    boris.sign_up("Boris").await?;
    server.run(&carla, &["contacts", "add", "Anna"]).await?;
    anna.add_contact("Carla").await?;
    anna.add_contact("Boris").await?;
    boris.add_contact("Anna").await?;
    boris
        .click("[data-contact=Anna] [data-action=video-call]")
        .await?;
    anna.rings().await?;
    anna.click("[data-action=answer]").await?;
    anna.look_at("index").await?;
    anna.phase("connected").await?;
    boris.moving_pictures(3).await?;
    Ok((anna, boris, carla))
}

#[tokio::test]
async fn who_calls_somebody_in_a_call_hears_busy_and_is_called_back_afterwards()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let (anna, boris, carla) = in_a_call(&display, &server, folder.path(), ["en", "ru"]).await?;

    finds_anna_busy(&server, &carla).await?;
    anna.find("[data-missed=told]").await?;
    anna.reads("Carla called and heard that you are in a call")
        .await?;
    anna.screenshot("call.missed.en").await?;
    // What calling back does to the call is said before it is done, and can be left.
    anna.click("[data-action=call-back]").await?;
    anna.reads("Calling back ends your call with Boris").await?;
    anna.screenshot("call.missed-asked.en").await?;
    anna.click("[data-missed=asked] [data-action=put-away]")
        .await?;
    anna.find("[data-missed=told]").await?;
    boris.moving_pictures(3).await?;

    // A missed call for both of them.
    let missed = ("outgoing".to_owned(), "busy".to_owned());
    ensure!(last_call(&server, &carla).await? == missed);
    boris.click("[data-action=end]").await?;
    anna.find("[data-reason=remoteHungUp]").await?;
    anna.find("[data-missed=offered]").await?;
    anna.screenshot("ended.missed.en").await?;
    anna.click("[data-action=back]").await?;
    anna.find("[data-missed=offered]").await?;
    anna.find("[data-past=missed]").await?;
    anna.screenshot("home.missed.en.light").await?;

    let mut answers = waits_for_a_call(&server, &carla)?;
    answers.event("ready").await?;
    anna.click("[data-missed=offered] [data-action=call-back]")
        .await?;
    answers.event("connected").await?;
    anna.phase("connected").await?;
    // Whoever was called back is not told of any more.
    anna.gone("[data-missed]").await?;
    anna.click("[data-action=end]").await?;
    answers.end().await?;
    boris.close().await?;
    anna.close().await
}

#[tokio::test]
async fn calling_back_at_once_ends_the_call_that_goes_on() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let (anna, boris, carla) = in_a_call(&display, &server, folder.path(), ["ru", "en"]).await?;

    finds_anna_busy(&server, &carla).await?;
    anna.find("[data-missed=told]").await?;
    anna.screenshot("call.missed.ru").await?;
    let mut answers = waits_for_a_call(&server, &carla)?;
    answers.event("ready").await?;
    anna.click("[data-action=call-back]").await?;
    anna.find("[data-missed=asked]").await?;
    anna.screenshot("call.missed-asked.ru").await?;
    anna.click("[data-action=end-and-call-back]").await?;
    boris.find("[data-reason=remoteHungUp]").await?;
    answers.event("connected").await?;
    anna.phase("connected").await?;

    // The other way round: now Boris is the one who finds her in a call.
    boris.click("[data-action=call-again]").await?;
    boris.find("[data-reason=busy]").await?;
    boris.screenshot("busy.en").await?;
    anna.find("[data-missed=told]").await?;
    anna.click("[data-missed=told] [data-action=put-away]")
        .await?;
    anna.gone("[data-missed]").await?;
    anna.click("[data-action=end]").await?;
    answers.end().await?;
    anna.click("[data-action=back]").await?;
    // Put away, but not forgotten.
    anna.find("[data-past=missed]").await?;
    anna.screenshot("home.recent.ru.light").await?;
    boris.click("[data-action=back]").await?;
    boris.find("[data-past=busy]").await?;
    boris.screenshot("home.recent.en.light").await?;
    boris.close().await?;
    anna.close().await
}
