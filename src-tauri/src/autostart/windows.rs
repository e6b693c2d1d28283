//! On Windows: a value of the person's own Run key.

use std::io;

use windows_registry::CURRENT_USER;

/// What is started.
const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";

/// What the task manager and the settings have switched off of it: an odd first byte.
const APPROVED: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";

pub fn is_on(name: &str) -> bool {
    let there = CURRENT_USER.open(RUN);
    let there = there.and_then(|run| run.get_string(name)).is_ok();
    let said = CURRENT_USER.open(APPROVED);
    let said = said.and_then(|approved| approved.get_value(name));
    let off = said.is_ok_and(|said| said.first().is_some_and(|first| first % 2 == 1));
    there && !off
}

pub fn switch_on(name: &str, command: &[String]) -> io::Result<()> {
    let words: Vec<_> = command.iter().map(|word| format!("\"{word}\"")).collect();
    let run = CURRENT_USER.create(RUN).map_err(io::Error::other)?;
    run.set_string(name, words.join(" "))
        .map_err(io::Error::other)?;
    if let Ok(approved) = CURRENT_USER.create(APPROVED) {
        // Where nobody has switched it off, there is nothing to take back.
        let _ = approved.remove_value(name);
    }
    Ok(())
}

pub fn switch_off(name: &str) -> io::Result<()> {
    let run = CURRENT_USER.create(RUN).map_err(io::Error::other)?;
    match run.remove_value(name) {
        Err(error) if run.get_string(name).is_ok() => Err(io::Error::other(error)),
        _ => Ok(()),
    }
}
