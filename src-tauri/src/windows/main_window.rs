//! The main window: opened, shown, and let go.

use std::sync::Arc;

use tauri::{AppHandle, Manager, WebviewWindow};

use super::{
    MAIN, builder,
    place::{self, Place},
};
use crate::{app::App, desk::Closing};

/// The smallest size at which every screen can be used, in logical pixels.
const SMALLEST: (f64, f64) = (720.0, 540.0);

/// Opens the main window where it was left, or brings it to the front where it is open.
///
/// # Errors
/// When the system cannot open a window.
pub fn open_main(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(MAIN) {
        return bring_up(&window);
    }
    let state = app.state::<Arc<App>>();
    let folder = state.profile_folder();
    let place = place::restored(folder.as_deref(), &place::screens(app));
    let mut window = builder(app, MAIN, "index.html")
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        .inner_size(place.width, place.height)
        .maximized(place.maximised);
    window = match place.corner {
        Some((x, y)) => window.position(x, y),
        None => window.center(),
    };
    window.build()?;
    // Whether it gets the focus is the system's to say; that it is there is not.
    state.on_desk(|desk| desk.main_open(false));
    Ok(())
}

/// The person has asked to see the application.
pub fn show_main(app: &AppHandle) {
    app.state::<Arc<App>>()
        .on_desk(|desk| desk.main_asked_for());
    if let Err(error) = open_main(app) {
        tracing::error!(%error, "the window cannot be opened");
    }
}

/// Closes the main window as is fitting. `keeps_call` is what the person has answered, where they were asked.
pub fn close(app: &AppHandle, keeps_call: Option<bool>) -> Result<(), vireo_client::ClientError> {
    let state = app.state::<Arc<App>>();
    let closing = state.close_main(keeps_call)?;
    let Some(window) = app.get_webview_window(MAIN) else {
        return Ok(());
    };
    remember_place(&window);
    let done = match closing {
        Closing::Ask => bring_up(&window),
        Closing::Minimise => window.minimize(),
        Closing::Release { ends_call } => {
            if ends_call && let Ok(client) = state.client() {
                client.end();
            }
            window.destroy()
        }
    };
    if let Err(error) = done {
        tracing::warn!(%error, "the window cannot be closed");
    }
    Ok(())
}

/// Keeps where the main window is, if there is one.
pub fn remember(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        remember_place(&window);
    }
}

/// Keeps where the window is, for when it is opened again.
pub(super) fn remember_place(window: &WebviewWindow) {
    let folder = window.state::<Arc<App>>().profile_folder();
    if let Some(folder) = folder
        && let Some(place) = place_of(window)
        && let Err(error) = place.save(&folder)
    {
        tracing::warn!(%error, "the window's place cannot be kept");
    }
}

/// Nothing for a window that is nowhere at the moment.
fn place_of(window: &WebviewWindow) -> Option<Place> {
    if window.is_minimized().ok()? {
        return None;
    }
    let scale = window.scale_factor().ok()?;
    let corner = window.outer_position().ok()?.to_logical::<f64>(scale);
    let size = window.inner_size().ok()?.to_logical::<f64>(scale);
    Some(Place {
        corner: Some((corner.x, corner.y)),
        width: size.width,
        height: size.height,
        maximised: window.is_maximized().ok()?,
    })
}

fn bring_up(window: &WebviewWindow) -> tauri::Result<()> {
    window.unminimize()?;
    window.show()?;
    window.set_focus()
}
