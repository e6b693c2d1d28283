//! Windows that come unasked. GTK is told that they are not to have the focus when they come: that they would refuse it, which
//! is all that a window made without the focus says, is taken back with their first picture, and a window manager that looks
//! later than that gives it to them.

use gtk::prelude::GtkWindowExt;
use tauri::{AppHandle, WebviewWindow, WebviewWindowBuilder, Wry};

type Builder<'a> = WebviewWindowBuilder<'a, Wry, AppHandle>;

/// A window that is not shown before [`show`].
pub fn unshown(builder: Builder<'_>) -> Builder<'_> {
    builder.visible(false)
}

/// Shows it.
///
/// # Errors
/// When the application ends.
pub fn show(window: WebviewWindow) -> tauri::Result<()> {
    let shown = window.clone();
    window.run_on_main_thread(move || {
        let outcome = shown.gtk_window().and_then(|window| {
            window.set_focus_on_map(false);
            shown.show()
        });
        if let Err(error) = outcome {
            tracing::error!(%error, "a window cannot be shown");
        }
    })
}
