//! What a window's page may ask the application for: what its own list names, and nothing else.

use anyhow::{Context as _, Result, ensure};

use crate::window::Window;

/// The lists of the application's own commands.
const OURS: [&str; 3] = [
    include_str!("../../src-tauri/permissions/main.toml"),
    include_str!("../../src-tauri/permissions/ringing.toml"),
    include_str!("../../src-tauri/permissions/small.toml"),
];

/// Some that Tauri brings.
const TAURIS: [&str; 10] = [
    "plugin:event|listen",
    "plugin:event|emit",
    "plugin:window|close",
    "plugin:window|set_focus",
    "plugin:webview|create_webview_window",
    "plugin:app|version",
    "plugin:path|resolve_directory",
    "plugin:tray|new",
    "plugin:menu|new",
    "plugin:resources|close",
];

/// Tries every command but these, which the page that is looked at may call.
///
/// # Errors
/// When one of them is not refused because of who asks.
pub async fn refuses_all_but(window: &Window, permitted: &[&str]) -> Result<()> {
    let named = |line| str::strip_suffix(str::trim(line).strip_prefix('"')?, "\",");
    let ours = OURS
        .iter()
        .flat_map(|list| list.lines())
        .filter_map(named)
        .filter(|command| !permitted.contains(command));
    let mut tried = 0;
    for command in ours.chain(TAURIS) {
        let invoke = format!("return window.__TAURI_INTERNALS__.invoke('{command}', {{}})");
        let answer = window.session().settle(&invoke).await?;
        let refusal = answer[1].as_str().context("no refusal")?;
        // By who asks, not by how it is asked.
        ensure!(
            answer[0] == false && refusal.contains("not allowed"),
            "{command}: {answer}"
        );
        tried += 1;
    }
    ensure!(tried > 35, "only {tried} were tried");
    Ok(())
}
