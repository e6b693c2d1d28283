//! The windows: where they may go, what they may connect to, and how they come and go. Which are wanted is decided by
//! [`crate::desk`].

mod keeper;
mod main_window;
#[cfg_attr(target_os = "linux", path = "memory_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "memory_elsewhere.rs")]
mod memory;
mod overlay;
#[cfg_attr(target_os = "linux", path = "painting_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "painting_elsewhere.rs")]
pub mod painting;
mod place;
#[cfg_attr(target_os = "linux", path = "unasked_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "unasked_elsewhere.rs")]
mod unasked;

use std::sync::Arc;

use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindowBuilder,
    utils::config::{Config, Csp, CspDirectiveSources},
};

pub use self::{
    keeper::{keep, on_event},
    main_window::{close, open_main, remember, show_main},
};
use crate::{app::App, language};

/// The window with everything in it.
pub const MAIN: &str = "main";

/// The window of a call that rings.
pub const RINGING: &str = "ringing";

/// The small window of a call while the main one is out of sight.
pub const SMALL: &str = "small";

/// Adds the media socket, and nothing else, to what the window may connect to.
pub fn allow_media_socket(config: &mut Config, origin: &str) {
    for csp in [
        &mut config.app.security.csp,
        &mut config.app.security.dev_csp,
    ] {
        if let Some(Csp::DirectiveMap(directives)) = csp {
            let sources = directives
                .entry("connect-src".to_owned())
                .or_insert_with(CspDirectiveSources::default);
            sources.push(origin);
        }
    }
}

/// A window over one of the application's own pages. Its web view keeps what it stores in the profile, so that profiles do
/// not mix, and all windows share what they need.
fn builder<'a>(
    app: &'a AppHandle,
    label: &str,
    page: &str,
) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle> {
    // The page needs to know the languages before it shows anything, so they stand in its address.
    let languages = match label {
        // It hears by itself what the person has chosen.
        MAIN => language::from_environment(|name| std::env::var(name).ok()),
        _ => {
            let view = app.state::<Arc<App>>().view();
            let chosen = view.borrow().appearance.language;
            language::wanted(chosen)
        }
    };
    let page = format!("{page}#{}", languages.join(","));
    let builder = WebviewWindowBuilder::new(app, label, WebviewUrl::App(page.into()))
        .title("Vireo")
        .on_navigation(is_own_page);
    match app.state::<Arc<App>>().profile_argument() {
        Some(profile) => builder.data_directory(profile.join("web-view")),
        None => builder,
    }
}

/// Whether the person has the window before them.
#[must_use]
pub fn has_focus(app: &AppHandle) -> bool {
    let window = app.get_webview_window("main");
    window.is_some_and(|window| window.is_focused().unwrap_or(false))
}

/// The window shows the application's own pages and never anything from elsewhere.
fn is_own_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_stays_at_home() {
        let own = |text: &str| is_own_page(&text.parse().expect("an address"));
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/"));
        assert!(!own("https://example.org/"));
        assert!(!own("file:///etc/passwd"));
        assert!(!own("data:text/html,hello"));
    }

    #[test]
    fn the_policy_allows_the_one_port_of_the_media_socket() {
        let text = include_str!("../../../tauri.conf.json");
        let mut config: Config = serde_json::from_str(text).expect("valid");
        allow_media_socket(&mut config, "ws://127.0.0.1:4711");
        let policy = config.app.security.csp.expect("there is one").to_string();
        assert!(policy.contains("ws://127.0.0.1:4711"), "{policy}");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        for forbidden in [
            "unsafe-inline",
            "unsafe-eval",
            "*",
            "https:",
            "ws://127.0.0.1:*",
        ] {
            assert!(!policy.contains(forbidden), "{forbidden} in {policy}");
        }
        assert!(config.app.security.freeze_prototype);
    }
}
