//! Tells the desk what happens to the windows, and opens and closes them as it wants.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tauri::{AppHandle, Emitter, Manager, Window, WindowEvent};

use super::{MAIN, RINGING, SMALL, close, main_window, memory, open_main, overlay};
use crate::{
    app::App,
    desk::{CallPlace, DeskView},
    rehearsal::Wanted,
};

/// During a call the main window is looked at so often: no system says in an event that a window has been minimised.
const LOOK: Duration = Duration::from_millis(250);

/// A web view takes so long to clear itself away.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Gives the main window every view, and sees to it that those windows are there that are wanted. Ends with the application.
pub async fn keep(handle: AppHandle) {
    let app = handle.state::<Arc<App>>().inner().clone();
    let mut view = app.view();
    let mut before = DeskView::default();
    loop {
        let now = view.borrow_and_update().clone();
        let desk = now.desk;
        if let Err(error) = handle.emit_to(MAIN, "view", now) {
            tracing::warn!(%error, "the window did not get its view");
        }
        arrange(&handle, &app, before, desk);
        before = desk;
        let changed = loop {
            if !app.on_desk(|desk| desk.is_main_watched()) {
                break view.changed().await;
            }
            tokio::select! {
                changed = view.changed() => break changed,
                () = tokio::time::sleep(LOOK) => look_at_main(&handle),
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

fn arrange(handle: &AppHandle, app: &App, before: DeskView, now: DeskView) {
    let there = |label| handle.get_webview_window(label).is_some();
    let rings = now.call == CallPlace::RingingWindow;
    if rings
        && !there(RINGING)
        && let Err(error) = overlay::open_ringing(handle)
    {
        tracing::error!(%error, "the call rings in the main window");
        app.on_desk(|desk| desk.ring_in_main());
        bring_up_main(handle);
    }
    if now.main_window && !before.main_window {
        bring_up_main(handle);
    }
    if !rings {
        overlay::close(handle, RINGING);
    }
    if !now.small_window {
        overlay::close(handle, SMALL);
    } else if !there(SMALL)
        && let Err(error) = overlay::open_small(handle)
    {
        tracing::error!(%error, "the small window cannot be opened");
    }
}

fn bring_up_main(handle: &AppHandle) {
    if let Err(error) = open_main(handle) {
        tracing::error!(%error, "the window cannot be opened");
    }
}

/// On the main thread, for which nobody has to wait.
fn look_at_main(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window(MAIN) else {
        return;
    };
    let looked = handle.run_on_main_thread(move || {
        if let (Ok(minimised), Ok(focused)) = (window.is_minimized(), window.is_focused()) {
            window.state::<Arc<App>>().on_desk(|desk| match minimised {
                true => desk.main_minimised(),
                false => desk.main_open(focused),
            });
        }
    });
    if let Err(error) = looked {
        tracing::debug!(%error, "the window cannot be looked at");
    }
}

/// How many windows have gone so far.
static GONE: AtomicUsize = AtomicUsize::new(0);

/// Gives back what windows needed when there has been none for a while.
async fn give_back(handle: AppHandle) {
    let gone = GONE.fetch_add(1, Relaxed) + 1;
    tokio::time::sleep(AFTERWARDS).await;
    let there = handle.clone();
    // On the main thread, so that none is opened meanwhile.
    let given = handle.run_on_main_thread(move || {
        // One that has gone since then waits for as long itself. WebKit ends the application where a process of its own is
        // ended before it has said who it is, and a window opened in between may just have begun one.
        if there.webview_windows().is_empty() && GONE.load(Relaxed) == gone {
            memory::give_back();
        }
    });
    if let Err(error) = given {
        tracing::debug!(%error, "the application ends");
    }
}

/// Something has happened to a window.
pub fn on_event(window: &Window, event: &WindowEvent) {
    let handle = window.app_handle();
    let app = handle.state::<Arc<App>>();
    match (window.label(), event) {
        (MAIN, WindowEvent::CloseRequested { api, .. }) => {
            api.prevent_close();
            let handle = handle.clone();
            // Not from here: this is in the midst of an event of the window that is to go.
            tauri::async_runtime::spawn(async move {
                if let Err(error) = close(&handle, None) {
                    tracing::warn!(%error, "the window cannot be closed");
                }
            });
        }
        (MAIN, WindowEvent::Focused(focused)) => {
            app.on_desk(|desk| desk.main_open(*focused));
            if !focused && let Some(window) = handle.get_webview_window(MAIN) {
                tauri::async_runtime::spawn(async move { main_window::remember_place(&window) });
            }
        }
        (_, WindowEvent::Destroyed) => {
            if window.label() == MAIN {
                app.on_desk(|desk| desk.main_closed());
                // Nobody looks at a meter or a preview any more.
                if let Ok(rehearsal) = app.rehearsal() {
                    tauri::async_runtime::spawn(async move { rehearsal.set(Wanted::default()) });
                }
            }
            tauri::async_runtime::spawn(give_back(handle.clone()));
        }
        (RINGING, WindowEvent::CloseRequested { api, .. }) => {
            api.prevent_close();
            app.on_desk(|desk| desk.dismiss_ringing());
        }
        (SMALL, WindowEvent::CloseRequested { api, .. }) => {
            api.prevent_close();
            app.on_desk(|desk| desk.close_small());
        }
        _ => {}
    }
}
