//! What a person runs for a call: Vireo's window, and Chromium with a page that shows the picture. One side of a call each.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

use super::{CALL_SECONDS, Content, Engine, FORMAT, MARGIN_SECONDS, MAX_BITRATE, chromium};
use crate::process_tree::Usage;

/// What one side of a call costs as a whole.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// Share of one core.
    pub cpu_share: f64,
    /// Proportional set size, in MB.
    pub memory_mb: f64,
}

/// Makes a call that is shown, and measures one side of it.
///
/// # Errors
/// When the call does not come about.
pub async fn measure_application(engine: Engine) -> Result<Application> {
    match engine {
        Engine::Vireo => vireo().await,
        Engine::Chromium => chromium::measure_shown(Content::TalkingHead).await,
    }
}

/// Two readings of a process tree, while the call is settled.
pub(super) async fn settled(root: u32) -> (Usage, Usage) {
    sleep(Duration::from_secs(MARGIN_SECONDS)).await;
    let before = Usage::of(root);
    sleep(Duration::from_secs(CALL_SECONDS - 2 * MARGIN_SECONDS)).await;
    (before, Usage::of(root))
}

#[cfg(target_os = "linux")]
async fn vireo() -> Result<Application> {
    use crate::display::Display;
    use crate::server::Server;
    use crate::window::{Window, WindowOptions};

    let server = Server::start(&[]).await?;
    let bob = server.register("Bob").await?;
    let display = Display::start()?;
    let options = WindowOptions {
        profile: server.folder().join("profile"),
        server: Some(server.url.clone()),
        variables: vec![
            ("VIREO_CAMERA", "pattern"),
            ("VIREO_MICROPHONE", "tone"),
            ("VIREO_SPEAKER", "none"),
        ],
        ..WindowOptions::default()
    };
    let window = Window::open(&display, &options).await?;
    window.sign_up("Ann").await?;
    window.add_contact("Bob").await?;
    server.run(&bob, &["contacts", "add", "Ann"]).await?;
    let size = format!("{}x{}", FORMAT.width, FORMAT.height);
    let (rate, bits) = (FORMAT.frame_rate.to_string(), MAX_BITRATE.to_string());
    let mut answer = vec!["answer", "--once", "--camera", "pattern"];
    answer.extend(["--microphone", "tone", "--speaker", "none", "--size", &size]);
    answer.extend(["--fps", &rate, "--max-bitrate", &bits]);
    let mut bob = server.cli(&bob, &answer)?;
    bob.event("ready").await?;
    window
        .click("[data-contact='Bob'] [data-action=video-call]")
        .await?;
    window.phase("connected").await?;
    let root = window.application()?;
    let (before, after) = settled(root).await;
    window.moving_pictures(5).await?;
    window.click("[data-action=end]").await?;
    bob.end().await?;
    window.close().await?;
    Ok(Application {
        cpu_share: after.cores_since(&before),
        memory_mb: after.pss as f64 / 1e6,
    })
}

#[cfg(not(target_os = "linux"))]
async fn vireo() -> Result<Application> {
    anyhow::bail!("only Linux has the driver that opens the window")
}
