//! The desktop application: a window over [`vireo_client`]. Everything that a call is happens below; here are the window, the
//! commands that it can give, the views that it gets, and the way of the pictures to it.

mod accounts;
mod app;
mod arguments;
mod checked;
mod clipboard;
mod commands;
mod control;
mod devices;
mod failure;
mod files;
mod hosting;
mod instance;
mod joining;
mod keepsakes;
mod language;
mod log;
mod media_socket;
mod notify;
mod rehearsal;
mod ring;
mod sign_in;
mod system_settings;
mod view;
mod window;
mod words;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use tauri::{AppHandle, Emitter, Manager, RunEvent, WindowEvent};

use crate::{app::App, arguments::Arguments, media_socket::MediaServer};

/// Runs the application until its window is closed.
#[must_use]
pub fn run() -> ExitCode {
    vireo_media::audio::find_sound_server();
    let arguments = Arguments::parse();
    let log = log::start();
    match run_application(arguments, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "Vireo cannot run");
            ExitCode::FAILURE
        }
    }
}

fn run_application(
    arguments: Arguments,
    log: log::Memory,
) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let pictures = Arc::new(runtime.block_on(MediaServer::start())?);
    let mut context = tauri::generate_context!();
    window::allow_media_socket(context.config_mut(), &pictures.origin());

    let profile = arguments.profile.clone();
    instance::name(context.config_mut(), profile.as_deref());
    let app = App::new(arguments, pictures, log);
    let state = app.clone();
    let tauri = tauri::Builder::default()
        .plugin(instance::plugin())
        .manage(app.clone())
        .invoke_handler(tauri::generate_handler![
            commands::view,
            commands::start,
            commands::sign_out,
            commands::use_account,
            commands::open_invitation,
            commands::paste_invitation,
            commands::look_again,
            commands::join,
            commands::dismiss_invitation,
            commands::open_to_network,
            commands::make_invite,
            commands::copy_invite,
            commands::add_contact,
            commands::accept_contact,
            commands::decline_contact,
            commands::remove_contact,
            commands::block_contact,
            commands::unblock_contact,
            commands::set_status,
            commands::place_call,
            commands::accept_call,
            commands::decline_call,
            commands::end_call,
            commands::dismiss_call,
            commands::set_microphone_muted,
            commands::set_camera_enabled,
            commands::set_video_kept,
            commands::set_voice,
            commands::call_stats,
            commands::set_device,
            commands::set_appearance,
            commands::set_rehearsal,
            commands::set_sound_test,
            commands::open_system_settings,
            commands::display_name,
            commands::set_display_name,
            commands::measure_connection,
            commands::save_screenshot,
            commands::export_statistics,
            commands::export_log,
            commands::media_socket,
        ])
        .setup(move |tauri| {
            window::open(tauri.handle(), profile.as_deref())?;
            tauri::async_runtime::spawn(publish_views(tauri.handle().clone()));
            tauri::async_runtime::spawn(publish_levels(tauri.handle().clone()));
            let languages = language::from_environment(|name| std::env::var(name).ok());
            let words = words::of(&languages);
            tauri::async_runtime::spawn(notify::follow(
                state.clone(),
                tauri.handle().clone(),
                words,
            ));
            tauri::async_runtime::spawn(state.start(tauri.handle().clone()));
            tauri::async_runtime::spawn(exit_when_asked(tauri.handle().clone()));
            Ok(())
        })
        .build(context)?;
    tauri.run(move |_, event| match event {
        RunEvent::Exit => runtime.block_on(app.stop()),
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => urls.iter().for_each(|url| app.open_link(url.as_str())),
        // Nobody looks at a meter or a preview any more.
        RunEvent::WindowEvent {
            label,
            event: WindowEvent::Destroyed,
            ..
        } if label == "main" => {
            if let Ok(rehearsal) = app.rehearsal() {
                runtime.block_on(async { rehearsal.set(false, false) });
            }
        }
        _ => {}
    });
    Ok(())
}

/// Sends every view to the window.
async fn publish_views(handle: AppHandle) {
    let mut view = handle.state::<Arc<App>>().view();
    while view.changed().await.is_ok() {
        let now = view.borrow_and_update().clone();
        if let Err(error) = handle.emit("view", now) {
            tracing::warn!(%error, "the window did not get its view");
        }
    }
}

/// Tells the window how loud it is, apart from the view, which is larger and changes less often.
async fn publish_levels(handle: AppHandle) {
    let mut levels = handle.state::<Arc<App>>().levels();
    while levels.changed().await.is_ok() {
        let now = *levels.borrow_and_update();
        // A meter that misses a level shows the next one.
        let _ = handle.emit("levels", now);
    }
}

/// Ends the application as if the window were closed when the system or a terminal asks for it.
async fn exit_when_asked(handle: AppHandle) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(_) => return,
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    handle.exit(0);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// A command that the window may not call fails for the user only.
    #[test]
    fn the_window_may_call_exactly_the_commands_that_there_are() {
        let there_are: BTreeSet<&str> = include_str!("lib.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("commands::")?.strip_suffix(','))
            .collect();
        let allowed: BTreeSet<&str> = include_str!("../permissions/main.toml")
            .lines()
            .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
            .collect();
        assert!(!there_are.is_empty());
        assert_eq!(there_are, allowed);
    }
}
