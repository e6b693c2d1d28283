//! A page over the pictures of windows that tests have left, so that a person can look at all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    path::Path,
};

/// What a picture's name ends with besides the screen: language and theme.
const VARIANTS: [&str; 6] = ["en.light", "en.dark", "ru.light", "ru.dark", "en", "ru"];

const STYLE: &str = "body{font:15px system-ui;margin:24px;background:#f2f2f2;color:#111}\
h2{margin:32px 0 8px;font-size:17px}div{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(440px,1fr))}\
figure{margin:0}figcaption{color:#555}img{width:100%;border:1px solid #ccc;border-radius:6px}";

/// Writes `index.html` beside the pictures: every screen with all its languages and themes side by side.
///
/// # Errors
/// When the folder cannot be read or written.
pub fn write_index(folder: &Path) -> io::Result<()> {
    let mut screens: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".png") {
            let (screen, variant) = split(stem);
            screens
                .entry(screen.to_owned())
                .or_default()
                .insert(variant.to_owned());
        }
    }
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vireo's screens</title><style>{STYLE}</style><h1>{} screens</h1>\n",
        screens.len()
    );
    for (screen, variants) in &screens {
        let _ = write!(page, "<h2 id=\"{screen}\">{screen}</h2><div>");
        for variant in variants {
            let file = if variant.is_empty() {
                format!("{screen}.png")
            } else {
                format!("{screen}.{variant}.png")
            };
            let _ = write!(
                page,
                "<figure><a href=\"{file}\"><img loading=\"lazy\" src=\"{file}\" alt=\"{screen} {variant}\"></a><figcaption>{variant}</figcaption></figure>"
            );
        }
        page.push_str("</div>\n");
    }
    fs::write(folder.join("index.html"), page)
}

/// The screen's name, and its language and theme.
fn split(stem: &str) -> (&str, &str) {
    for variant in VARIANTS {
        let screen = stem
            .strip_suffix(variant)
            .and_then(|rest| rest.strip_suffix('.'));
        if let Some(screen) = screen {
            return (screen, variant);
        }
    }
    (stem, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_on_the_page() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        for name in [
            "home.en.light",
            "home.ru.dark",
            "call.en",
            "call.camera-off.ru",
            "odd",
        ] {
            fs::write(folder.path().join(format!("{name}.png")), "")?;
        }
        write_index(folder.path())?;
        let page = fs::read_to_string(folder.path().join("index.html"))?;
        for part in [
            "<h1>4 screens",
            "src=\"home.en.light.png\"",
            "src=\"home.ru.dark.png\"",
            "<h2 id=\"call.camera-off\">",
            "src=\"odd.png\"",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        Ok(())
    }
}
