//! The window: where it may go, and what it may connect to.

use std::path::Path;

use tauri::{
    AppHandle, Manager, Url, WebviewUrl, WebviewWindowBuilder,
    utils::config::{Config, Csp, CspDirectiveSources},
};

use crate::language;

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

/// Opens the main window. Its web view keeps what it stores in the profile, so that profiles do not mix.
///
/// # Errors
/// When the system cannot open a window.
pub fn open(app: &AppHandle, profile: Option<&Path>) -> tauri::Result<()> {
    // The page needs to know the languages before it shows anything, so they stand in its address.
    let languages = language::from_environment(|name| std::env::var(name).ok());
    let page = format!("index.html#{}", languages.join(","));
    let mut builder = WebviewWindowBuilder::new(app, "main", WebviewUrl::App(page.into()))
        .title("Vireo")
        .inner_size(1100.0, 720.0)
        .min_inner_size(720.0, 540.0)
        .on_navigation(is_own_page);
    if let Some(profile) = profile {
        builder = builder.data_directory(profile.join("web-view"));
    }
    builder.build()?;
    Ok(())
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
        let text = include_str!("../../tauri.conf.json");
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
