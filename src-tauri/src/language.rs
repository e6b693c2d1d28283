//! The language the person has chosen for their system.

/// What the environment says, on systems where that is how languages are chosen; elsewhere the web view knows by itself.
/// Two or three letters, such as `ru`.
#[must_use]
pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    if cfg!(any(windows, target_os = "macos")) {
        return None;
    }
    // In the order of gettext; WebKitGTK itself looks only at what is installed, and not at LANGUAGE.
    ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find_map(|value| language_of(value.split(':').next()?))
}

/// `ru` of `ru_RU.UTF-8`; none for `C` and `POSIX`.
fn language_of(locale: &str) -> Option<String> {
    let end = locale.find(['_', '.', '@', '-']).unwrap_or(locale.len());
    let language = &locale[..end];
    let plausible =
        (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    plausible.then(|| language.to_owned())
}

#[cfg(all(test, not(windows), not(target_os = "macos")))]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Option<String> {
        from_environment(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_names_a_language_counts() {
        assert_eq!(of(&[("LANG", "ru_RU.UTF-8")]).as_deref(), Some("ru"));
        assert_eq!(
            of(&[("LANG", "de_DE"), ("LANGUAGE", "ru:en")]).as_deref(),
            Some("ru")
        );
        assert_eq!(
            of(&[("LC_ALL", "C.UTF-8"), ("LANG", "en_GB")]).as_deref(),
            Some("en")
        );
        assert_eq!(of(&[("LANG", "C")]), None);
        assert_eq!(of(&[("LANG", "POSIX"), ("LC_ALL", "")]), None);
        assert_eq!(of(&[]), None);
    }
}
