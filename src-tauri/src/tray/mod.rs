//! The icon in the tray, with the person's state, and a menu for what is wanted without the window. Where there is no tray,
//! the main window must never vanish: [`crate::desk`] hears of both.

mod icon;
#[cfg_attr(target_os = "linux", path = "presence_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "presence_everywhere.rs")]
mod presence;
mod state;

use std::{sync::Arc, time::Duration};

use tauri::{
    AppHandle, Manager, Wry,
    menu::{CheckMenuItemBuilder, Menu, MenuBuilder, MenuItemBuilder},
    tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent},
};
use vireo_client::OwnStatus;

use self::state::TrayState;
use crate::{app::App, language, windows, words};

/// The icon's name, for Tauri.
const ID: &str = "vireo";

/// So long may a desktop that has just begun take to show a tray.
const TRAY_COMES_WITHIN: Duration = Duration::from_secs(20);

/// Shows the icon wherever there is a tray for it, from now on. Called on the main thread.
pub fn follow(handle: &AppHandle) {
    presence::watch(handle, tray_comes_or_goes);
    tauri::async_runtime::spawn(keep_up(handle.clone()));
}

fn tray_comes_or_goes(handle: &AppHandle, there: bool) {
    let app = handle.state::<Arc<App>>();
    drop(handle.remove_tray_by_id(ID));
    let shown = there
        && show(handle, &app)
            .inspect_err(|error| tracing::info!(%error, "no icon in the tray"))
            .is_ok();
    app.on_desk(|desk| desk.set_tray(shown));
    if shown {
        return;
    }
    if app.with(|inner| std::mem::take(&mut inner.waits_for_tray)) {
        tauri::async_runtime::spawn(give_up_waiting(handle.clone()));
    } else {
        show_main_instead(handle);
    }
}

async fn give_up_waiting(handle: AppHandle) {
    tokio::time::sleep(TRAY_COMES_WITHIN).await;
    if handle.tray_by_id(ID).is_none() {
        show_main_instead(&handle);
    }
}

/// Nothing else would bring the window back.
fn show_main_instead(handle: &AppHandle) {
    if handle.get_webview_window(windows::MAIN).is_none() {
        windows::show_main(handle);
    }
}

fn show(handle: &AppHandle, app: &App) -> tauri::Result<()> {
    let state = TrayState::of(&app.view().borrow());
    TrayIconBuilder::with_id(ID)
        .icon(icon::with(state.badge))
        .title("Vireo")
        .tooltip(&state.tooltip)
        .menu(&menu(handle, &state)?)
        .show_menu_on_left_click(false)
        .on_menu_event(|handle, event| choose(handle, event.id().as_ref()))
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                choose(icon.app_handle(), "open");
            }
        })
        .build(handle)?;
    Ok(())
}

/// Repaints the icon and its menu when there is something new to show.
async fn keep_up(handle: AppHandle) {
    let mut view = handle.state::<Arc<App>>().view();
    let mut shown = None;
    while view.changed().await.is_ok() {
        let state = TrayState::of(&view.borrow_and_update());
        if shown.as_ref() == Some(&state) {
            continue;
        }
        shown = Some(state.clone());
        // There, and not from here step by step: this thread would wait for that one each time, at the end for ever.
        let there = handle.clone();
        let told = handle.run_on_main_thread(move || {
            if let Err(error) = repaint(&there, &state) {
                tracing::warn!(%error, "the icon in the tray is out of date");
            }
        });
        if told.is_err() {
            return;
        }
    }
}

fn repaint(handle: &AppHandle, state: &TrayState) -> tauri::Result<()> {
    let Some(icon) = handle.tray_by_id(ID) else {
        return Ok(());
    };
    icon.set_icon(Some(icon::with(state.badge)))?;
    icon.set_tooltip(Some(&state.tooltip))?;
    icon.set_menu(Some(menu(handle, state)?))
}

fn menu(handle: &AppHandle, state: &TrayState) -> tauri::Result<Menu<Wry>> {
    let words = words::of(&language::wanted(state.language));
    let item = |id: &str, text| MenuItemBuilder::with_id(id, text).build(handle);
    let mut menu = MenuBuilder::new(handle).item(&item("open", words.get("tray.open"))?);
    menu = match state.muted {
        Some(false) => menu.item(&item("mute", words.get("tray.mute"))?),
        Some(true) => menu.item(&item("unmute", words.get("tray.unmute"))?),
        None => menu,
    };
    if let Some(quiet) = state.do_not_disturb {
        let id = if quiet { "online" } else { "do-not-disturb" };
        let check =
            CheckMenuItemBuilder::with_id(id, words.get("person.doNotDisturb")).checked(quiet);
        menu = menu.item(&check.build(handle)?);
    }
    menu.separator()
        .item(&item("quit", words.get("app.quit"))?)
        .build()
}

fn choose(handle: &AppHandle, item: &str) {
    let handle = handle.clone();
    let item = item.to_owned();
    // Windows are opened from outside the main thread, which has to go on meanwhile.
    tauri::async_runtime::spawn(async move {
        let client = || handle.state::<Arc<App>>().client();
        match (&*item, client()) {
            ("open", _) => windows::show_main(&handle),
            ("quit", _) => handle.exit(0),
            ("mute", Ok(client)) => client.set_microphone_muted(true),
            ("unmute", Ok(client)) => client.set_microphone_muted(false),
            ("do-not-disturb", Ok(client)) => client.set_status(OwnStatus::DoNotDisturb),
            ("online", Ok(client)) => client.set_status(OwnStatus::Online),
            _ => {}
        }
    });
}
