//! `cargo xtask demo`: a server and two application windows that call each other, each with its own profile in `target/demo/`.
//!
//! Where there is a display, the windows stay open until they are closed. Without one (or with `--headless`) they run under
//! Xvfb, and leave screenshots and statistics beside the profiles.
#![allow(clippy::print_stdout, reason = "it tells whoever watches what happens")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vireo_tests::{
    display::Display,
    server::Server,
    window::{Window, WindowOptions, artefacts},
};

/// How long the call is watched without a display.
const WATCHED: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> Result<()> {
    let headless = std::env::args().any(|argument| argument == "--headless");
    let seen = Display::of_this_session().filter(|_| !headless);
    let watch = seen.is_none();
    let display = match seen {
        Some(display) => display,
        None => Display::start()?,
    };
    let folder = artefacts().join("demo");
    // Each demonstration begins at the first screen.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let server = Server::start(&[]).await?;
    println!("server: {}", server.url);
    let anna = open(&display, &server, &folder, "Anna").await?;
    let boris = open(&display, &server, &folder, "Boris").await?;
    anna.add_contact("Boris").await?;
    boris.click("[data-contact='Anna'] .person").await?;
    boris.click("[data-action=accept-contact]").await?;
    println!("Anna calls Boris");
    anna.click("[data-action=panel-video-call]").await?;
    boris.rings().await?;
    boris.click("[data-action=answer]").await?;
    boris.look_at("index").await?;
    for window in [&anna, &boris] {
        window.phase("connected").await?;
    }
    println!("they are connected");
    if watch {
        report(&folder, &anna, &boris).await?;
        boris.click("[data-action=end]").await?;
        anna.find("[data-reason=remoteHungUp]").await?;
        boris.close().await?;
        return anna.close().await;
    }
    println!("close a window to end the demonstration");
    while anna.text().await.is_ok() && boris.text().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

async fn open(display: &Display, server: &Server, folder: &Path, name: &str) -> Result<Window> {
    let options = WindowOptions {
        profile: folder.join(name.to_lowercase()),
        server: Some(server.url.clone()),
        stand_ins: true,
        ..WindowOptions::default()
    };
    let window = Window::open(display, &options).await?;
    window.sign_up(name).await?;
    println!("{name} is there");
    Ok(window)
}

/// Watches both sides for a while, and leaves what was seen.
async fn report(folder: &Path, anna: &Window, boris: &Window) -> Result<()> {
    let (of_anna, of_boris) = tokio::try_join!(pictures(anna), pictures(boris))?;
    anna.picture(&folder.join("anna.png")).await?;
    boris.picture(&folder.join("boris.png")).await?;
    let statistics = json!({ "anna": of_anna, "boris": of_boris });
    println!("{statistics:#}");
    fs::write(
        folder.join("statistics.json"),
        serde_json::to_vec_pretty(&statistics)?,
    )?;
    println!("screenshots and statistics are in {}", folder.display());
    Ok(())
}

/// The ages of the pictures that one side shows of the other, from the time code in them.
async fn pictures(window: &Window) -> Result<Value> {
    let start = Instant::now();
    let mut ages = Vec::new();
    while start.elapsed() < WATCHED {
        ages.extend(window.moving_pictures(10).await?);
    }
    ages.sort_by(f64::total_cmp);
    let last = ages.len().checked_sub(1).context("no picture arrived")?;
    let percentile = |percent: usize| ages.get(last * percent / 100).copied();
    Ok(json!({
        "picturesRead": ages.len(),
        "seconds": start.elapsed().as_secs_f64(),
        "shownAgeMs": { "p50": percentile(50), "p95": percentile(95), "p99": percentile(99) },
    }))
}
