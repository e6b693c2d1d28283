//! A small virtual machine with a kernel of the distribution's, for devices that this machine's kernel lacks.
//!
//! The kernel's package, and QEMU's where it is not there, are downloaded and unpacked, not installed. The machine's
//! whole system is an archive in memory: busybox, one program with its libraries, and the kernel's modules that it needs.

mod emulator;
mod initramfs;
mod kernel;
mod packages;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

pub use kernel::Kernel;

/// What the machine prints when the program has ended.
const END: &str = "VM-END";

/// Runs a program with these arguments in a machine that has loaded these modules (`name option=value …`), and gives what
/// it printed.
///
/// # Errors
/// When the machine cannot be built or started, or has not ended in time; the message holds the console's last lines.
pub fn run(
    program: &Path,
    arguments: &[&str],
    modules: &[&str],
    timeout: Duration,
) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let kernel = Kernel::fetch()?;
    let image = folder.path().join("initramfs.cpio");
    let command = initramfs::Command { program, arguments };
    initramfs::build(&image, &command, &kernel, modules, END)?;
    // Always emulated: where this itself is a virtual machine, hardware's help can be there and hang.
    let machine = emulator::command()?
        .args([
            "-machine",
            "accel=tcg",
            "-cpu",
            "max",
            "-m",
            "1024",
            "-smp",
            "1",
        ])
        .args([
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
        ])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(&image)
        .args(["-append", "console=ttyS0 quiet panic=-1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("QEMU cannot be started")?;
    read_console(Machine(machine), timeout)
}

/// Ends with its handle.
struct Machine(Child);

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read_console(mut machine: Machine, timeout: Duration) -> anyhow::Result<String> {
    let console = machine.0.stdout.take().context("the console is piped")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
    let deadline = Instant::now() + timeout;
    let mut seen = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains(END) => return Ok(seen),
            Ok(line) => seen = seen + &line + "\n",
            Err(problem) => bail!("the machine has not ended well ({problem}):\n{seen}"),
        }
    }
}
