//! The language the person has chosen for their system.

use vireo_client::paths::Language;

/// What the environment says, the most wanted language first, on systems where that is how languages are chosen; elsewhere
/// the web view knows by itself. Each has two or three letters, such as `ru`.
#[must_use]
pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut languages = Vec::new();
    if cfg!(any(windows, target_os = "macos")) {
        return languages;
    }
    // In the order of gettext; WebKitGTK itself looks only at what is installed, and not at LANGUAGE.
    for value in ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(variable)
    {
        for language in value.split(':').filter_map(language_of) {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
    }
    languages
}

/// The languages in which to speak, the most wanted one first, where the person has chosen this one.
#[must_use]
pub fn wanted(chosen: Language) -> Vec<String> {
    match chosen {
        Language::System => of_the_system(),
        Language::En => vec!["en".to_owned()],
        Language::Ru => vec!["ru".to_owned()],
    }
}

/// The languages of the system, the most wanted one first.
#[must_use]
pub fn of_the_system() -> Vec<String> {
    let languages = from_environment(|name| std::env::var(name).ok());
    match languages.is_empty() {
        true => sys_locale::get_locales()
            .filter_map(|locale| language_of(&locale))
            .collect(),
        false => languages,
    }
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

    fn of(pairs: &[(&str, &str)]) -> String {
        let languages = from_environment(|name| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        });
        languages.join(",")
    }

    #[test]
    fn every_language_that_is_wanted_is_passed_on_in_order() {
        assert_eq!(of(&[("LANG", "ru_RU.UTF-8")]), "ru");
        assert_eq!(of(&[("LANGUAGE", "uk:ru:en")]), "uk,ru,en");
        assert_eq!(
            of(&[("LANG", "de_DE"), ("LANGUAGE", "ru_RU:ru:en")]),
            "ru,en,de"
        );
        assert_eq!(of(&[("LC_ALL", "C.UTF-8"), ("LANG", "en_GB")]), "en");
        assert_eq!(of(&[("LANG", "C")]), "");
        assert_eq!(of(&[("LANG", "POSIX"), ("LC_ALL", "")]), "");
        assert_eq!(of(&[]), "");
    }
}
