//! While nobody looks: the icon is in the tray, and the window has been closed.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Serialize;
use tokio::time::sleep;

use crate::{
    application::Application, display::Display, process_tree::Usage, tray::Tray,
    window::WindowOptions,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What has just been closed is cleared away for so long.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// What the process tree costs.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InTray {
    /// Share of one core.
    pub cpu_share: f64,
    /// Proportional set size, in MB.
    pub memory_mb: f64,
    /// What it was before the window was closed.
    pub with_window_mb: f64,
    /// From a click on the icon until the window is there again, in milliseconds.
    pub back_ms: f64,
}

/// Opens the application, closes its window, measures what is left, and opens it again from the tray.
///
/// # Errors
/// When the web view stays, or the window does not come back.
pub async fn in_tray(
    display: &Display,
    tray: &Tray,
    options: &WindowOptions<'_>,
) -> Result<InTray> {
    let mut application = Application::start(display, options)?;
    application.usable().await?;
    tray.reads(&["Open Vireo", "Do not disturb", "Quit Vireo"])
        .await?;
    let process = application.process();
    let main = || display.find(|window| window.process == process && window.width >= 720);
    ensure!(application.has_web_view(), "there is no web view");
    let open = Usage::of(process);
    display.close(&main()?)?;
    let started = Instant::now();
    while application.has_web_view() {
        ensure!(started.elapsed() < PATIENCE, "the web view stays");
        sleep(Duration::from_millis(100)).await;
    }
    sleep(AFTERWARDS).await;
    let before = Usage::of(process);
    sleep(WATCHED).await;
    let after = Usage::of(process);
    let started = Instant::now();
    tray.click().await?;
    main()?;
    let back = started.elapsed();
    application.end().await?;
    Ok(InTray {
        cpu_share: after.cores_since(&before),
        memory_mb: after.pss as f64 / 1e6,
        with_window_mb: open.pss as f64 / 1e6,
        back_ms: back.as_secs_f64() * 1e3,
    })
}
