//! Programs that PyPI carries ready-made, each in a Python environment of its own under target/tools.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{process, workspace};

/// A program and the version that is known to work.
pub struct PythonTool {
    /// Its folder.
    pub name: &'static str,
    /// As pip is asked for it, and for what it needs without saying so.
    pub requirement: &'static str,
    /// What it is needed for.
    pub why: &'static str,
}

/// Compiles C for macOS.
pub const ZIG: PythonTool = PythonTool {
    name: "zig",
    requirement: "ziglang==0.17.0",
    why: "compiles C for macOS",
};

/// Drives the cases of the Autobahn test suite against a WebSocket server.
pub const KOSOKU: PythonTool = PythonTool {
    name: "kosoku",
    requirement: "kosoku==0.1.0",
    why: "checks that the server speaks WebSocket as RFC 6455 has it",
};

/// Judges speech as people would (ITU-T P.862.2).
pub const PESQ: PythonTool = PythonTool {
    name: "pesq",
    requirement: "pesq==0.0.4 numpy>=2",
    why: "judges how speech sounds",
};

/// An ffmpeg that judges pictures by VMAF, whatever the system's can do.
pub const FFMPEG: PythonTool = PythonTool {
    name: "ffmpeg",
    requirement: "imageio-ffmpeg==0.8.1",
    why: "judges how pictures look",
};

impl PythonTool {
    /// The Python that has the program; fetched where it is missing.
    pub fn ensure(&self) -> Result<PathBuf> {
        let environment = workspace::tools().join(self.name);
        let python = environment.join("bin/python");
        let version = environment.join("version");
        if fs::read_to_string(&version).is_ok_and(|fetched| fetched == self.requirement) {
            return Ok(python);
        }
        println!("   Fetching {} from PyPI ({})", self.requirement, self.why);
        process::run_quietly(
            process::command("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )?;
        process::run_quietly(
            process::command(&python.to_string_lossy())
                .args(["-m", "pip", "install", "--quiet"])
                .args(self.requirement.split(' ')),
        )
        .with_context(|| format!("{} could not be fetched from PyPI", self.requirement))?;
        fs::write(version, self.requirement)?;
        Ok(python)
    }
}
