//! The clipboard of Windows and macOS.

use arboard::Clipboard;
use tauri::AppHandle;
use tokio::task::spawn_blocking;

pub async fn read(_app: &AppHandle) -> Option<String> {
    let read = || Clipboard::new().and_then(|mut clipboard| clipboard.get_text());
    spawn_blocking(read).await.ok()?.ok()
}

pub async fn write(_app: &AppHandle, text: String) -> Option<()> {
    let write = || Clipboard::new().and_then(|mut clipboard| clipboard.set_text(text));
    spawn_blocking(write).await.ok()?.ok()
}
