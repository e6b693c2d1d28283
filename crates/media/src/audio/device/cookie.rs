//! The cookie by which PulseAudio knows its user's programs.

#![allow(unsafe_code)] // One line, for the environment.

use std::{env, fs, path::PathBuf};

/// Where PulseAudio's clients are told that it lies.
const VARIABLE: &str = "PULSE_COOKIE";

/// Finds PulseAudio's cookie where `XDG_CONFIG_HOME` is not `~/.config`: cpal's client looks only in the latter, and is
/// turned away without one, so that the sound would go through ALSA. To be called first in `main`; once there is a second
/// thread it does nothing.
pub fn find_sound_server() {
    if let Some(cookie) = cookie()
        && is_alone()
    {
        // SAFETY: nobody else reads or writes the environment, since this is the only thread.
        unsafe { env::set_var(VARIABLE, cookie) };
    }
}

/// The cookie, unless the user has said where it is.
fn cookie() -> Option<PathBuf> {
    let folder = env::var_os("XDG_CONFIG_HOME")?;
    let cookie = PathBuf::from(folder).join("pulse/cookie");
    (env::var_os(VARIABLE).is_none() && cookie.is_file()).then_some(cookie)
}

fn is_alone() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
