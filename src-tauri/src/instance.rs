//! One application for each profile: whoever starts a second one gets the window of the first, and the link that they have
//! started it with goes there too.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    sync::Arc,
};

use clap::Parser;
use tauri::{Manager, Wry, plugin::TauriPlugin, utils::config::Config};
use vireo_client::paths::PROFILE_VARIABLE;

use crate::{app::App, arguments::Arguments, windows};

/// Gives the application of a profile of its own a name of its own, by which the system tells it from others.
pub fn name(config: &mut Config, profile: Option<&Path>) {
    let named = std::env::var_os(PROFILE_VARIABLE);
    let Some(profile) = profile.or(named.as_deref().map(Path::new)) else {
        return;
    };
    let place = std::path::absolute(profile).unwrap_or_else(|_| profile.to_owned());
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    config.identifier = format!("{}.p{:016x}", config.identifier, hasher.finish());
}

/// Ends this application where another one of its name runs, and hands it the command line.
pub fn plugin() -> TauriPlugin<Wry> {
    tauri_plugin_single_instance::init(|handle, words, _| {
        let arguments = Arguments::try_parse_from(words).ok();
        if arguments
            .as_ref()
            .is_some_and(|arguments| arguments.in_tray)
        {
            return;
        }
        windows::show_main(handle);
        if let Some(link) = arguments.and_then(|arguments| arguments.link) {
            handle.state::<Arc<App>>().open_link(&link);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(profile: &str) -> String {
        let text = include_str!("../../tauri.conf.json");
        let mut config: Config = serde_json::from_str(text).expect("valid");
        name(&mut config, Some(Path::new(profile)));
        config.identifier
    }

    /// Without a place for it in the command, the desktop would start Vireo without the link that was clicked.
    #[test]
    fn links_are_registered_and_handed_over() {
        let text = include_str!("../../tauri.conf.json");
        let config: serde_json::Value = serde_json::from_str(text).expect("valid");
        let schemes = &config["plugins"]["deep-link"]["desktop"]["schemes"];
        assert_eq!(schemes, &serde_json::json!(["vireo"]));
        for package in ["deb", "rpm"] {
            let template = &config["bundle"]["linux"][package]["desktopTemplate"];
            assert_eq!(template, "assets/vireo.desktop");
        }
        let entry = include_str!("../../assets/vireo.desktop");
        assert!(entry.contains("Exec={{exec}} %u\n"), "{entry}");
        assert!(entry.contains("MimeType={{mime_type}}\n"), "{entry}");
    }

    #[test]
    fn each_profile_has_an_application_of_its_own() {
        assert_ne!(named("/tmp/anna"), named("/tmp/boris"));
        assert_eq!(named("/tmp/anna"), named("/tmp/anna/"));
        // A name on a bus: parts of letters, digits and hyphens that begin with no digit.
        let last = named("/tmp/anna");
        let last = last.rsplit('.').next().expect("there is one");
        assert!(last.starts_with('p') && last.len() == 17, "{last}");
    }
}
