//! Whether the system starts Vireo when the person logs in. Only the system knows, since it lets people change that elsewhere
//! too: it is asked whenever somebody wants to know, and nothing is kept here.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

use std::{
    env, io,
    path::{Path, PathBuf},
};

use vireo_client::paths::PROFILE_VARIABLE;

use crate::arguments::IN_TRAY;

/// The program as it would be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autostart {
    /// The application's name to the system: each profile of its own has one of its own.
    name: String,
    /// The program and its arguments.
    command: Vec<String>,
}

impl Autostart {
    /// This program, on the profile that was asked for.
    ///
    /// # Errors
    /// When the system does not say where the program is, or its path has no text form.
    pub fn of(name: &str, profile: Option<&Path>) -> io::Result<Self> {
        // An AppImage is mounted elsewhere each time it is started.
        let program =
            env::var_os("APPIMAGE").map_or_else(env::current_exe, |path| Ok(path.into()))?;
        let named = env::var_os(PROFILE_VARIABLE).map(PathBuf::from);
        let profile = profile.map(Path::to_owned).or(named);
        let profile = profile.map(std::path::absolute).transpose()?;
        Self::new(name, program, profile)
    }

    fn new(name: &str, program: PathBuf, profile: Option<PathBuf>) -> io::Result<Self> {
        let mut command = vec![text(program)?, IN_TRAY.to_owned()];
        if let Some(profile) = profile {
            command.extend(["--profile".to_owned(), text(profile)?]);
        }
        Ok(Self {
            name: name.to_owned(),
            command,
        })
    }

    /// Whether the system starts it.
    #[must_use]
    pub fn is_on(&self) -> bool {
        system::is_on(&self.name)
    }

    /// Lets the system start it from now on, or no more.
    ///
    /// # Errors
    /// When the system does not take it.
    pub fn set(&self, on: bool) -> io::Result<()> {
        match on {
            true => system::switch_on(&self.name, &self.command),
            false => system::switch_off(&self.name),
        }
    }
}

/// A line break would end the system's own line.
fn text(path: PathBuf) -> io::Result<String> {
    let path = path.into_os_string().into_string().ok();
    let path = path.filter(|path| !path.contains(char::is_control));
    path.ok_or_else(|| io::Error::other("the path is no line of text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_in_the_tray_on_the_same_profile() {
        let of = |profile: Option<&str>| {
            Autostart::new("vireo", "/opt/vireo".into(), profile.map(PathBuf::from))
        };
        let plain = of(None).expect("text");
        assert_eq!(plain.command, ["/opt/vireo", "--in-tray"]);
        let profile = of(Some("/home/anna b")).expect("text");
        assert_eq!(profile.command[2..], ["--profile", "/home/anna b"]);
        assert!(of(Some("/home/anna\nExec=rm")).is_err());
    }
}
