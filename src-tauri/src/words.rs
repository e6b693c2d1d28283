//! What is said outside the windows, such as in the system's notifications: the same catalogues that the windows use.

use std::{collections::HashMap, sync::LazyLock};

/// The strings of one language by name.
pub struct Words(HashMap<String, String>);

static ENGLISH: LazyLock<Words> =
    LazyLock::new(|| Words::read(include_str!("../../ui/src/shared/i18n/en.ts")));
static RUSSIAN: LazyLock<Words> =
    LazyLock::new(|| Words::read(include_str!("../../ui/src/shared/i18n/ru.ts")));

/// Those of the first language that there is, else English.
#[must_use]
pub fn of(languages: &[String]) -> &'static Words {
    let known = languages
        .iter()
        .find_map(|language| match language.as_str() {
            "en" => Some(&ENGLISH),
            "ru" => Some(&RUSSIAN),
            _ => None,
        });
    known.unwrap_or(&ENGLISH)
}

impl Words {
    /// The string of this name. A name that the catalogues do not have is shown itself; a test sees to it that none is.
    #[must_use]
    pub fn get<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// The string of this name with `{gap}` filled.
    #[must_use]
    pub fn fill(&self, name: &str, gap: &str, value: &str) -> String {
        self.get(name).replace(&format!("{{{gap}}}"), value)
    }

    /// Reads the pairs of string literals that a catalogue's file consists of.
    fn read(file: &str) -> Self {
        let mut rest = file;
        let mut entries = HashMap::new();
        while let Some((name, after)) = literal(rest) {
            let value = after
                .strip_prefix(':')
                .and_then(|value| literal(value).filter(|_| value.trim_start().starts_with('"')));
            rest = after;
            if let Some((value, after)) = value {
                entries.insert(name, value);
                rest = after;
            }
        }
        Self(entries)
    }
}

/// The next string literal, which has the form of JSON's, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let from = &text[text.find('"')?..];
    let mut literals = serde_json::Deserializer::from_str(from).into_iter::<String>();
    let value = literals.next()?.ok()?;
    let end = literals.byte_offset();
    Some((value, &from[end..]))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    #[test]
    fn the_first_language_that_there_is_is_used() {
        let of = |languages: &[&str]| {
            let languages: Vec<_> = languages.iter().map(|&l| l.to_owned()).collect();
            super::of(&languages).get("call.answer")
        };
        assert_eq!(of(&["ru", "en"]), "Ответить");
        assert_eq!(of(&["de", "en"]), "Answer");
        assert_eq!(of(&[]), "Answer");
    }

    #[test]
    fn both_catalogues_are_read_whole() {
        for (words, file) in [
            (&ENGLISH, include_str!("../../ui/src/shared/i18n/en.ts")),
            (&RUSSIAN, include_str!("../../ui/src/shared/i18n/ru.ts")),
        ] {
            let names = file.lines().filter(|line| line.starts_with("  \"")).count();
            assert_eq!(words.0.len(), names);
        }
        assert_eq!(
            ENGLISH.fill("person.lastSeen", "when", "now"),
            "Last seen now"
        );
    }

    /// A name that is written wrong would be shown as it is.
    #[test]
    fn every_name_that_is_asked_for_is_in_the_catalogue() {
        for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src-tauri/src")) {
            let text = fs::read_to_string(&file).expect("readable");
            let text: String = text.split_whitespace().collect();
            for asked in ["words.get(\"", "text:\""]
                .iter()
                .flat_map(|ask| text.split(ask).skip(1))
            {
                let name = asked.split('"').next().unwrap_or_default();
                let known = !name.contains('.') || ENGLISH.0.contains_key(name);
                assert!(known, "{name} in {}", file.display());
            }
        }
    }

    fn rust_files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder");
        let paths = entries.map(|entry| entry.expect("readable").path());
        paths
            .flat_map(|path| match path.is_dir() {
                true => rust_files(&path),
                false => vec![path],
            })
            .filter(|path| path.extension().is_some_and(|end| end == "rs"))
            .collect()
    }
}
