//! The cookie by which PulseAudio knows its user's programs.

use std::{env, os::unix::process::CommandExt, path::PathBuf, process::Command};

/// Where PulseAudio's clients are told that it lies.
const VARIABLE: &str = "PULSE_COOKIE";

/// Finds PulseAudio's cookie where `XDG_CONFIG_HOME` is not `~/.config`: cpal's client looks only in the latter, and is
/// turned away without one, so that the sound would go through ALSA. To be called first in `main`: the program begins anew
/// with a variable that says where the cookie is. Setting it in a program that runs is not safe, since a library may have
/// started a thread before `main`, as WebKit does.
pub fn find_sound_server() {
    let (Some(cookie), Ok(program)) = (cookie(), env::current_exe()) else {
        return;
    };
    let mut arguments = env::args_os();
    let mut anew = Command::new(program);
    if let Some(name) = arguments.next() {
        anew.arg0(name);
    }
    // Where the system refuses, this program goes on, and its sound through ALSA.
    let _ = anew.args(arguments).env(VARIABLE, cookie).exec();
}

/// The cookie, where a client would not look for it by itself.
fn cookie() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("XDG_CONFIG_HOME")?);
    let usual = env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let cookie = folder.join("pulse/cookie");
    let is_unknown = env::var_os(VARIABLE).is_none() && usual != Some(folder);
    (is_unknown && cookie.is_file()).then_some(cookie)
}
