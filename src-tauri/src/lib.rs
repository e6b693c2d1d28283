//! The desktop application: a window over [`vireo_client`]. Everything that a call is happens below; here are the window, the
//! commands that it can give, the views that it gets, and the way of the pictures to it.

mod accounts;
mod app;
mod arguments;
mod autostart;
mod checked;
mod clipboard;
mod commands;
mod control;
mod desk;
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
mod mute_key;
mod network;
mod notify;
mod pictures;
mod preferences;
mod rehearsal;
mod ring;
mod session;
mod sign_in;
mod start;
mod system_settings;
mod tray;
mod view;
mod windows;
mod words;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use tauri::{AppHandle, Emitter, Manager, RunEvent};

use crate::{app::App, arguments::Arguments, media_socket::MediaServer, start::Start};

/// Runs the application until its window is closed.
#[must_use]
pub fn run() -> ExitCode {
    let start = Start::now();
    vireo_media::audio::find_sound_server();
    windows::painting::choose();
    let arguments = Arguments::parse();
    let log = log::start();
    match run_application(arguments, log, start) {
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
    start: Start,
) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let pictures = Arc::new(runtime.block_on(MediaServer::start())?);
    let mut context = tauri::generate_context!();
    windows::allow_media_socket(context.config_mut(), &pictures.origin());

    instance::name(context.config_mut(), arguments.profile.as_deref());
    let app = App::new(arguments, pictures, log, start);
    let state = app.clone();
    let tauri = tauri::Builder::default()
        .plugin(instance::plugin())
        .manage(app.clone())
        .register_asynchronous_uri_scheme_protocol(pictures::SCHEME, pictures::serve)
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
            commands::call_instead,
            commands::forget_missed,
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
            commands::set_rotation,
            commands::set_full_hd,
            commands::set_appearance,
            commands::set_alerts,
            commands::set_keeps_call_when_closing,
            commands::autostart,
            commands::set_autostart,
            commands::set_mute_key,
            commands::set_rehearsal,
            commands::set_sound_test,
            commands::open_system_settings,
            commands::display_name,
            commands::set_display_name,
            commands::test_server,
            commands::set_ice_servers,
            commands::set_relay_only,
            commands::set_avatar,
            commands::remove_avatar,
            commands::forget_account,
            commands::measure_connection,
            commands::save_screenshot,
            commands::export_statistics,
            commands::export_log,
            commands::media_socket,
            commands::watch_call,
            commands::dismiss_ringing,
            commands::close_window,
            commands::stay_open,
            commands::show_main_window,
            commands::quit,
            commands::tell_started,
        ])
        .on_window_event(windows::on_event)
        .setup(move |tauri| {
            state.start().passed("set-up");
            if !state.starts_in_tray() {
                windows::open_main(tauri.handle())?;
                state.start().passed("window");
            }
            tray::follow(tauri.handle());
            tauri::async_runtime::spawn(windows::keep(tauri.handle().clone()));
            tauri::async_runtime::spawn(publish_levels(tauri.handle().clone()));
            tauri::async_runtime::spawn(notify::follow(state.clone(), tauri.handle().clone()));
            tauri::async_runtime::spawn(state.begin(tauri.handle().clone()));
            tauri::async_runtime::spawn(exit_when_asked(tauri.handle().clone()));
            Ok(())
        })
        .build(context)?;
    let mut runtime = Some(runtime);
    tauri.run(move |handle, event| match event {
        // The last window has gone, and the application lives on in the tray. Asked to end, it ends.
        RunEvent::ExitRequested {
            code: None, api, ..
        } => api.prevent_exit(),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => windows::show_main(handle),
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => urls.iter().for_each(|url| app.open_link(url.as_str())),
        RunEvent::Exit => {
            windows::remember(handle);
            if let Some(runtime) = runtime.take() {
                runtime.block_on(app.stop());
                // Whoever waits for this thread now, to have a window looked at, would wait for ever.
                runtime.shutdown_background();
            }
        }
        _ => {}
    });
    Ok(())
}

/// Tells the window how loud it is, apart from the view, which is larger and changes less often.
async fn publish_levels(handle: AppHandle) {
    let mut levels = handle.state::<Arc<App>>().levels();
    while levels.changed().await.is_ok() {
        let now = *levels.borrow_and_update();
        // A meter that misses a level shows the next one.
        let _ = handle.emit_to(windows::MAIN, "levels", now);
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

    /// The names that stand in quotes on lines of their own.
    fn listed(permission: &str) -> BTreeSet<&str> {
        let name = |line| str::strip_suffix(str::trim(line).strip_prefix('"')?, "\",");
        permission.lines().filter_map(name).collect()
    }

    /// A command that no window may call fails for the user only.
    #[test]
    fn the_windows_may_call_exactly_the_commands_that_there_are() {
        let there_are: BTreeSet<&str> = include_str!("lib.rs")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("commands::")?.strip_suffix(','))
            .collect();
        assert!(!there_are.is_empty());
        let allowed: BTreeSet<&str> = [
            include_str!("../permissions/main.toml"),
            include_str!("../permissions/ringing.toml"),
            include_str!("../permissions/small.toml"),
        ]
        .into_iter()
        .flat_map(listed)
        .collect();
        assert_eq!(there_are, allowed);
    }

    #[test]
    fn the_ringing_window_can_answer_decline_and_dismiss_and_nothing_else() {
        let allowed = listed(include_str!("../permissions/ringing.toml"));
        let wanted = [
            "accept_call",
            "decline_call",
            "dismiss_ringing",
            "watch_call",
        ];
        assert_eq!(allowed, BTreeSet::from(wanted));
        let capability = include_str!("../capabilities/ringing.json");
        assert!(capability.contains(r#""permissions": ["ringing"]"#));
    }

    #[test]
    fn the_small_window_can_show_mute_and_end_the_call_and_nothing_else() {
        let allowed = listed(include_str!("../permissions/small.toml"));
        let wanted = [
            "end_call",
            "media_socket",
            "set_microphone_muted",
            "show_main_window",
            "watch_call",
        ];
        assert_eq!(allowed, BTreeSet::from(wanted));
        let capability = include_str!("../capabilities/small.json");
        assert!(
            capability.contains(r#""permissions": ["small", "core:window:allow-start-dragging"]"#)
        );
    }
}
