//! Whether there is a tray: this system always has one.

use tauri::AppHandle;

/// Calls `tell` once, on the main thread.
pub fn watch(handle: &AppHandle, tell: fn(&AppHandle, bool)) {
    tell(handle, true);
}
