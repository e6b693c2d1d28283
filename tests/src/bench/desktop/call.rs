//! A call with moving pictures, 1280 × 720 at 30 a second both ways, shown in the window as it is when it is first opened.
//!
//! What painting takes is told apart by process and thread. It is everything that the web view's processes use, which is the
//! pictures' way in, decoding, painting and the page itself, and in the application's own process the main thread, on which
//! GTK brings to the screen what was painted, with the few threads that WebKit has there. Not counted are the media engine's
//! threads there (encoder, camera, sound), the calls' and the server connection's (tokio's, which also hand the pictures over,
//! as they came from the network), and the display itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use super::Stage;
use crate::{
    bench::{FORMAT, MARGIN_SECONDS, MAX_BITRATE},
    process_tree::{self, Usage},
    window::Window,
};

/// How long the call is watched, once it has settled.
const WATCHED: Duration = Duration::from_secs(12);

/// Threads that WebKit and what paints for it have in the application's own process, but for the main one.
const WEB_VIEWS_OWN: [&str; 3] = ["ReceiveQueue", "VBlankMonitor", "llvmpipe"];

/// What a call costs that is shown.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Proportional set size of the whole process tree, in MB.
    pub memory_mb: f64,
    /// Of that, the web view's processes.
    pub web_view_mb: f64,
    /// Share of one core of the whole process tree.
    pub cpu_share: f64,
    /// Of that, painting.
    pub painting_share: f64,
    /// Remote pictures painted a second.
    pub pictures_per_second: f64,
}

impl Stage {
    /// Makes a call and watches it.
    ///
    /// # Errors
    /// When it does not come about.
    pub async fn call(&self) -> Result<Shown> {
        let window = Window::open(&self.display, &self.options()).await?;
        let size = format!("{}x{}", FORMAT.width, FORMAT.height);
        let (rate, bits) = (FORMAT.frame_rate.to_string(), MAX_BITRATE.to_string());
        let mut answer = vec!["answer", "--once", "--camera", "pattern"];
        answer.extend(["--microphone", "tone", "--speaker", "none", "--size", &size]);
        answer.extend(["--fps", &rate, "--max-bitrate", &bits]);
        let mut bob = self.server.cli(&self.bob, &answer)?;
        bob.event("ready").await?;
        window
            .click("[data-contact='Bob'] [data-action=video-call]")
            .await?;
        window.phase("connected").await?;
        window.moving_pictures(2).await?;
        sleep(Duration::from_secs(MARGIN_SECONDS)).await;
        let shown = watch(&window).await?;
        window.moving_pictures(5).await?;
        window.click("[data-action=end]").await?;
        bob.end().await?;
        window.close().await?;
        Ok(shown)
    }
}

async fn watch(window: &Window) -> Result<Shown> {
    let root = window.application()?;
    let pictures = pictures(window).await?;
    let (started, whole, painting) = (Instant::now(), Usage::of(root), painting(root));
    sleep(WATCHED).await;
    let (after, painted) = (Usage::of(root), self::painting(root));
    let seconds = started.elapsed().as_secs_f64();
    let more = self::pictures(window).await? - pictures;
    ensure!(more > 0.0, "no pictures move");
    let web: u64 = web_processes(root)
        .map(|web| Usage::of_process(web).pss)
        .sum();
    Ok(Shown {
        memory_mb: after.pss as f64 / 1e6,
        web_view_mb: web as f64 / 1e6,
        cpu_share: after.cores_since(&whole),
        painting_share: painted.saturating_sub(painting).as_secs_f64() / seconds,
        pictures_per_second: more / seconds,
    })
}

/// How many remote pictures have been painted.
async fn pictures(window: &Window) -> Result<f64> {
    let ask = "return window.__TAURI_INTERNALS__.invoke('call_stats')";
    let stats = window.session().execute_async(ask).await?;
    let painted = stats.pointer("/video/in/framesDecoded");
    painted.and_then(Value::as_f64).context("no figures")
}

fn web_processes(root: u32) -> impl Iterator<Item = u32> {
    let tree = process_tree::tree(root).into_iter();
    tree.filter(move |process| *process != root)
}

/// Processor time that painting has taken so far.
fn painting(root: u32) -> Duration {
    let web = web_processes(root).map(|web| Usage::of_process(web).processor);
    let is_web_views = |name: &str| WEB_VIEWS_OWN.iter().any(|own| name.starts_with(own));
    let threads = process_tree::threads(root).into_iter();
    let own = threads.filter(|thread| thread.id == root || is_web_views(&thread.name));
    web.sum::<Duration>() + own.map(|thread| thread.processor).sum()
}
