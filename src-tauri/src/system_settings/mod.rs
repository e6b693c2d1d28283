//! Shows where the system says who may use a device, and which one.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::{
    io,
    process::{Command, Stdio},
};

use vireo_call::NoticeKind;

/// Opens the system's page for this kind of device, in the first of its programs that there is.
///
/// # Errors
/// When there is none that is known.
pub fn open(kind: NoticeKind) -> io::Result<()> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for (program, arguments) in platform::programs(kind) {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        match command.spawn() {
            Ok(mut child) => {
                // It goes on by itself; only its end has to be taken note of.
                std::thread::spawn(move || child.wait());
                return Ok(());
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
