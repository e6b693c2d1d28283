//! On Linux: a desktop entry in the person's own folder of what starts with their session.
//! <https://specifications.freedesktop.org/autostart-spec/latest/>

use std::{fs, io, path::PathBuf};

fn entry(name: &str) -> io::Result<PathBuf> {
    let folder = dirs::config_dir().ok_or_else(|| io::Error::other("there is no home"))?;
    Ok(folder.join("autostart").join(format!("{name}.desktop")))
}

pub fn is_on(name: &str) -> bool {
    let text = entry(name).and_then(fs::read_to_string);
    text.is_ok_and(|text| starts(&text))
}

/// Desktops switch an entry off by a line in it.
fn starts(text: &str) -> bool {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    !lines.any(|(key, value)| {
        let off = match key.trim() {
            "Hidden" => "true",
            "X-GNOME-Autostart-enabled" => "false",
            _ => return false,
        };
        value.trim() == off
    })
}

pub fn switch_on(name: &str, command: &[String]) -> io::Result<()> {
    let path = entry(name)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text(command))
}

pub fn switch_off(name: &str) -> io::Result<()> {
    match fs::remove_file(entry(name)?) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn text(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    let exec = words.join(" ");
    format!(
        "[Desktop Entry]\nType=Application\nName=Vireo\nExec={exec}\nIcon=vireo\nTerminal=false\nNoDisplay=true\n"
    )
}

/// As the specification of desktop entries has it: quoted as an argument, and then as a value.
fn quoted(word: &str) -> String {
    let mut quoted = String::from('"');
    for sign in word.chars() {
        match sign {
            '"' | '`' | '$' => quoted.extend(['\\', '\\', sign]),
            '\\' => quoted.push_str(r"\\\\"),
            '%' => quoted.push_str("%%"),
            _ => quoted.push(sign),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_on_until_the_desktop_says_otherwise() {
        let text = text(&["/opt/vireo".to_owned(), "--in-tray".to_owned()]);
        assert!(
            text.contains("\nExec=\"/opt/vireo\" \"--in-tray\"\n"),
            "{text}"
        );
        assert!(starts(&text));
        assert!(!starts(&format!("{text}Hidden=true\n")));
        assert!(!starts(&format!(
            "{text}X-GNOME-Autostart-enabled = false\n"
        )));
    }

    #[test]
    fn a_path_is_one_argument_whatever_is_in_it() {
        assert_eq!(quoted("/a b"), "\"/a b\"");
        assert_eq!(quoted("100%"), "\"100%%\"");
        assert_eq!(quoted("a$b"), r#""a\\$b""#);
        assert_eq!(quoted(r"a\b"), r#""a\\\\b""#);
    }
}
