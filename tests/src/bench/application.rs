//! What a person runs for a call: Vireo's window, and Chromium with a page that shows the picture. One side of a call each.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use tokio::time::sleep;

use super::{CALL_SECONDS, Content, Engine, MARGIN_SECONDS, chromium};
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
    let shown = super::desktop::Stage::set().await?.call().await?;
    Ok(Application {
        cpu_share: shown.cpu_share,
        memory_mb: shown.memory_mb,
    })
}

#[cfg(not(target_os = "linux"))]
async fn vireo() -> Result<Application> {
    anyhow::bail!("only Linux has the driver that opens the window")
}
