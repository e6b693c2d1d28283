//! Whether there is a tray: one shows icons where somebody keeps a list of them on the session bus. It may come later than
//! this application, and go before it.

use gtk::gio::{BusNameWatcherFlags, BusType, bus_watch_name};
use tauri::AppHandle;

/// Who keeps the list.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Calls `tell` on the main thread whenever a tray comes or goes, and at first with how it is.
pub fn watch(handle: &AppHandle, tell: fn(&AppHandle, bool)) {
    let (comes, goes) = (handle.clone(), handle.clone());
    bus_watch_name(
        BusType::Session,
        WATCHER,
        BusNameWatcherFlags::NONE,
        move |_, _, _| tell(&comes, true),
        move |_, _| tell(&goes, false),
    );
}
