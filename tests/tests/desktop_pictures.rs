//! The picture that a person shows of themselves: chosen in one real window, seen in another one, taken away again.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Draws a picture of 900 × 600 pixels as a PNG file, red in the middle and blue at its sides, and chooses it as a person would
/// by the system's dialog.
const CHOOSE_PNG: &str = "
const canvas = document.createElement('canvas');
canvas.width = 900;
canvas.height = 600;
const context = canvas.getContext('2d');
context.fillStyle = '#00f';
context.fillRect(0, 0, 900, 600);
context.fillStyle = '#f00';
context.fillRect(160, 0, 580, 600);
const png = await new Promise((done) => canvas.toBlob(done, 'image/png'));
const chosen = new DataTransfer();
chosen.items.add(new File([png], 'me.png', { type: 'image/png' }));
const input = document.querySelector('[data-field=picture]');
input.files = chosen.files;
input.dispatchEvent(new Event('change', { bubbles: true }));
return true;
";

/// Chooses a file that only says that it is a picture.
const CHOOSE_WORDS: &str = "
const chosen = new DataTransfer();
chosen.items.add(new File(['These are words.'], 'me.png', { type: 'image/png' }));
const input = document.querySelector('[data-field=picture]');
input.files = chosen.files;
input.dispatchEvent(new Event('change', { bubbles: true }));
return true;
";

/// The size of the picture that is shown there, and the colours of its left edge and its middle; null while there is none.
fn shown(selector: &str) -> String {
    format!(
        "const image = document.querySelector({} + ' img');
         if (!image || !image.complete || image.naturalWidth === 0) return null;
         return {{ width: image.naturalWidth, height: image.naturalHeight, at: image.src.split(':')[0] }};",
        json!(selector)
    )
}

async fn until_shown(window: &Window, selector: &str) -> anyhow::Result<Value> {
    let started = Instant::now();
    loop {
        let picture = window.session().execute(&shown(selector)).await?;
        if !picture.is_null() {
            return Ok(picture);
        }
        ensure!(started.elapsed() < PATIENCE, "no picture in {selector}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_picture_that_one_chooses_is_seen_by_the_other_wherever_they_are_shown()
-> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&[]).await?;
    let options = |name, language| WindowOptions {
        server: Some(server.url.clone()),
        language,
        ..WindowOptions::of(folder.path(), name)
    };
    let anna = Window::open(&display, &options("anna", "en")).await?;
    let boris = Window::open(&display, &options("boris", "ru")).await?;
    anna.sign_up("Anna").await?;
    boris.sign_up("Boris").await?;
    anna.add_contact("Boris").await?;
    boris.add_contact("Anna").await?;

    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=profile]").await?;
    anna.find("[data-action=choose-picture]").await?;
    // What is no picture is said to be none, and changes nothing.
    anna.session().execute_async(CHOOSE_WORDS).await?;
    anna.find("[data-problem=picture]").await?;
    anna.reads("Vireo cannot read this file as a picture")
        .await?;
    anna.screenshot("picture-unreadable.en.light").await?;
    anna.session().execute_async(CHOOSE_PNG).await?;
    anna.find("[data-action=remove-picture]").await?;
    let own = until_shown(&anna, "[data-settings] .avatar").await?;
    ensure!(
        own == json!({ "width": 256, "height": 256, "at": "picture" }),
        "{own}"
    );
    anna.gone("[data-problem=picture]").await?;
    anna.screenshot("picture-profile.en.light").await?;
    anna.click("[data-action=close-settings]").await?;
    until_shown(&anna, "aside header").await?;

    until_shown(&boris, "[data-contact=Anna]").await?;
    boris.click("[data-contact=Anna] .person").await?;
    until_shown(&boris, "main section").await?;
    boris.screenshot("picture-person.ru.light").await?;

    // The window that rings, and a call without pictures.
    anna.click("[data-contact=Boris] [data-action=audio-call]")
        .await?;
    boris.rings().await?;
    until_shown(&boris, "body").await?;
    boris.screenshot("picture-rings.ru").await?;
    boris.click("[data-action=answer]").await?;
    boris.look_at("index").await?;
    boris.phase("connected").await?;
    until_shown(&boris, "[data-phase=connected] .person").await?;
    boris.screenshot("picture-call.ru").await?;
    anna.click("[data-action=end]").await?;
    boris.find("[data-reason=remoteHungUp]").await?;
    until_shown(&boris, "[data-reason]").await?;
    boris.click("[data-action=back]").await?;
    anna.click("[data-action=back]").await?;

    // Still there after a start, and gone when it is taken away.
    anna.close().await?;
    let anna = Window::open(&display, &options("anna", "en")).await?;
    until_shown(&anna, "aside header").await?;
    anna.click("[data-action=settings]").await?;
    anna.click("[data-page=profile]").await?;
    anna.click("[data-action=remove-picture]").await?;
    anna.gone("[data-action=remove-picture]").await?;
    boris.find("[data-contact=Anna]").await?;
    boris.gone("[data-contact=Anna] img").await?;
    boris.close().await?;
    anna.close().await
}

#[tokio::test]
async fn a_picture_that_the_server_does_not_give_leaves_the_letters() -> anyhow::Result<()> {
    let display = Display::start()?;
    let folder = tempfile::tempdir()?;
    let window = Window::open(&display, &WindowOptions::of(folder.path(), "anna")).await?;
    window.sign_up("Anna").await?;
    let mut stranger =
        vireo_tests::views::contact("Boris", vireo_protocol::ContactStatus::Contact, true);
    stranger.avatar = Some("no-such-picture".to_owned());
    let home = vireo_tests::views::home(&[stranger], Value::Null);
    vireo_tests::views::show(&window, &home, &[]).await?;
    window.find("[data-contact=Boris]").await?;
    window.gone("[data-contact=Boris] img").await?;
    let letters = "return document.querySelector('[data-contact=Boris] .avatar').innerText";
    let letters = window.session().execute(letters).await?;
    let letters = letters.as_str().context("letters")?;
    ensure!(letters.trim() == "B", "{letters}");
    window.close().await
}
