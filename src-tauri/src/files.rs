//! Files that the application writes for the person, where people look for such files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepsake {
    /// A picture of a call.
    Screenshot,
    /// The figures of a call.
    Statistics,
    /// What the application has done lately.
    Log,
}

/// So many files of the same second are told apart.
const SAME_NAME: u32 = 100;

impl Keepsake {
    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Screenshot => ("Vireo", "png"),
            Self::Statistics => ("Vireo statistics", "json"),
            Self::Log => ("Vireo log", "txt"),
        }
    }

    /// The system's folder for it; where the system names none, the usual one.
    fn folder(self) -> Option<PathBuf> {
        let home = dirs::home_dir();
        match self {
            Self::Screenshot => dirs::picture_dir().or(home.map(|home| home.join("Pictures"))),
            Self::Statistics | Self::Log => {
                dirs::download_dir().or(home.map(|home| home.join("Downloads")))
            }
        }
    }
}

/// Writes the file under a name of its own and returns where it is. `at` is the person's time, as in `2026-11-07 12.30.00`.
///
/// # Errors
/// When that is no time, or the system does not let the file be written.
pub fn keep(what: Keepsake, at: &str, content: &[u8]) -> io::Result<PathBuf> {
    if !is_time(at) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a time"));
    }
    let folder = what.folder().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(&folder)?;
    write_new(&folder, what, at, content)
}

fn write_new(folder: &Path, what: Keepsake, at: &str, content: &[u8]) -> io::Result<PathBuf> {
    let (name, extension) = what.name();
    for number in 1..SAME_NAME {
        let more = if number == 1 {
            String::new()
        } else {
            format!(" ({number})")
        };
        let path = folder.join(format!("{name} {at}{more}.{extension}"));
        let mut file = match fs::File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            other => other?,
        };
        return io::Write::write_all(&mut file, content).map(|()| path);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Nothing but digits in their places, so that no path hides in it.
fn is_time(at: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00 00.00.00";
    at.len() == FORM.len()
        && at.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            sign => byte == *sign,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_holds_no_path() {
        assert!(is_time("2026-11-07 12.30.00"));
        for other in [
            "",
            "../../../etc/passwd",
            "2026-11-07 12:30:00",
            "2026-11-07/12.30.00",
        ] {
            assert!(!is_time(other), "{other}");
        }
    }

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |content: &[u8]| {
            let at = "2026-11-07 12.30.00";
            write_new(folder.path(), Keepsake::Screenshot, at, content).expect("writable")
        };
        let (first, second) = (write(b"one"), write(b"two"));
        assert!(first.ends_with("Vireo 2026-11-07 12.30.00.png"));
        assert!(second.ends_with("Vireo 2026-11-07 12.30.00 (2).png"));
        assert_eq!(fs::read(first).expect("readable"), b"one");
    }
}
