//! The two windows that lie over everything else: one for a call that rings, and a small one for a call that goes on while
//! the main window is out of sight. Both are without a frame, and neither takes the focus when it comes.

use tauri::{AppHandle, Manager};

use super::{
    RINGING, SMALL, builder,
    place::{self, Screen},
    unasked,
};

/// Width and height of the ringing window, in logical pixels.
const RINGING_SIZE: (f64, f64) = (400.0, 224.0);

/// Width and height of the small window.
const SMALL_SIZE: (f64, f64) = (320.0, 200.0);

/// What is left free at the edges of the screen.
const MARGIN: f64 = 24.0;

/// Opens the ringing window: at the top of the screen on which the pointer is, in the middle.
///
/// # Errors
/// When the system cannot open a window.
pub fn open_ringing(app: &AppHandle) -> tauri::Result<()> {
    let (width, height) = RINGING_SIZE;
    open(app, RINGING, "ringing.html", RINGING_SIZE, |screen| {
        let x = screen.x + (screen.width - width) / 2.0;
        (x, screen.y + MARGIN.min(screen.height - height))
    })
}

/// Opens the small window, in the lower right corner.
///
/// # Errors
/// When the system cannot open a window.
pub fn open_small(app: &AppHandle) -> tauri::Result<()> {
    let (width, height) = SMALL_SIZE;
    open(app, SMALL, "small.html", SMALL_SIZE, |screen| {
        (
            screen.x + screen.width - width - MARGIN,
            screen.y + screen.height - height - MARGIN,
        )
    })
}

fn open(
    app: &AppHandle,
    label: &str,
    page: &str,
    (width, height): (f64, f64),
    corner: impl Fn(Screen) -> (f64, f64),
) -> tauri::Result<()> {
    let mut window = unasked::unshown(builder(app, label, page))
        .inner_size(width, height)
        .resizable(false)
        .maximizable(false)
        .minimizable(false)
        .decorations(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .skip_taskbar(true)
        .focused(false);
    // Wayland lets nobody choose a place.
    if let Some(screen) = screen_in_use(app) {
        let (x, y) = corner(screen);
        window = window.position(x, y);
    }
    unasked::show(window.build()?)
}

/// The screen on which the pointer is: the person looks there.
fn screen_in_use(app: &AppHandle) -> Option<Screen> {
    let pointer = app.cursor_position().ok()?;
    let monitor = app.monitor_from_point(pointer.x, pointer.y).ok().flatten();
    let monitor = monitor.or_else(|| app.primary_monitor().ok().flatten())?;
    Some(place::screen(&monitor))
}

/// Closes one of the two, if it is open.
pub fn close(app: &AppHandle, label: &str) {
    if let Some(window) = app.get_webview_window(label)
        && let Err(error) = window.destroy()
    {
        tracing::warn!(%error, label, "a window stays");
    }
}
